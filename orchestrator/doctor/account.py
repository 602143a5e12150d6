"""The checks of the account: where its keys come from, and each read that a run needs, region by region."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import anyio

from orchestrator.cloud.port import Cloud
from orchestrator.core.apis import api_of
from orchestrator.core.diagnosis import Finding, fail, ok, warn
from orchestrator.core.messages import List, Listed, Survey, Surveyed, Unanswered
from orchestrator.core.model import Region, Resource
from orchestrator.core.reasons import MEANINGS, THROTTLES, Nature, Reason
from orchestrator.errors import OrchestratorError
from orchestrator.settings.credentials import ACCESS_KEY, SECRET_KEY, SESSION_TOKEN, Credentials

CREDENTIALS, READS = "credentials", "reads"
_RETRIES, _PAUSE_S = 2, 1.0
_FINAL = (Nature.CREDENTIALS, Nature.CONFIGURATION, Nature.ROUTE_PERMANENT)


@dataclass(slots=True)
class Answers:
    """What the regions answered. `refused` tells that the keys themselves were: no more is asked then."""

    findings: list[Finding] = field(default_factory=list)
    listed: set[Region] = field(default_factory=set)
    quotas: dict[tuple[Region, Resource], Surveyed] = field(default_factory=dict)
    refused: bool = False


def credential_findings(
    load: Callable[[Callable[[str], None]], Credentials], environ: Mapping[str, str], profile: str | None
) -> tuple[list[Finding], Credentials | None]:
    """Load the credentials and say where they came from; no value of theirs is shown.

    `load` is given whom to warn. Its warnings end in the command that mends what they are about.
    """
    warnings: list[str] = []
    try:
        credentials = load(warnings.append)
    except OrchestratorError as error:
        return [fail(CREDENTIALS, str(error), "docs/settings.md tells how credentials are given.")], None
    kind = "temporary keys" if credentials.session_token else "keys"
    found = [ok(CREDENTIALS, f"{kind} from {_source(environ, profile)}")]
    return found + [_warning(text) for text in warnings], credentials


def _warning(text: str) -> Finding:
    """Part a warning into what was found and the command after `run:`."""
    found, _, command = text.partition("; run: ")
    return warn(CREDENTIALS, found, command)


def _source(environ: Mapping[str, str], profile: str | None) -> str:
    """Name the profile or the variables that the keys were read from."""
    if profile is not None:
        return f"the profile {profile!r} in ~/.jdc/config"
    names = (ACCESS_KEY, SECRET_KEY, SESSION_TOKEN)
    given = [name if environ.get(name) else f"{name}_FILE" for name in names]
    return ", ".join(name for name in given if environ.get(name))


async def try_reads(cloud: Cloud, regions: tuple[Region, ...], destinations: frozenset[Region]) -> Answers:
    """Try describeImages in every region, and both quotas where copies go to."""
    answers = Answers()
    for region in regions:
        if not answers.refused:
            await _try_region(cloud, region, answers, with_quotas=region in destinations)
    return answers


async def _try_region(cloud: Cloud, region: Region, answers: Answers, *, with_quotas: bool) -> None:
    """Try the reads of one region, and say which work, or what is wrong with each that does not."""
    asks: list[List | Survey] = [List(region, 1)]
    asks += [Survey(region, resource) for resource in Resource] if with_quotas else []
    worked: list[str] = []
    for ask in asks:
        answer = await _answer(cloud, ask)
        if isinstance(answer, Unanswered):
            answers.findings.append(_failed(ask, answer))
            answers.refused = _refuses_keys(answer)
            if answers.refused:
                return
            continue
        worked.append(api_of(ask))
        if isinstance(answer, Surveyed):
            answers.quotas[region, answer.resource] = answer
        else:
            answers.listed.add(region)
    if worked:
        answers.findings.append(ok(READS, f"{', '.join(worked)} answered", where=region))


async def _answer(cloud: Cloud, ask: List | Survey) -> Listed | Surveyed | Unanswered:
    """Ask; again after a pause where that may help."""
    for _ in range(_RETRIES):
        answer = await _ask(cloud, ask)
        if not isinstance(answer, Unanswered) or MEANINGS[answer.reason].nature in _FINAL:
            return answer
        await anyio.sleep(_PAUSE_S)
    return await _ask(cloud, ask)


async def _ask(cloud: Cloud, ask: List | Survey) -> Listed | Surveyed | Unanswered:
    """Send one read."""
    return await (cloud.list(ask) if isinstance(ask, List) else cloud.survey(ask))


def _forbids(answer: Unanswered) -> bool:
    """Tell a key that may not do this one thing (403) from one that may do nothing (401)."""
    return answer.reason is Reason.CREDENTIALS and answer.detail.startswith("403")


def _refuses_keys(answer: Unanswered) -> bool:
    return answer.reason is Reason.CREDENTIALS and not _forbids(answer)


def _failed(ask: List | Survey, answer: Unanswered) -> Finding:
    """Say what is wrong with one read, and what mends it."""
    api, meaning, where = api_of(ask), MEANINGS[answer.reason], ask.region
    service = "disk" if isinstance(ask, Survey) and ask.resource is Resource.SNAPSHOT else "vm"
    said = f" ({answer.detail})" if answer.detail else ""
    if _forbids(answer):
        mend = f"Allow the sub-account the action {api} of the service {service} (IAM console)."
        return fail(READS, f"no permission for {api} of the service {service}{said}", mend, where=where)
    if answer.reason is Reason.CREDENTIALS:
        mend = "Check access key and secret, and this machine's clock."
        return fail(CREDENTIALS, f"the cloud refused them at {api}{said}", mend, where=where)
    mend = meaning.advice[:1].upper() + meaning.advice[1:] + "." if meaning.advice else "Look again later."
    found = f"{api}: {meaning.says}{said}"
    if meaning.nature in THROTTLES:
        return warn(READS, found, "Look again later, or lower REQUESTS_PER_MINUTE.", where=where)
    return fail(READS, found, mend, where=where)
