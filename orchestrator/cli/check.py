"""`orchestrator status --check`: the answer for monitoring, one line and an exit code. Only looks."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from orchestrator.core.probe import Past, Probe
    from orchestrator.ledger.port import RunRow
    from orchestrator.ledger.reader import LedgerReader

UNKNOWN = 3
"""What a plugin exits with when it cannot tell; its own errors are that, too."""


def is_probe(arguments: list[str]) -> bool:
    """Tell whether a command line asks for the answer for monitoring."""
    return "status" in arguments and "--check" in arguments


def say_unknown(message: str) -> int:
    """Print that nothing can be said, on stdout, where monitoring reads it; return the exit code."""
    from orchestrator.watch.probe_view import unknown_line

    with suppress(OSError):  # stdout is gone or full: the exit code says it all
        click.echo(unknown_line(message))
    return UNKNOWN


def check(folder: Path, plan: str | None, max_age_s: float) -> int:
    """Print the answer for one plan, or the worst of all that ran lately; return the exit code.

    A plan whose last run began longer ago than `max_age_s` is asked about only when it is named, or when
    no other ran since: nobody can tell whether it is still meant to run.
    """
    from orchestrator.core.probe import worse
    from orchestrator.ledger.reader import LedgerReader
    from orchestrator.watch.probe_view import probe_line

    reader, now = LedgerReader.open(folder), time.time()
    if reader is None:
        return say_unknown(f"no ledger in {folder}: nothing was run here yet")
    with reader:
        rows = reader.runs()
        plans = _plans(rows, plan, now - max_age_s)
        if not plans:
            return say_unknown(
                f"no run of {plan}; `orchestrator runs` lists the plans" if plan else "no run yet"
            )
        answers = [(_answer(reader, folder, name, now, max_age_s), name) for name in plans]
    worst = answers[0]
    for other in answers[1:]:
        worst = other if worse(other[0], worst[0]) else worst
    click.echo(probe_line(*worst, max_age_s=max_age_s, others=len(answers) - 1))
    return int(worst[0].level)


def _plans(rows: tuple[RunRow, ...], wanted: str | None, since: float) -> list[str]:
    """Name the plans to ask about, the one that ran last first."""
    if wanted is not None:
        names = (row.plan for row in rows if wanted in (row.plan, PurePath(row.plan).name))
        return list(dict.fromkeys(names))
    return list(dict.fromkeys(row.plan for row in rows if row.started_at >= since or row is rows[0]))


def _answer(reader: LedgerReader, folder: Path, plan: str, now: float, max_age_s: float) -> Probe:
    """Ask about one plan: read its runs back to the last good one, or as far as the age matters."""
    from orchestrator.core.probe import probe

    past: list[Past] = list(_starting(reader, folder))
    answer = probe(past, now=now, max_age_s=max_age_s)
    for row in reader.runs():
        if row.plan != plan:
            continue
        past.append(_past(reader, folder, row))
        answer = probe(past, now=now, max_age_s=max_age_s)
        whole = any(run.verdict is not None and not run.narrowed for run in past)
        if answer.age_s is not None or (whole and row.started_at < now - max_age_s):
            break
    return answer


def _starting(reader: LedgerReader, folder: Path) -> Iterator[Past]:
    """Give the run that holds the lock and is not in the ledger yet: it is just taking its past in."""
    from orchestrator.cli.views import is_running
    from orchestrator.core.probe import Past
    from orchestrator.ledger.lock import read_owner

    owner = read_owner(folder)
    known = owner is None or any(row.run == owner.run for row in reader.runs())
    if owner is not None and not known and is_running(folder, owner.run):
        yield Past(run=owner.run, started_at=owner.started_at, going_on=True)


def _past(reader: LedgerReader, folder: Path, row: RunRow) -> Past:
    """Read one run as the probe wants it."""
    from orchestrator.cli.views import is_running
    from orchestrator.core.probe import Past
    from orchestrator.watch.result import result_from_json

    text = reader.result(row.run)
    if not text:
        return Past(run=row.run, started_at=row.started_at, going_on=is_running(folder, row.run))
    result = result_from_json(text)
    return Past(
        run=row.run,
        started_at=row.started_at,
        finished_at=result.finished_at,
        verdict=result.verdict,
        exit_code=result.exit_code,
        narrowed=result.narrowed,
        copies=result.copies,
        strangers=len(result.strangers),
        notices=frozenset(notice.kind for notice in result.notices),
    )


def probing() -> bool:
    """Tell whether this process was started as a plugin."""
    return is_probe(sys.argv[1:])
