"""`orchestrator rehearse`: tonight on a simulated cloud, in seconds. Options in, words or JSON out."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.options import read_plan, settings_of, settings_options, warn
from orchestrator.errors import LedgerDamaged, LedgerUnwritable, UsageError

if TYPE_CHECKING:
    from orchestrator.core.model import ImageId
    from orchestrator.core.plan import Plan
    from orchestrator.core.rehearsed import Rehearsal
    from orchestrator.rehearsing.known import Live
    from orchestrator.rehearsing.rehearse import Wish
    from orchestrator.settings import Settings

_QUOTA = re.compile(r"([0-9]{1,7})/([0-9]{1,7})")


@click.command()
@click.argument("plan")
@click.option(
    "--weather",
    type=click.Choice(["clear", "throttled", "stormy"]),
    default="clear",
    show_default=True,
    help="How the simulated cloud behaves.",
)
@click.option("--quota", metavar="IMAGES/SNAPSHOTS", help="Room in every destination, for example 5/15.")
@click.option("--from-cloud", is_flag=True, help="Read images and quotas of the real regions first.")
@click.option("--profile", metavar="NAME", help="Credentials of a profile in ~/.jdc/config.")
@click.option("--seed", type=click.IntRange(min=0), metavar="N", help="Another night than the plan's own.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@settings_options
def rehearse(
    plan: str, weather: str, quota: str | None, from_cloud: bool, profile: str | None, seed: int | None,
    as_json: bool, config: Path | None, state_dir: str | None, settings: tuple[str, ...],
) -> int:  # fmt: skip
    """Play the night of PLAN on a simulated cloud, as fast as the machine can; nothing is sent or written.

    The same plan gives the same night. Durations are those that the ledger has seen, if there is
    one, else assumed. Exits 0 when every copy would be ready and 3 when not.
    """
    from orchestrator.rehearsing.rehearse import Wish
    from orchestrator.simulator.weather import Weather
    from orchestrator.watch.rehearsal_view import rehearsal_json, rehearsal_lines

    if quota is not None and from_cloud:
        raise UsageError("--quota goes without --from-cloud, which reads the real quotas. Leave one out.")
    loaded = settings_of(config, state_dir, settings)
    room = _room(quota) if quota is not None else None
    wish = Wish(plan=read_plan(plan, loaded), weather=Weather(weather), seed=seed, quota=room)
    played = _tonight(loaded, wish, profile) if from_cloud else _invented(loaded, wish)
    for line in [rehearsal_json(played)] if as_json else rehearsal_lines(played):
        click.echo(line)
    return played.exit_code


def _room(text: str) -> tuple[int, int]:
    """Read IMAGES/SNAPSHOTS."""
    found = _QUOTA.fullmatch(text)
    if found is None:
        raise UsageError(f"--quota {text:.40}: give two numbers, images and snapshots, such as 5/15.")
    return int(found[1]), int(found[2])


def _invented(settings: Settings, wish: Wish) -> Rehearsal:
    """Rehearse on an invented cloud; a ledger that cannot be read is passed over, and that is said."""
    from orchestrator.ledger.remembering import remembered
    from orchestrator.rehearsing.known import past_of
    from orchestrator.rehearsing.rehearse import rehearse

    try:
        known = remembered(settings.state_dir, settings.limits())
    except (LedgerDamaged, LedgerUnwritable) as error:
        warn(f"rehearsed without what the ledger knows: {error}")
        known = None
    return rehearse(wish, settings.limits(), past_of(known))


def _tonight(settings: Settings, wish: Wish, profile: str | None) -> Rehearsal:
    """Read the real regions, then rehearse on a copy of them."""
    from orchestrator.core.schedule.heritage import copy_images
    from orchestrator.ledger.remembering import remembered
    from orchestrator.rehearsing.known import past_of
    from orchestrator.rehearsing.rehearse import rehearse_tonight

    known = remembered(settings.state_dir, settings.limits(), endpoint=settings.vm_endpoint)
    past = past_of(known)
    plan, live = _look(settings, wish.plan, profile, copy_images(known.register) if known else frozenset())
    wish = replace(wish, plan=plan)
    return rehearse_tonight(wish, settings.limits(), live, known, past, now=time.time())


def _look(
    settings: Settings, plan: Plan, profile: str | None, copies: frozenset[ImageId]
) -> tuple[Plan, Live]:
    """Resolve the plan and read what its regions hold, with signals heard."""
    import anyio

    from orchestrator.cli.credentials import credentials_of
    from orchestrator.cloud.inventory import Inventory
    from orchestrator.cloud.jdcloud import JdCloud
    from orchestrator.machine import Machine
    from orchestrator.reach import access_for
    from orchestrator.rehearsing.known import look
    from orchestrator.runs.selecting import resolved_plan

    credentials, _ = credentials_of(profile)

    async def work() -> tuple[Plan, Live]:
        machine = Machine()
        async with JdCloud(access_for(settings, credentials, machine)) as cloud:
            inventory = Inventory(cloud, machine.chance.random)
            found = await resolved_plan(plan, inventory, now=machine.wall(), copies=copies)
            return found.resolved.plan, await look(inventory, found.resolved.plan.copies())

    return anyio.run(work)
