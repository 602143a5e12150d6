"""`orchestrator ledger check` and `ledger backup`: is the ledger whole, and a copy of it. Sends nothing."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.options import settings_of, settings_options, simulate_option, state_folder
from orchestrator.errors import LedgerDamaged, UsageError

if TYPE_CHECKING:
    from orchestrator.ledger.check import Report


@click.group()
def ledger() -> None:
    """Check the ledger, or copy it. Both work while a run is going on."""


@ledger.command()
@click.argument("plan", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@simulate_option
@settings_options
def check(
    plan: str | None, as_json: bool, simulate: bool, config: Path | None, state_dir: str | None,
    settings: tuple[str, ...],
) -> int:  # fmt: skip
    """Verify every event, replay them all, and compare what `status` shows with the replay.

    Exits 0 when the ledger is whole and 65 when it is not; changes no byte of it. A PLAN may be
    named and is not read: all plans of a state folder share one ledger.
    """
    from orchestrator.ledger.check import check_beside

    folder = state_folder(settings_of(config, state_dir, settings), simulate=simulate)
    report = check_beside(_path(folder))
    if as_json:
        click.echo(json.dumps(_shape(report)))
    else:
        for line in _lines(report):
            click.echo(line)
    return LedgerDamaged.exit_code if report.findings else 0


@ledger.command()
@click.argument("plan", required=False)
@click.option("--to", "target", type=click.Path(path_type=Path), help="The copy's file; must not exist yet.")
@simulate_option
@settings_options
def backup(
    plan: str | None, target: Path | None, simulate: bool, config: Path | None, state_dir: str | None,
    settings: tuple[str, ...],
) -> None:  # fmt: skip
    """Copy the ledger into one file and check the copy.

    Without --to it is named after the time, in the state folder's backups/. A PLAN may be named and
    is not read.
    """
    from orchestrator.ledger.backup import back_up

    folder = state_folder(settings_of(config, state_dir, settings), simulate=simulate)
    _path(folder)
    report = back_up(folder, target, now=time.time())
    click.echo(f"{report.path}: {report.last - report.first + 1} events, {report.copies} copies, checked")


def _path(folder: Path) -> Path:
    """Name the ledger of a state folder; say so where there is none."""
    from orchestrator.ledger.connect import ledger_path

    path = ledger_path(folder)
    if not path.exists():
        raise UsageError(f"no ledger in {folder}. Nothing was run here yet.")
    return path


def _shape(report: Report) -> dict[str, object]:
    """Lay a report out for JSON."""
    return {
        "ledger": str(report.path),
        "whole": not report.findings,
        "id": report.ledger_id or None,
        "version": report.version or None,
        "first_event": report.first,
        "last_event": report.last,
        "runs": report.runs,
        "copies": report.copies,
        "findings": list(report.findings),
    }


def _lines(report: Report) -> list[str]:
    """Say a report in words."""
    known = (
        f"ledger {report.ledger_id}, version {report.version}, events {report.first} to {report.last}, "
        f"{report.runs} runs, {report.copies} copies"
    )
    head = [str(report.path), *([known] if report.ledger_id else [])]
    if not report.findings:
        return [*head, "whole: file, events, replay, copies and runs agree"]
    return [
        *head,
        *(f"NOT WHOLE: {finding}" for finding in report.findings),
        "It was left as it is. See docs/ledger.md.",
    ]
