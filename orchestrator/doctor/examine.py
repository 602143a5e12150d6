"""One examination: every check in the order in which one depends on another. It sends reads only."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.cloud.access import Access
from orchestrator.cloud.http import tls_context
from orchestrator.cloud.inventory import Inventory
from orchestrator.cloud.jdcloud import JdCloud
from orchestrator.cloud.port import Cloud
from orchestrator.core.diagnosis import Finding, Level, fail, ok, warn
from orchestrator.core.model import Copy, ImageId, Region, Resource, Sighting
from orchestrator.core.plan import Plan
from orchestrator.core.schedule import Schedule
from orchestrator.core.schedule.heritage import copy_images
from orchestrator.doctor.account import READS, Answers, credential_findings, try_reads
from orchestrator.doctor.copies import Needs, orphan_findings, room_finding, shelf_of, source_findings
from orchestrator.doctor.folder import folder_findings
from orchestrator.doctor.ledger import ledger_findings
from orchestrator.doctor.network import Clocks, endpoint_findings
from orchestrator.errors import OrchestratorError, SettingsError
from orchestrator.machine import Machine
from orchestrator.reach import access_for
from orchestrator.runs.selecting import resolved_plan
from orchestrator.settings import Settings
from orchestrator.settings.credentials import Credentials
from orchestrator.settings.secret import Secret

SETTINGS = "settings"
_NOBODY = Credentials("", Secret(""))
"""Signs nothing: the endpoints are tried without a request."""

_MOUNTS = Path("/proc/self/mountinfo")


def mounts_of_this_machine() -> str:
    """Read which file systems lie where; nothing where the system does not tell."""
    try:
        return _MOUNTS.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """What is examined. `places` tell where each setting that was given came from; `load` reads the keys.

    It is given whom to warn.
    """

    settings: Settings
    places: Mapping[str, str]
    load: Callable[[Callable[[str], None]], Credentials]
    plan: Plan | None = None
    profile: str | None = None
    machine: Machine = field(default_factory=Machine)
    mounts: str = field(default_factory=mounts_of_this_machine)


async def examine(patient: Patient) -> tuple[Finding, ...]:
    """Make every check that can be made; what stops one is its finding, never an exception."""
    settings = patient.settings
    findings = [settings_finding(settings, patient.places)]
    findings += folder_findings(settings.state_dir, patient.mounts)
    found, schedule = ledger_findings(settings.state_dir, settings.limits(), settings.vm_endpoint)
    findings += found
    found, credentials = credential_findings(patient.load, patient.machine.environ, patient.profile)
    findings += found
    clocks = Clocks(patient.machine.wall)
    access = access_for(settings, credentials or _NOBODY, patient.machine, hear_date=clocks.hear)
    try:
        context = tls_context(access)
    except SettingsError as error:
        return (*findings, fail(SETTINGS, str(error), "Mend CA_FILE."))
    ways = await _endpoints(access, context)
    findings += ways
    if credentials is None or ways[0].level is Level.FAIL:  # whatever is asked there would fail alike
        return tuple(findings)
    async with JdCloud(access) as cloud:
        remote = await _remote(cloud, patient, schedule)
    return (*findings, clocks.finding(), *remote)


def settings_finding(settings: Settings, places: Mapping[str, str]) -> Finding:
    """Say which settings are not left at their defaults, and where each came from; no secret is shown."""
    given = [f"{name.upper()}={getattr(settings, name)} ({place})" for name, place in places.items()]
    return ok(
        SETTINGS, f"given: {', '.join(given)}; all others are defaults" if given else "all are defaults"
    )


async def _endpoints(access: Access, context: ssl.SSLContext | None) -> list[Finding]:
    """Try the way to both services, that of the images first."""
    endpoints = (access.vm_endpoint, access.disk_endpoint)
    return await endpoint_findings(endpoints, context, proxied=access.proxy is not None)


async def _remote(cloud: Cloud, patient: Patient, schedule: Schedule | None) -> list[Finding]:
    """Try the reads; look at what the destinations hold where they work."""
    inventory = Inventory(cloud, patient.machine.chance.random)
    copies, findings = await _copies(inventory, patient, schedule)
    regions, destinations = _regions(copies, schedule, patient.settings.regions())
    answers = await try_reads(cloud, regions, destinations)
    findings += answers.findings
    needs = await _needs(inventory, copies, answers, findings)
    findings += source_findings(needs, _within(answers.listed, {copy.origin for copy in copies}))
    for region in _within(answers.listed, destinations):
        try:
            listing = await inventory.images(region)
        except OrchestratorError as error:
            findings.append(fail(READS, str(error), "Look again later.", where=region))
        else:
            findings += _held(region, listing, answers, needs, schedule)
    return findings


async def _copies(
    inventory: Inventory, patient: Patient, schedule: Schedule | None
) -> tuple[tuple[Copy, ...], list[Finding]]:
    """Name the copies of the plan; what its selectors cannot be resolved to is a finding."""
    if patient.plan is None:
        return (), []
    known = copy_images(schedule.register) if schedule is not None else frozenset()
    try:
        found = await resolved_plan(patient.plan, inventory, now=patient.machine.wall(), copies=known)
    except OrchestratorError as error:
        return patient.plan.copies(), [fail(READS, str(error), "Mend the plan, or look again later.")]
    said = found.resolved.warnings()
    warnings = [warn(READS, text, "Mend the selector in the plan.") for text in said]
    return found.resolved.plan.copies(), warnings


def _held(
    region: Region,
    listing: tuple[Sighting, ...],
    answers: Answers,
    needs: Needs,
    schedule: Schedule | None,
) -> list[Finding]:
    """Judge what one destination holds."""
    shelf = shelf_of(schedule, region)
    known = [answers.quotas.get((region, resource)) for resource in Resource]
    quotas = [quota for quota in known if quota is not None]
    room = [room_finding(region, quotas, needs, shelf, listing)] if quotas else []
    return [*room, *orphan_findings(region, shelf, listing)]


def _regions(
    copies: tuple[Copy, ...], schedule: Schedule | None, others: frozenset[Region]
) -> tuple[tuple[Region, ...], frozenset[Region]]:
    """Choose the regions to look at, and those that copies go to: the plan's, the ledger's, or `others`."""
    if not copies and schedule is not None:
        copies = tuple(schedule.register.tracks)
    if not copies:
        return tuple(sorted(others)), others
    destinations = frozenset(copy.destination for copy in copies)
    known = frozenset(schedule.register.destinations) if schedule else frozenset()
    ordered = dict.fromkeys(region for copy in copies for region in (copy.origin, copy.destination))
    return (*ordered, *sorted(known - set(ordered))), destinations | known


async def _needs(
    inventory: Inventory, copies: tuple[Copy, ...], answers: Answers, findings: list[Finding]
) -> Needs:
    """Describe the plan's source images, where their region can be read."""
    sources: dict[tuple[Region, ImageId], Sighting] = {}
    for region in _within(answers.listed, {copy.origin for copy in copies}):
        images = tuple(dict.fromkeys(copy.source for copy in copies if copy.origin == region))
        try:
            seen = await inventory.sources(region, images)
        except OrchestratorError as error:
            answers.listed.discard(region)
            findings.append(fail(READS, str(error), "Look again later.", where=region))
        else:
            sources |= {(region, image): sighting for image, sighting in seen.items()}
    return Needs(copies=copies, sources=sources)


def _within(listed: set[Region], wanted: set[Region] | frozenset[Region]) -> list[Region]:
    """Name the wanted regions that could be read, in order."""
    return sorted(listed & wanted)
