"""How long a refusal, or a read without an answer, keeps whoever it is about from trying again.

Nothing here draws chance or moves a copy: jitter comes in as a number, and the time goes into the event.
"""

from __future__ import annotations

from dataclasses import replace

from orchestrator.core.apis import APIS_OF_READ, COPY_IMAGES
from orchestrator.core.messages import Event, Refused, Unanswered
from orchestrator.core.reasons import MEANINGS, THROTTLES, Nature
from orchestrator.core.schedule.backoff import delay_s
from orchestrator.core.schedule.register import Register
from orchestrator.core.schedule.throttling import relief_at


def timed(register: Register, event: Event, jitter: float) -> Event:
    """Fill in when a refusal or an unanswered read may be tried again; `jitter` is in [0, 1)."""
    if isinstance(event, Refused):
        pause_s = _after_refusal_s(register, event, jitter)
    elif isinstance(event, Unanswered):
        pause_s = _backoff_s(register, _failures(register, event), jitter)
    else:
        return event
    return replace(event, until=max(event.at + pause_s, relief_at(register, event, jitter)))


def _backoff_s(register: Register, attempt: int, jitter: float) -> float:
    """Return the pause after so many failures in a row, from 0."""
    limits = register.limits
    return delay_s(attempt, initial_s=limits.backoff_initial_s, max_s=limits.backoff_max_s, jitter=jitter)


def _failures(register: Register, event: Unanswered) -> int:
    """Return how often in a row this read has failed, or its API was throttled."""
    if MEANINGS[event.reason].nature in THROTTLES:
        return register.throttles[APIS_OF_READ[event.read][0]]
    if event.read == "inspect":
        return register.inspect_failures[event.region]
    return register.destination(event.region).failures[event.read]


def _after_refusal_s(register: Register, event: Refused, jitter: float) -> float:
    """Return the seconds that a refusal costs whoever it is about."""
    tracks = register.calls.get(event.call, ())
    match MEANINGS[event.reason].nature:
        case Nature.QUOTA:
            return register.limits.quota_interval_s
        case Nature.THROTTLE | Nature.API_THROTTLE:
            return _backoff_s(register, register.throttles[COPY_IMAGES], jitter)
        case Nature.IMAGE_TRANSIENT:
            return _backoff_s(register, max((t.carrier.tries for t in tracks), default=0), jitter)
        case Nature.UNEXPLAINED | Nature.NOT_SENT:
            return _backoff_s(register, max((t.attempts for t in tracks), default=0), jitter)
        case _:
            return 0.0
