"""`python -m tests.torture`: many rounds, counted; every complaint with the command that replays it."""

from __future__ import annotations

import argparse
import json
import sys
import time
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from functools import partial
from itertools import count
from math import inf
from multiprocessing import get_context
from pathlib import Path

from tests.torture.driver import play_seed
from tests.torture.tally import Tally


def main() -> int:
    """Play rounds until the time, the kills or the rounds asked for are reached; 1 on any complaint."""
    wish = _arguments()
    began = time.monotonic()
    tally = Tally()
    with ProcessPoolExecutor(wish.jobs, mp_context=get_context("spawn")) as pool:
        seeds = count(wish.seed)
        left = wish.rounds
        open_rounds: set[Future[Tally]] = set()
        while True:
            while len(open_rounds) < wish.jobs and left > 0 and _goes_on(wish, tally, began):
                open_rounds.add(pool.submit(partial(play_seed, unprotected=wish.unprotected), next(seeds)))
                left -= 1
            if not open_rounds:
                break
            done, open_rounds = wait(open_rounds, return_when=FIRST_COMPLETED)
            for future in done:
                _take(tally, future.result(), quiet=wish.unprotected)
    spent_s = time.monotonic() - began
    print(tally.line(spent_s))
    if wish.json is not None:
        command = " ".join(["python -m tests.torture", *sys.argv[1:]])
        figures = {"command": command, **tally.as_dict(), "seconds": round(spent_s, 1)}
        wish.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return _verdict(tally, unprotected=wish.unprotected)


def _arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--minutes", type=float, default=inf, help="begin no round after so many minutes")
    parser.add_argument("--seconds", type=float, default=inf, help="begin no round after so many seconds")
    parser.add_argument("--kills", type=int, default=inf, help="begin no round after so many kills")
    parser.add_argument("--rounds", type=int, default=inf, help="play so many rounds")
    parser.add_argument("--seed", type=int, default=1, help="the first round's seed; each next has the next")
    parser.add_argument("--jobs", type=int, default=2, help="rounds at a time")
    off = "switch the protection off; duplicates must show"
    parser.add_argument("--unprotected", action="store_true", help=off)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    wish = parser.parse_args()
    wish.seconds = min(wish.seconds, 60 * wish.minutes)
    if min(wish.seconds, wish.kills, wish.rounds) == inf:
        wish.kills = 200
    return wish


def _goes_on(wish: argparse.Namespace, tally: Tally, began: float) -> bool:
    """Tell whether one more round may begin."""
    return bool(tally.kills < wish.kills and time.monotonic() - began < wish.seconds)


def _take(tally: Tally, played: Tally, *, quiet: bool) -> None:
    """Add a round, and tell its complaints at once."""
    tally.add(played)
    if not quiet:
        for complaint in played.complaints:
            print(complaint, flush=True)


def _verdict(tally: Tally, *, unprotected: bool) -> int:
    """Turn the tally into an exit code."""
    if not unprotected:
        return 1 if tally.complaints or not tally.rounds else 0
    if tally.duplicates:
        print(f"The protection was off, and the books show it: {tally.duplicates} duplicates.")
        return 0
    print("The protection was off, and no duplicate was seen: this harness proves nothing.")
    return 1


if __name__ == "__main__":
    sys.exit(main())
