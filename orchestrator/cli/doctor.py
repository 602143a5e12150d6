"""`orchestrator doctor`: every check in one go. Options in, findings out; nothing is written anywhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.options import overrides_of, read_plan, settings_of, settings_options
from orchestrator.errors import SettingsError

if TYPE_CHECKING:
    from orchestrator.core.diagnosis import Finding


@click.command()
@click.argument("plan", required=False)
@click.option("--profile", metavar="NAME", help="Credentials of a profile in ~/.jdc/config.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@settings_options
def doctor(
    plan: str | None, profile: str | None, as_json: bool, config: Path | None, state_dir: str | None,
    settings: tuple[str, ...],
) -> int:  # fmt: skip
    """Check settings, state folder, ledger, credentials, network, clock, quotas and copies.

    With PLAN also its regions, its source images and the room for what it still needs. Sends
    reads only and writes nothing. Exits 0 when nothing fails and 3 when something does.
    """
    from orchestrator.core.diagnosis import exit_code
    from orchestrator.watch.doctor_view import doctor_json, doctor_lines

    findings = _examine(plan, profile, config, state_dir, settings)
    for line in [doctor_json(findings)] if as_json else doctor_lines(findings):
        click.echo(line)
    return exit_code(findings)


def _examine(
    plan: str | None, profile: str | None, config: Path | None, state_dir: str | None, pairs: tuple[str, ...]
) -> tuple[Finding, ...]:
    """Examine; settings that cannot be used are the only finding then."""
    import anyio

    from orchestrator.core.diagnosis import fail
    from orchestrator.doctor.examine import SETTINGS, Patient, examine
    from orchestrator.settings.credentials import load_credentials
    from orchestrator.settings.origins import origins

    try:
        loaded = settings_of(config, state_dir, pairs)
    except SettingsError as error:
        return (fail(SETTINGS, str(error), "Mend the places that are named."),)
    environ, home = os.environ, Path.home()
    overrides = overrides_of(state_dir, pairs)
    patient = Patient(
        settings=loaded,
        places=origins(environ=environ, cwd=Path.cwd(), home=home, config=config, overrides=overrides),
        load=lambda warn: load_credentials(environ=environ, home=home, profile=profile, warn=warn),
        plan=read_plan(plan, loaded) if plan else None,
        profile=profile,
    )
    return anyio.run(examine, patient)
