"""What the verbs share: options that choose settings, reading a plan, finding the state folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from orchestrator.errors import PlanError, SettingsError, UsageError

if TYPE_CHECKING:
    from orchestrator.core.plan import Plan
    from orchestrator.core.saved import SavedPlan
    from orchestrator.settings import Settings

Verb = TypeVar("Verb", bound=Callable[..., object])

_SETTINGS_OPTIONS = (
    click.option("--config", type=click.Path(path_type=Path), help="Settings file (TOML) to use instead."),
    click.option("--state-dir", help="Folder of ledger, lock and logs."),
    click.option(
        "--set", "settings", metavar="NAME=VALUE", multiple=True,
        help="Set any setting, for example --set workers=8 --set poll_interval=10s (docs/settings.md).",
    ),
)  # fmt: skip

SIMULATED = "simulated"
"""The folder below STATE_DIR that simulated runs have for themselves."""

simulate_option = click.option(
    "--simulate", is_flag=True, help="Look at the built-in simulator's runs, not at real ones."
)


def settings_options(verb: Verb) -> Verb:
    """Add the options that choose settings to a verb."""
    for option in reversed(_SETTINGS_OPTIONS):
        verb = option(verb)
    return verb


def settings_of(config: Path | None, state_dir: str | None, pairs: tuple[str, ...]) -> Settings:
    """Load the settings as the options say; raises SettingsError."""
    from orchestrator.settings import load_settings

    overrides = overrides_of(state_dir, pairs)
    environ: Mapping[str, str] = os.environ
    return load_settings(
        environ=environ, cwd=Path.cwd(), home=Path.home(), config=config, overrides=overrides
    )


def overrides_of(state_dir: str | None, pairs: tuple[str, ...]) -> dict[str, object]:
    """Take the settings that options give, by field name; raises SettingsError."""
    overrides: dict[str, object] = {"state_dir": state_dir} if state_dir else {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise SettingsError(f"--set {pair}: not NAME=VALUE. For example --set workers=8.")
        overrides[name.strip().lower()] = value.strip()
    return overrides


def state_folder(settings: Settings, *, simulate: bool) -> Path:
    """Return the state folder of real or of simulated runs."""
    return settings.state_dir / SIMULATED if simulate else settings.state_dir


def duration_of(option: str, text: str) -> float:
    """Read a duration that an option was given, in seconds; raises UsageError."""
    from orchestrator.settings.durations import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None


def warn(message: str) -> None:
    """Show a warning."""
    from orchestrator.watch.text import neutral

    click.echo(neutral(f"warning: {message}"), err=True)


def read_plan(path: str, settings: Settings) -> Plan:
    """Read and check a plan file, `-` for standard input; raises PlanError."""
    from orchestrator.core.plan import PLAN_BYTES_MAX, load_plan

    read_list = partial(_read_list, Path(path).parent)
    return load_plan(_read(path, PLAN_BYTES_MAX + 1), path, regions=settings.regions(), read_list=read_list)


def read_saved(path: str | None) -> SavedPlan | None:
    """Read a saved plan; None where the file is none. Raises UsageError for one that was changed.

    Only a regular file is looked into: what a pipe gives, it gives once, to whoever reads the plan.
    """
    if path is None or not os.path.isfile(path):
        return None
    try:
        with open(path, "rb") as file:
            head = file.read(100)
            from orchestrator.watch.plan_file import is_saved, saved_from_json

            return saved_from_json(head + file.read(), path) if is_saved(head) else None
    except OSError:
        return None  # whoever reads it as a plan says so


def _read(path: str, most: int) -> bytes:
    """Read a plan, not much more of it than may be read."""
    try:
        if path == "-":
            return sys.stdin.buffer.read(most)
        with open(path, "rb") as file:
            return file.read(most)
    except OSError as error:
        raise PlanError((f"{path}:1:1: cannot be read: {error.strerror}. Name a plan file.",)) from None


def _read_list(folder: Path, name: str) -> bytes:
    """Read an image list; its path is relative to the plan."""
    from orchestrator.core.plan import LIST_BYTES_MAX

    with open(folder / name, "rb") as file:
        return file.read(LIST_BYTES_MAX + 1)
