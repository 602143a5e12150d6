"""`python -m tests.fuzz`: every group, many cases, counted; each failure with the command to replay it."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from math import inf
from multiprocessing import get_context
from pathlib import Path

from tests.fuzz.ledgers import cuts
from tests.fuzz.running import GROUPS, Batch, chance_of, run

CASES = {"plans": 100_000, "replies": 100_000, "ledgers": 10_000}
"""Cases of chance in a full run; those that cut the small ledger at every byte come first and on top."""

_SHARES = {"plans": 0.3, "replies": 0.2, "ledgers": 0.5}
_BATCH = {"plans": 500, "replies": 500, "ledgers": 50}
_SHOWN = 10


def main() -> int:
    """Try the groups asked for, one after the other; 1 on any failure."""
    wish = _arguments()
    if wish.case is not None:
        print(GROUPS[wish.groups[0]](chance_of(wish.groups[0], wish.seed, wish.case), wish.case))
        return 0
    failed, figures = 0, dict[str, object]()
    with ProcessPoolExecutor(wish.jobs, mp_context=get_context("spawn")) as pool:
        for group in wish.groups:
            share = _SHARES[group] / sum(_SHARES[each] for each in wish.groups)
            batch, spent_s = _try_all(pool, group, wish, time.monotonic() + share * wish.seconds)
            for failure in batch.failures[:_SHOWN]:
                print(failure)
            print(f"{batch.line(group)} ({spent_s:.0f} s)", flush=True)
            failed += len(batch.failures)
            figures |= {f"{group}_{name}": value for name, value in batch.as_dict().items()}
    if wish.json is not None:
        figures |= {"command": " ".join(["python -m tests.fuzz", *sys.argv[1:]]), "failed": failed}
        wish.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 1 if failed else 0


def _arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)}; all of them")
    parser.add_argument("--seconds", type=float, default=inf, help="begin no case after so many seconds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", type=int, help="cases per group, instead of the full count")
    parser.add_argument("--case", type=int, help="replay this one case of the one group named")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    wish = parser.parse_args()
    wish.groups = wish.groups or list(GROUPS)
    if unknown := set(wish.groups) - set(GROUPS):
        parser.error(f"unknown group {min(unknown)}; there are {', '.join(GROUPS)}")
    if wish.case is not None and len(wish.groups) > 1:
        parser.error("--case needs the one group that it belongs to")
    return wish


def _try_all(
    pool: ProcessPoolExecutor, group: str, wish: argparse.Namespace, end: float
) -> tuple[Batch, float]:
    """Spread a group's cases over the processes until all are tried or the time is over."""
    began, total = time.monotonic(), Batch()
    batches = _batches(group, wish.cases)
    running: set[Future[Batch]] = set()
    while True:
        while len(running) < 2 * wish.jobs and time.monotonic() < end and (numbers := next(batches, None)):
            running.add(pool.submit(run, group, wish.seed, numbers))
        if not running:
            return total, time.monotonic() - began
        done, running = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            total.add(future.result())


def _batches(group: str, cases: int | None) -> Iterator[range]:
    """Cut a group's numbers into batches, in an order that touches every part early."""
    total = cases or CASES[group] + (cuts() if group == "ledgers" else 0)
    step = -(-total // _BATCH[group])
    return (range(first, total, step) for first in range(step))


if __name__ == "__main__":
    sys.exit(main())
