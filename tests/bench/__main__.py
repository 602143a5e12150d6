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
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from math import inf
from pathlib import Path

from tests.bench import headline, pictures, recorded
from tests.bench.cells import Cell, Key, fingerprint, flat, in_order
from tests.bench.figures import Figures
from tests.bench.nights import DESTINATIONS, KINDS, ROOM
from tests.bench.paired import Pair, pairs
from tests.bench.real import has_sdk
from tests.bench.table import Origin, Results, page
from tests.bench.tasks import Task, measured, seeds, tasks

ROOT = Path(__file__).parent.parent.parent
BENCHMARKS = ROOT / "benchmarks"
RESULTS, NOTES, COSTS = (BENCHMARKS / f"{name}.md" for name in ("results", "notes", "cost"))
SIZES = (10, 100, 1000, 10_000)
SEEDS = 7
"""One night of 100 images more or less moves the median of three by 0.01, of seven by less."""
_ROUNDING = 1e-6
_NO_SDK = (
    "The script was not held against the real one: the official SDK is not installed (`make test-oracle`)."
)


def main() -> int:
    """Do what the command line asks for."""
    wish = _options().parse_args()
    if wish.headline:
        print(headline.cut_out(RESULTS.read_text(encoding="utf-8")) or "no headline in benchmarks/results.md")
        return 0
    if wish.record:
        recorded.write(recorded.record())
        return 0
    return _bench(wish)


def _bench(wish: argparse.Namespace) -> int:
    """Measure, print, and write what is to be written."""
    began, troubles = time.monotonic(), list[str]()
    cells: dict[Key, Cell] = {}
    left = list(tasks(wish))
    for task, figures in measured(wish, began + wish.seconds):
        left.remove(task)
        cells.setdefault(task.key, Cell(task.key)).add(task.seed, figures)
        troubles += [f"{trouble}\n  replay: {task.replay}" for each in figures for trouble in broken(each)]
    done, held = in_order(cells.values()), list(pairs()) if wish.paired else []
    text = page(_results(done, left, held, wish), _origin(wish, (time.monotonic() - began) / 60))
    print(text, *troubles, f"figures: {fingerprint(done)}", sep="\n")
    if wish.json is not None:
        said = {"command": _command(), **flat(done), "failed": len(troubles), "skipped": len(left)}
        wish.json.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
    if wish.write and not troubles:
        _write(text, pictures.drawn(done))
    return 1 if troubles or not done else 0


def _write(text: str, drawings: Mapping[str, str]) -> None:
    """Write the page and its pictures."""
    BENCHMARKS.mkdir(exist_ok=True)
    for name, drawing in drawings.items():
        (BENCHMARKS / name).write_text(drawing, encoding="utf-8")
    RESULTS.write_text(text, encoding="utf-8")


def broken(figures: Figures) -> Iterator[str]:
    """Say which promises a night broke."""
    policy = figures.policy
    if 0 < figures.bound < 1 - _ROUNDING:
        yield f"{policy} beat the lower bound ({figures.bound:.4f}), which is none then"
    if policy not in recorded.HELD:
        return
    if figures.broken:
        yield f"{policy} broke {figures.broken} promises in the books of the world"
    if figures.peak > ROOM:
        yield f"{policy} had {figures.peak} copies in flight in one destination"
    if figures.missing:
        yield f"{policy} left {figures.missing} copies out"


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
    parser.add_argument("--paired", action="store_true", help="hold the models against real programs too")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the medians there too")
    parser.add_argument("--write", action="store_true", help="write benchmarks/results.md and its pictures")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    parser.add_argument("--record", action="store_true", help="only write benchmarks/recorded.json anew")
    parser.add_argument("--headline", action="store_true", help="only print the README's table")
    return parser


def _results(
    done: Sequence[Cell], left: Sequence[Task], held: Sequence[Pair], wish: argparse.Namespace
) -> Results:
    """Gather what stands on the page."""
    notes, costs = (file.read_text(encoding="utf-8") if file.exists() else "" for file in (NOTES, COSTS))
    return Results(
        cells=done,
        skipped=[f"{task.key}, seed {task.seed}: `{task.replay}`" for task in left],
        pairs=held,
        unpaired=_NO_SDK if wish.paired and not has_sdk() else "",
        notes=notes,
        costs=costs,
        plots=list(pictures.drawn(done)) if wish.write else [],
    )


def _origin(wish: argparse.Namespace, minutes: float) -> Origin:
    """Say where the figures come from."""
    each = ", ".join(f"{_listed(seeds(wish, images))} at {images:,}" for images in sorted(wish.sizes))
    return Origin(
        date=datetime.now(UTC).strftime("%Y-%m-%d"),
        commit=_commit(),
        command=_command(),
        seeds=f"seeds {each} images",
        minutes=minutes,
    )


def _listed(numbers: list[int]) -> str:
    """Write a run of numbers."""
    return f"{numbers[0]} to {numbers[-1]}" if len(numbers) > 1 else str(numbers[0])


def _command() -> str:
    return " ".join(["python -m tests.bench", *sys.argv[1:]])


def _commit() -> str:
    """Name the commit, and say when the tree was not exactly that."""
    asked = ["git", "describe", "--always", "--dirty=, with changes", "--abbrev=12", "--exclude=*"]
    described = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    return described.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main())
