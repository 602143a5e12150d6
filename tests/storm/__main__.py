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

from tests.storm.night import Outcome, storm, twice
from tests.storm.scenario import Habit
from tests.storm.tally import Tally, lines
from tests.storm.troubles import Trouble, Wish, words

_BATCH = 10
_TWICE = 50
"""Every so many seeds one is played twice and the traces are compared."""


def main(argv: list[str] | None = None) -> int:
    """Play what is asked for."""
    asked = _arguments().parse_args(argv)
    command = " ".join(("python -m tests.storm", *(sys.argv[1:] if argv is None else argv)))
    if asked.seed is not None:
        return _replay(asked, command)
    tally = Tally(wish=words(asked.wish))
    for outcome in _outcomes(asked):
        tally.add(outcome)
        if outcome.broken:
            print(f"seed {outcome.seed}: {outcome.broken[0]}", file=sys.stderr, flush=True)
            if asked.stop:
                break
    print("\n".join(lines(tally)))
    _write(asked.json, {"command": command} | tally.as_dict())
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
    parser.add_argument("--stop", action="store_true", help="stop at the first broken promise")
    clouds = ", ".join(habit.name.lower() for habit in Habit)
    told = f"lost answers and crashes only, over one kind of cloud: {clouds}"
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--cloud", dest="wish", type=_habit, metavar="KIND", help=told)
    troubles = "; ".join(f"{trouble.name.lower()}: {trouble.value}" for trouble in Trouble)
    told = f"one fault in every storm, and little else: {troubles}"
    kinds.add_argument("--trouble", dest="wish", type=_trouble, metavar="NAME", help=told)
    parser.add_argument("--json", type=Path, help="write the figures there")
    return parser


def _habit(word: str) -> Habit:
    """Read the name of a kind of cloud; ValueError for an unknown one."""
    try:
        return Habit[word.upper()]
    except KeyError:
        raise ValueError(word) from None


def _trouble(word: str) -> Trouble:
    """Read the name of a trouble; ValueError for an unknown one."""
    try:
        return Trouble[word.upper()]
    except KeyError:
        raise ValueError(word) from None


def _replay(asked: argparse.Namespace, command: str) -> int:
    """Play one storm twice: its story, its figures, and whether both were the same."""
    story: list[str] = []
    outcome = storm(asked.seed, None if asked.quiet else story, wish=asked.wish)
    again = storm(asked.seed, wish=asked.wish)
    print("\n".join(story))
    tally = Tally(wish=words(asked.wish))
    tally.add(outcome)
    print("\n".join(lines(tally)))
    same = outcome.trace == again.trace
    print(f"trace {outcome.trace}, {'the same twice' if same else 'and another the second time'}")
    figures = {"command": command} | tally.as_dict() | {"trace": outcome.trace, "same_twice": same}
    _write(asked.json, figures)
    return 0 if same and not outcome.broken else 1


def _outcomes(asked: argparse.Namespace) -> Iterator[Outcome]:
    """Play storms in several processes; each storm's outcome depends on its seed alone."""
    seeds = range(asked.first, asked.first + asked.seeds)
    until = time.monotonic() + asked.seconds
    if asked.jobs <= 1:
        for seed in seeds:
            if time.monotonic() >= until:
                return
            yield _play(seed, asked.wish)
        return
    batches = iter([seeds[at : at + _BATCH] for at in range(0, len(seeds), _BATCH)])
    with ProcessPoolExecutor(asked.jobs) as pool:
        pending = {pool.submit(_batch, batch, asked.wish) for batch in islice(batches, asked.jobs)}
        while pending:
            done = next(as_completed(pending))
            pending.remove(done)
            if time.monotonic() < until:
                pending |= {pool.submit(_batch, batch, asked.wish) for batch in islice(batches, 1)}
            yield from done.result()


def _batch(seeds: range, wish: Wish) -> list[Outcome]:
    """Play a few storms one after the other."""
    return [_play(seed, wish) for seed in seeds]


def _play(seed: int, wish: Wish) -> Outcome:
    """Play one storm, and every fiftieth a second time."""
    return storm(seed, wish=wish) if seed % _TWICE else twice(seed, wish=wish)


def _write(target: Path | None, figures: dict[str, object]) -> None:
    """Write the figures as JSON, if anybody wants them."""
    if target is not None:
        target.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
