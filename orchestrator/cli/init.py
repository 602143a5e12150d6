"""`orchestrator init`: a plan, settings and cron lines to begin with, each explained by its comments."""

from __future__ import annotations

import json
import shutil
import sys
from importlib.resources import files
from pathlib import Path

import click

from orchestrator.errors import UsageError

_PLAN, _SCHEMA, _SETTINGS, _CRON = (
    "nightly.yaml",
    "plan.schema.json",
    "config/settings.toml",
    "orchestrator.cron",
)


@click.command()
@click.argument("folder", default=".", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Write over files that are there already.")
def init(folder: Path, force: bool) -> None:
    """Write a commented plan, its schema, the settings and the cron lines into FOLDER (here, if not given).

    Nothing that is there is written over without --force.
    """
    from orchestrator.watch.text import clean

    wanted = _texts(folder.absolute())
    there = [name for name in wanted if (folder / name).exists()]
    if there and not force:
        raise UsageError(f"{', '.join(there)} in {folder}: there already. Choose another folder, or --force.")
    for name, text in wanted.items():
        _write(folder / name, text)
        click.echo(f"wrote {clean(str(folder / name), 4096)}")
    plan = clean(str(folder / _PLAN), 4096)
    click.echo(f"next: orchestrator rehearse {plan}   (tonight on a simulated cloud, no account needed)")


def _texts(folder: Path) -> dict[str, str]:
    """Fill the starter files in: relative name -> text."""
    from orchestrator.core.plan.schema import plan_schema

    program = shutil.which(sys.argv[0]) or "orchestrator"
    places = {
        "@SCHEMA@": _SCHEMA,
        "@PLAN@": _PLAN,
        "@FOLDER@": str(folder),
        "@PROGRAM@": str(Path(program).absolute()),
        "@CRON@": _CRON,
    }
    return {
        _PLAN: _filled("nightly.yaml", places),
        _SCHEMA: json.dumps(plan_schema(), indent=2, ensure_ascii=False) + "\n",
        _SETTINGS: _filled("settings.toml", {}),
        _CRON: _filled("orchestrator.cron", places),
    }


def _filled(name: str, places: dict[str, str]) -> str:
    """Read a starter file and put the places in."""
    text = (files("orchestrator.cli") / "starter" / name).read_text(encoding="utf-8")
    for place, value in places.items():
        text = text.replace(place, value)
    return text


def _write(path: Path, text: str) -> None:
    """Write one file; its folder may be new."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror}). Choose another folder.") from None
