"""`python -m tests.bench`: nights of every kind under every policy, as a table; 1 when a promise is broken.

A promise: nobody beats the lower bound, and ours copies nothing twice, keeps to the room and leaves
nothing out. The goals are measured and reported, they decide nothing.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from datetime import UTC, datetime
from math import inf
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from tests.bench.cells import Cell, Key, flat
from tests.bench.figures import POLICIES, Figures, measure
from tests.bench.nights import DESTINATIONS, KINDS, ROOM
from tests.bench.table import Origin, page

ROOT = Path(__file__).parent.parent.parent
RESULTS = ROOT / "benchmarks" / "results.md"
SIZES = (10, 100, 1000, 10_000)
SEEDS = 5
_WHOLE = 10_000
"""Images over all seeds of a cell, at most: the largest nights get one seed."""
_ROUNDING = 1e-6


class Task(NamedTuple):
    """One night, to be measured under every policy."""

    key: Key
    seed: int

    @property
    def replay(self) -> str:
        """The command that measures this night alone."""
        kind, regions, images = self.key
        wish = f"--kinds {kind} --destinations {regions} --sizes {images} --seed {self.seed}"
        return f"python -m tests.bench {wish}"


def main() -> int:
    """Measure what the command line asks for."""
    wish, began = _options().parse_args(), time.monotonic()
    cells: dict[Key, Cell] = {}
    troubles: list[str] = []
    for task, figures in _measured(wish, began + wish.seconds):
        cells.setdefault(task.key, Cell(task.key)).add(task.seed, figures)
        troubles += [f"{trouble}\n  replay: {task.replay}" for each in figures for trouble in broken(each)]
    done = [cells[key] for key in sorted(cells, key=_order)]
    text = page(done, _origin(wish, (time.monotonic() - began) / 60))
    print(text, *troubles, sep="\n")
    if wish.json is not None:
        figures_named = flat(done, list(POLICIES)) | {"failed": len(troubles)}
        said = json.dumps({"command": _command(), **figures_named}, indent=2)
        wish.json.write_text(said + "\n", encoding="utf-8")
    if wish.write and not troubles:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(text, encoding="utf-8")
    return 1 if troubles or not done else 0


def broken(figures: Figures) -> Iterator[str]:
    """Say which promises a night broke."""
    if 0 < figures.bound < 1 - _ROUNDING:
        yield f"{figures.policy} beat the lower bound ({figures.bound:.4f}), which is none then"
    if figures.policy != "ours":
        return
    if figures.broken:
        yield f"ours broke {figures.broken} promises in the books of the world"
    if figures.peak > ROOM:
        yield f"ours had {figures.peak} copies in flight in one destination"
    if figures.missing:
        yield f"ours left {figures.missing} copies out"


def _options() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"nights of each kind (default: {SEEDS})")
    parser.add_argument("--seed", type=int, help="only the night of this seed")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="images per plan")
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=list(KINDS))
    parser.add_argument(
        "--destinations", type=int, nargs="+", default=[3, 5], choices=range(2, len(DESTINATIONS) + 1)
    )
    parser.add_argument("--seconds", type=float, default=inf, help="begin no night after so many seconds")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the medians there too")
    parser.add_argument("--write", action="store_true", help="write benchmarks/results.md")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    return parser


def _tasks(wish: argparse.Namespace) -> Iterator[Task]:
    """Give the nights asked for, small ones first."""
    for images in sorted(wish.sizes):
        most = max(1, min(wish.seeds, _WHOLE // images))
        for seed in [wish.seed] if wish.seed is not None else range(1, most + 1):
            for regions in wish.destinations:
                yield from (Task(Key(kind, regions, images), seed) for kind in wish.kinds)


def _measured(wish: argparse.Namespace, end: float) -> Iterator[tuple[Task, list[Figures]]]:
    """Measure night after night in a few processes, until all are done or the time is over."""
    tasks = _tasks(wish)
    running: dict[Future[list[Figures]], Task] = {}
    with ProcessPoolExecutor(wish.jobs, mp_context=get_context("spawn")) as pool:
        while True:
            while len(running) < wish.jobs and time.monotonic() < end and (task := next(tasks, None)):
                running[pool.submit(measure, *task.key, task.seed)] = task
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            yield from ((running.pop(future), future.result()) for future in done)


def _order(key: Key) -> tuple[int, int, int]:
    """Sort as the page reads: kind, destinations, size."""
    return list(KINDS).index(key.kind), key.regions, key.images


def _origin(wish: argparse.Namespace, minutes: float) -> Origin:
    """Say where the figures come from."""
    most = f"{wish.seeds} seeds, fewer for more than {_WHOLE // wish.seeds:,} images"
    return Origin(
        date=datetime.now(UTC).strftime("%Y-%m-%d"),
        commit=_commit(),
        command=_command(),
        seeds=most if wish.seed is None else f"seed {wish.seed}",
        minutes=minutes,
    )


def _command() -> str:
    return " ".join(["python -m tests.bench", *sys.argv[1:]])


def _commit() -> str:
    """Name the commit, and say when the tree was not exactly that."""
    asked = ["git", "describe", "--always", "--dirty=, with changes", "--abbrev=12", "--exclude=*"]
    described = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    return described.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main())
