"""`python -m tests.prove`: every machine, full counts, published; 1 when one of them broke a promise."""

from __future__ import annotations

import argparse
import os
import platform
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from tests.prove import fingerprint
from tests.prove.groups import GROUPS, TASKS
from tests.prove.promised import short_of
from tests.prove.publishing import Proof, publish, task_of
from tests.prove.rows import Row, rows_of
from tests.prove.running import ROOT, Ran, run_all

DOCUMENT = ROOT / "docs" / "reliability.md"


def main(argv: Sequence[str] | None = None) -> int:
    """Prove what the command line asks for; a whole proof that found nothing is published."""
    wish = _options().parse_args(argv)
    tasks = [task for task in TASKS if task.group in (wish.groups or GROUPS)]
    if wish.seconds is not None:
        tasks = [task for task in tasks if task.brief is not None]
    code, began, done = fingerprint.take(ROOT), time.monotonic(), list[Ran]()
    for ran in run_all(tasks, seconds=wish.seconds, at_a_time=wish.at_a_time):
        print(ran, flush=True)
        done.append(ran)
    done.sort(key=lambda ran: tasks.index(ran.task))
    minutes = (time.monotonic() - began) / 60
    whole = wish.seconds is None and not wish.groups
    troubles = [trouble for ran in done for trouble in _troubles(ran)]
    if whole and not troubles:
        troubles += short_of(done)
    if not troubles:
        print("\n".join(f"{row.machine}: {row.did}; {row.broken}" for row in _rows(done)))
    print(f"{len(done)} commands in {minutes:.1f} minutes", *troubles, sep="\n")
    if not troubles and (whole or wish.write):
        publish(_proof(done, wish, minutes, code), DOCUMENT)
        print(f"written to {DOCUMENT.relative_to(ROOT)}")
    return 1 if troubles or not done else 0


def _troubles(ran: Ran) -> Iterator[str]:
    """Say what is wrong with a task: it failed, or its figures are not what the table is made of."""
    if not ran.good:
        yield f"{ran.task.name} FAILED; again with: {ran.command}"
        return
    try:
        list(_rows([ran]))
        list(short_of([ran]))
    except (KeyError, TypeError) as error:
        yield f"{ran.task.name}: its figures are not as expected: {error!r}"


def _rows(done: Sequence[Ran]) -> Iterator[Row]:
    """Turn what went well into lines of the table."""
    for ran in done:
        if ran.good:
            yield from rows_of(ran.task.name, ran.task.group, ran.figures)


def _options() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.prove", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", choices=(*GROUPS, []), help=", ".join(GROUPS))
    parser.add_argument("--seconds", type=float, help="so long for each group, instead of the full counts")
    parser.add_argument("--at-a-time", type=int, default=os.cpu_count() or 1, help="commands at a time")
    parser.add_argument("--write", action="store_true", help="publish what is no full proof, too")
    return parser


def _proof(done: list[Ran], wish: argparse.Namespace, minutes: float, code: fingerprint.Fingerprint) -> Proof:
    """Put together what is published."""
    limit = [] if wish.seconds is None else ["--seconds", f"{wish.seconds:g}"]
    python, sqlite = platform.python_version(), sqlite3.sqlite_version
    return Proof(
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        commit=_commit(),
        machine=f"Python {python}, SQLite {sqlite}, {platform.system()}, {os.cpu_count()} cores",
        minutes=round(minutes, 1),
        command=" ".join(["python -m tests.prove", *wish.groups, *limit]),
        tasks=[task_of(ran) for ran in done],
        code=code,
    )


def _commit() -> str:
    """Name the commit, and say when the tree was not exactly that."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty=, with changes", "--abbrev=12", "--exclude=*"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main())
