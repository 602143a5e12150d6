"""Which nights are measured, and measuring them in a few processes at a time. Prints nothing."""

from __future__ import annotations

import gc
import time
from argparse import Namespace
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from typing import NamedTuple

from tests.bench.cells import Key
from tests.bench.figures import Figures, measure

_WHOLE = 3000
"""Images over all seeds of a cell, at most: the largest nights get one seed."""


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


def tasks(wish: Namespace) -> Iterator[Task]:
    """Give the nights asked for, small ones first."""
    for images in sorted(wish.sizes):
        for seed in seeds(wish, images):
            for regions in wish.destinations:
                yield from (Task(Key(kind, regions, images), seed) for kind in wish.kinds)


def seeds(wish: Namespace, images: int) -> list[int]:
    """Say which seeds the nights of a size get."""
    most = max(1, min(wish.seeds, _WHOLE // images))
    return [wish.seed] if wish.seed is not None else list(range(1, most + 1))


def measured(wish: Namespace, end: float) -> Iterator[tuple[Task, list[Figures]]]:
    """Measure night after night in a few processes, until all are done; begin none after `end`."""
    waiting = tasks(wish)
    running: dict[Future[list[Figures]], Task] = {}
    with ProcessPoolExecutor(wish.jobs, mp_context=get_context("spawn"), initializer=gc.disable) as pool:
        while True:
            while len(running) < wish.jobs and time.monotonic() < end and (task := next(waiting, None)):
                running[pool.submit(_measure, task)] = task
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            yield from ((running.pop(future), future.result()) for future in done)


def _measure(task: Task) -> list[Figures]:
    """Measure one night; what it leaves behind is collected when it is over, not meanwhile."""
    figures = measure(*task.key, task.seed)
    gc.collect()
    return figures
