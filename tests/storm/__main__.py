"""Play many storms and count: python -m tests.storm --seeds 2000. Exits 1 when a promise was broken."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import islice
from pathlib import Path

from tests.storm.night import Outcome, storm
from tests.storm.tally import Tally, lines

_BATCH = 10


def main(argv: list[str] | None = None) -> int:
    """Play what is asked for."""
    asked = _arguments().parse_args(argv)
    if asked.seed is not None:
        return _replay(asked.seed, asked.json, quiet=asked.quiet)
    seeds = range(asked.first, asked.first + asked.seeds)
    tally = Tally()
    for outcome in _outcomes(seeds, jobs=asked.jobs, seconds=asked.seconds):
        tally.add(outcome)
        if outcome.broken:
            print(f"seed {outcome.seed}: {outcome.broken[0]}", file=sys.stderr, flush=True)
    print("\n".join(lines(tally)))
    _write(asked.json, tally.as_dict())
    return 1 if tally.failures or not tally.nights else 0


def _arguments() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.storm", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many storms")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="play this one twice, tell its story, compare the traces")
    parser.add_argument("--quiet", action="store_true", help="with --seed: no story")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no storm after this time")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--json", type=Path, help="write the figures there")
    return parser


def _replay(seed: int, target: Path | None, *, quiet: bool) -> int:
    """Play one storm twice: its story, its figures, and whether both were the same."""
    story: list[str] = []
    outcome, again = storm(seed, story=None if quiet else story), storm(seed)
    print("\n".join(story))
    tally = Tally()
    tally.add(outcome)
    print("\n".join(lines(tally)))
    same = outcome.trace == again.trace
    print(f"trace {outcome.trace}, {'the same twice' if same else 'and another the second time'}")
    _write(target, tally.as_dict() | {"trace": outcome.trace, "same_twice": same})
    return 0 if same and not outcome.broken else 1


def _outcomes(seeds: range, *, jobs: int, seconds: float) -> Iterator[Outcome]:
    """Play storms in several processes; each storm's outcome depends on its seed alone."""
    until = time.monotonic() + seconds
    if jobs <= 1:
        for seed in seeds:
            if time.monotonic() >= until:
                return
            yield storm(seed)
        return
    batches = iter([seeds[at : at + _BATCH] for at in range(0, len(seeds), _BATCH)])
    with ProcessPoolExecutor(jobs) as pool:
        pending = {pool.submit(_batch, batch) for batch in islice(batches, jobs)}
        while pending:
            done = next(as_completed(pending))
            pending.remove(done)
            if time.monotonic() < until:
                pending |= {pool.submit(_batch, batch) for batch in islice(batches, 1)}
            yield from done.result()


def _batch(seeds: range) -> list[Outcome]:
    """Play a few storms one after the other."""
    return [storm(seed) for seed in seeds]


def _write(target: Path | None, figures: dict[str, object]) -> None:
    """Write the figures as JSON, if anybody wants them."""
    if target is not None:
        target.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
