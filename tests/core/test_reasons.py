"""Reasons: every code has a meaning, and refusals have the nature that the API's own table demands."""

from __future__ import annotations

import re

import pytest

from orchestrator.core.reasons import MEANINGS, Nature, Reason

DEMANDED = {
    # the rows of the copyImages page
    Reason.INVALID_REGION: Nature.ROUTE_PERMANENT,
    Reason.LOCAL_DISK: Nature.IMAGE_PERMANENT,
    Reason.SOURCE_PENDING: Nature.IMAGE_TRANSIENT,
    Reason.SOURCE_STATUS: Nature.IMAGE_PERMANENT,
    Reason.NOT_PRIVATE: Nature.IMAGE_PERMANENT,
    Reason.CONFLICT: Nature.IMAGE_TRANSIENT,
    Reason.BUSY: Nature.IMAGE_TRANSIENT,
    Reason.ENCRYPTED: Nature.IMAGE_PERMANENT,
    Reason.QUOTA_IMAGE: Nature.QUOTA,
    Reason.QUOTA_SNAPSHOT: Nature.QUOTA,
    Reason.NOT_FOUND: Nature.IMAGE_PERMANENT,
    # the gateway's
    Reason.CREDENTIALS: Nature.CREDENTIALS,
    Reason.CONFIGURATION: Nature.CONFIGURATION,
    Reason.THROTTLED: Nature.THROTTLE,
    Reason.API_THROTTLED: Nature.API_THROTTLE,
    Reason.MARK_REFUSED: Nature.MARK,
    Reason.UNEXPLAINED: Nature.UNEXPLAINED,
    Reason.UNREACHABLE: Nature.NOT_SENT,
    # a call whose outcome nobody knows
    Reason.TIMEOUT: Nature.DOUBT,
    Reason.DISCONNECTED: Nature.DOUBT,
    Reason.SERVER_ERROR: Nature.DOUBT,
    Reason.REDIRECTED: Nature.DOUBT,
    Reason.UNREADABLE: Nature.DOUBT,
    Reason.OVERSIZED: Nature.DOUBT,
    Reason.INCOMPLETE: Nature.DOUBT,
    Reason.INTERRUPTED: Nature.DOUBT,
}
FOREVER = {
    "queued", "called", "accepted", "adopted", "copied", "confirmed",
    "deleted", "absent", "busy", "conflict", "source-pending", "quota-image",
    "quota-snapshot", "throttled", "not-found", "local-disk", "source-status", "not-private",
    "encrypted", "invalid-region", "credentials", "configuration", "mark-refused", "unexplained",
    "unreachable", "timeout", "disconnected", "server-error", "redirected", "unreadable",
    "oversized", "incomplete", "interrupted", "needs-person", "copy-error", "vanished",
    "copy-timeout", "unconfirmed", "attempts",
}  # fmt: skip
"""Codes that ledgers and scripts out there hold already."""


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_a_meaning(reason: Reason) -> None:
    """A nature, and a sentence for people that needs no other to be understood."""
    meaning = MEANINGS[reason]
    assert isinstance(meaning.nature, Nature)
    assert meaning.says
    assert not meaning.says.endswith(".")


@pytest.mark.parametrize(("reason", "nature"), DEMANDED.items())
def test_a_refusal_has_the_nature_that_the_apis_table_demands(reason: Reason, nature: Nature) -> None:
    """Only the nature decides what happens next, so this table decides the night."""
    assert MEANINGS[reason].nature is nature


@pytest.mark.parametrize("reason", list(Reason))
def test_a_code_is_a_word_that_can_stand_anywhere(reason: Reason) -> None:
    """Lower case and dashes; the name in the code is the same word."""
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", reason.value)
    assert reason.name == reason.value.replace("-", "_").upper()


def test_codes_are_forever() -> None:
    """None of those in use is renamed or dropped; new ones may be added."""
    assert {reason.value for reason in Reason} >= FOREVER


@pytest.mark.parametrize(
    "reason",
    [
        r
        for r in Reason
        if MEANINGS[r].nature
        in (
            Nature.IMAGE_PERMANENT,
            Nature.ROUTE_PERMANENT,
            Nature.QUOTA,
            Nature.CREDENTIALS,
            Nature.CONFIGURATION,
            Nature.END,
        )
    ],
)
def test_what_ends_a_copy_says_what_to_do(reason: Reason) -> None:
    """A person reads it in the morning: each such reason comes with an advice."""
    assert MEANINGS[reason].advice


def test_no_two_reasons_say_the_same() -> None:
    """Each sentence tells one thing."""
    assert len({meaning.says for meaning in MEANINGS.values()}) == len(MEANINGS)
