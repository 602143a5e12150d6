"""`python -m tests.recovery`: many lives of ledger and schedule, counted; 1 when a promise was broken."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from functools import partial
from math import inf
from multiprocessing import get_context
from pathlib import Path

from tests.recovery.machine import Tally
from tests.recovery.playing import Batch, play

LIVES = 25
"""Lives in one batch: what a seed replays."""


def main(argv: list[str] | None = None) -> int:
    """Live what is asked for."""
    given = sys.argv[1:] if argv is None else argv
    wish = _options().parse_args(given)
    began, total, failures = time.monotonic(), Tally(), 0
    for batch in _batches(wish, began):
        total.add(batch.tally)
        if batch.failure:
            failures += 1
            print(batch, flush=True)
    figures = {**total.as_dict(), "violations": failures, "seconds": round(time.monotonic() - began, 1)}
    print(", ".join(f"{value} {name.replace('_', ' ')}" for name, value in figures.items()))
    if wish.json is not None:
        figures["command"] = " ".join(["python -m tests.recovery", *given])
        wish.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 1 if failures or not total.lives else 0


def _options() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.recovery", description=__doc__)
    parser.add_argument("--lives", type=int, default=2000, help="how many; a few more are lived, in batches")
    parser.add_argument("--seed", type=int, help="live this one batch again")
    parser.add_argument("--first", type=int, default=1, help="the first batch's seed; each next has the next")
    parser.add_argument("--seconds", type=float, default=inf, help="begin no batch after so long")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser


def _batches(wish: argparse.Namespace, began: float) -> Iterator[Batch]:
    """Live batches in several processes; each depends on its seed alone."""
    if wish.seed is not None:
        yield play(wish.seed, lives=LIVES)
        return
    seeds = iter(range(wish.first, wish.first + -(-wish.lives // LIVES)))
    with ProcessPoolExecutor(wish.jobs, mp_context=get_context("spawn")) as pool:
        running: set[Future[Batch]] = set()
        while True:
            while len(running) < wish.jobs and time.monotonic() - began < wish.seconds:
                number = next(seeds, None)
                if number is None:
                    break
                running.add(pool.submit(partial(play, number, lives=LIVES, shorten=wish.seconds == inf)))
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)


if __name__ == "__main__":
    sys.exit(main())
