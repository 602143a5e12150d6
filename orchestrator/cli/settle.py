"""`orchestrator settle`: a person says whether a doubtful copy was made."""

from __future__ import annotations

from pathlib import Path

import click

from orchestrator.cli.options import settings_of, settings_options, simulate_option, state_folder


@click.command()
@click.argument("image")
@click.argument("region")
@click.option("--made/--not-made", default=None, required=True, help="Whether the copy exists in REGION.")
@click.option("--as", "found", metavar="IMAGE", help="The copy's own image id, if you know it.")
@simulate_option
@settings_options
def settle(
    image: str, region: str, made: bool, found: str | None, simulate: bool, config: Path | None,
    state_dir: str | None, settings: tuple[str, ...],
) -> None:  # fmt: skip
    """Say whether the lost call for source IMAGE made its copy in REGION.

    For copies that `status` shows as needing a person: nothing in the cloud tells whose copy an
    image is, so the program never sends such a call again by itself. --not-made lets the next
    run send it.
    """
    from orchestrator.core.model import ImageId, Region
    from orchestrator.ledger.folder import prepare_folder
    from orchestrator.machine import Machine
    from orchestrator.runs.settling import settle as write

    folder = prepare_folder(state_folder(settings_of(config, state_dir, settings), simulate=simulate))
    known = ImageId(found) if found else None
    copy = write(folder, ImageId(image), Region(region), made=made, found=known, machine=Machine())
    word = "was made" if made else "was not made; the next run makes it"
    click.echo(f"{copy.source} from {copy.origin} to {copy.destination}: {word}")
