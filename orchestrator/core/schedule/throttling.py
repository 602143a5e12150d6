"""What each answer says of the rate at which the cloud takes requests. It says nothing of any copy."""

from __future__ import annotations

from orchestrator.core.apis import APIS_OF_READ, COPY_IMAGES, DESCRIBE_IMAGE, DESCRIBE_IMAGES, quota_api
from orchestrator.core.messages import (
    Accepted,
    Checked,
    Event,
    Inspected,
    Listed,
    Lost,
    Refused,
    Seen,
    Surveyed,
    Unanswered,
)
from orchestrator.core.reasons import MEANINGS, THROTTLES, Nature
from orchestrator.core.schedule.register import EVERY_API, Register


def heard(register: Register, event: Event) -> None:
    """Count an answer as a request that went through, or learn from a throttle how many do."""
    api = None if register.replays else _api(event)
    if api is None:
        return
    allowances, nature = register.pace.allowances, _nature(event)
    if nature in THROTTLES:
        alone, again = nature is Nature.API_THROTTLE, _again(register, api, nature)
        allowances.refused(api, register.now, alone=alone, again=again)
    elif nature is Nature.NOT_SENT:
        allowances.unsent(api)
    elif nature is Nature.DOUBT:
        allowances.lost(api, register.now)
    else:
        allowances.took(api, register.now)


def relief_at(register: Register, event: Refused | Unanswered, jitter: float) -> float:
    """Return when a request is taken again after this throttle, as far as that is known; else when it came.

    Others may send with the same key, and wait for the same moment: chance parts them.
    """
    api, nature = _api(event), _nature(event)
    if api is None or nature not in THROTTLES:
        return event.at
    alone, again = nature is Nature.API_THROTTLE, _again(register, api, nature)
    at = register.pace.allowances.relief_at(api, event.at, alone=alone, again=again)
    return at + jitter * register.limits.backoff_initial_s if at > event.at else at


def _again(register: Register, api: str, nature: Nature) -> bool:
    """Tell whether a throttle comes after the pause of the one before, not of the same moment."""
    return register.pauses.get(api if nature is Nature.API_THROTTLE else EVERY_API, 0.0) <= register.now


def _nature(event: Event) -> Nature:
    """Return what an answer is about."""
    return MEANINGS[event.reason].nature if isinstance(event, Refused | Unanswered | Lost) else Nature.NORMAL


def _api(event: Event) -> str | None:
    """Name the API that gave an answer; None for what is none."""
    match event:
        case Seen() | Listed() | Inspected():
            return DESCRIBE_IMAGES
        case Accepted() | Refused() | Lost():
            return COPY_IMAGES
        case Unanswered():
            return APIS_OF_READ[event.read][0]
        case Surveyed():
            return quota_api(event.resource)
        case Checked():
            return DESCRIBE_IMAGE
        case _:
            return None
