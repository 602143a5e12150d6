"""Why a copy stands where it stands: every stable reason code, its nature, and the advice for people.

Only the nature decides what happens to the copies; the code is for people and for machines that
read the log, the report and `--json`. Codes are forever: they are never renamed, only added.
"""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import NamedTuple


class Nature(Enum):
    """The class of an answer: what the schedule does about it."""

    NORMAL = "normal"  # nothing to do about it
    IMAGE_PERMANENT = "permanent for the image"  # every copy of the image fails
    ROUTE_PERMANENT = "permanent for the route"  # every copy of the route fails
    IMAGE_TRANSIENT = "transient for the image"  # the image waits, its companions go on
    QUOTA = "quota"  # the destination is parked
    THROTTLE = "throttle"  # everything pauses
    API_THROTTLE = "throttle of one API"  # everything that asks this API pauses
    CREDENTIALS = "credentials"  # nothing more is submitted
    RENEWED = "keys renewed"  # surely nothing made, tried again with the new keys, no attempt
    CONFIGURATION = "configuration"  # the run stops
    MARK = "mark refused"  # the destination goes on without our mark
    UNEXPLAINED = "unexplained"  # surely nothing made, counts as an attempt
    NOT_SENT = "not sent"  # surely nothing made, counts as an attempt
    DOUBT = "unknown outcome"  # nobody knows; only a listing can tell
    END = "end of a copy"  # this copy fails for this run


class Reason(StrEnum):
    """The stable codes."""

    QUEUED = "queued"
    CALLED = "called"
    ACCEPTED = "accepted"
    ADOPTED = "adopted"
    COPIED = "copied"
    CONFIRMED = "confirmed"
    DELETED = "deleted"
    ABSENT = "absent"
    BUSY = "busy"
    CONFLICT = "conflict"
    SOURCE_PENDING = "source-pending"
    RELAY_REFUSED = "relay-refused"
    QUOTA_IMAGE = "quota-image"
    QUOTA_SNAPSHOT = "quota-snapshot"
    THROTTLED = "throttled"
    API_THROTTLED = "api-throttled"
    NOT_FOUND = "not-found"
    LOCAL_DISK = "local-disk"
    SOURCE_STATUS = "source-status"
    NOT_PRIVATE = "not-private"
    ENCRYPTED = "encrypted"
    INVALID_REGION = "invalid-region"
    CREDENTIALS = "credentials"
    KEYS_CHANGED = "keys-changed"
    CONFIGURATION = "configuration"
    OTHER_ACCOUNT = "other-account"
    MARK_REFUSED = "mark-refused"
    UNEXPLAINED = "unexplained"
    UNREACHABLE = "unreachable"
    STALE_INTENT = "stale-intent"
    TIMEOUT = "timeout"
    DISCONNECTED = "disconnected"
    SERVER_ERROR = "server-error"
    REDIRECTED = "redirected"
    UNREADABLE = "unreadable"
    OVERSIZED = "oversized"
    INCOMPLETE = "incomplete"
    INTERRUPTED = "interrupted"
    LEDGER_LOST = "ledger-lost"
    LOOKALIKE = "lookalike"
    NEEDS_PERSON = "needs-person"
    SETTLED = "settled"
    COPY_ERROR = "copy-error"
    VANISHED = "vanished"
    COPY_TIMEOUT = "copy-timeout"
    DUPLICATE = "duplicate"
    UNCONFIRMED = "unconfirmed"
    ATTEMPTS = "attempts"
    PRUNED = "pruned"
    LABELLED = "labelled"
    SHARED = "shared"
    PROTECTED = "protected"
    SUBMITS_OVER = "submits-over"


class Meaning(NamedTuple):
    """What a reason means: its nature, one sentence for people, and what to do (may be empty).

    `may_be_crowded`: a cloud that is asked for too many copies at a time might say this, for all
    that is documented.
    """

    nature: Nature
    says: str
    advice: str = ""
    may_be_crowded: bool = False


_N = Nature

MEANINGS: dict[Reason, Meaning] = {
    Reason.QUEUED: Meaning(_N.NORMAL, "waits for its turn"),
    Reason.CALLED: Meaning(_N.NORMAL, "its call is on the way"),
    Reason.ACCEPTED: Meaning(_N.NORMAL, "the cloud accepted the copy"),
    Reason.ADOPTED: Meaning(_N.NORMAL, "found in the destination and recognised as this copy"),
    Reason.COPIED: Meaning(_N.NORMAL, "copied and ready"),
    Reason.CONFIRMED: Meaning(_N.NORMAL, "was there already, confirmed by a listing"),
    Reason.DELETED: Meaning(_N.NORMAL, "somebody deleted the earlier copy; it is made again"),
    Reason.ABSENT: Meaning(_N.UNEXPLAINED, "a lost call turned out to have made nothing"),
    Reason.BUSY: Meaning(_N.IMAGE_TRANSIENT, "the source image is being copied or converted by another task"),
    Reason.CONFLICT: Meaning(
        _N.IMAGE_TRANSIENT, "another task of the cloud works on the image", may_be_crowded=True
    ),
    Reason.SOURCE_PENDING: Meaning(_N.IMAGE_TRANSIENT, "the source image is not ready yet"),
    Reason.RELAY_REFUSED: Meaning(
        _N.NORMAL, "the copy that was to carry it was refused; another one will, or the original"
    ),
    Reason.QUOTA_IMAGE: Meaning(
        _N.QUOTA,
        "the destination's image quota is used up",
        "delete images there or ask for a higher quota",
    ),
    Reason.QUOTA_SNAPSHOT: Meaning(
        _N.QUOTA,
        "the destination's snapshot quota is used up",
        "delete snapshots there or ask for a higher quota",
    ),
    Reason.THROTTLED: Meaning(_N.THROTTLE, "the cloud limits the rate of calls"),
    Reason.API_THROTTLED: Meaning(_N.API_THROTTLE, "the cloud limits the rate of calls to this API"),
    Reason.NOT_FOUND: Meaning(
        _N.IMAGE_PERMANENT,
        "the source image does not exist",
        "take it out of the plan or correct its id",
    ),
    Reason.LOCAL_DISK: Meaning(
        _N.IMAGE_PERMANENT,
        "only images with a cloud-disk system disk can be copied",
        "convert the image to a cloud-disk image",
    ),
    Reason.SOURCE_STATUS: Meaning(
        _N.IMAGE_PERMANENT,
        "the source image is broken or being deleted",
        "look at the source image in the console",
    ),
    Reason.NOT_PRIVATE: Meaning(
        _N.IMAGE_PERMANENT,
        "the source is not a private image of this account",
        "copy only private images",
    ),
    Reason.ENCRYPTED: Meaning(
        _N.IMAGE_PERMANENT,
        "images with encrypted snapshots cannot be copied",
        "make an unencrypted image or take it out of the plan",
    ),
    Reason.INVALID_REGION: Meaning(
        _N.ROUTE_PERMANENT,
        "the cloud refuses this pair of regions",
        "correct source or destinations in the plan",
    ),
    Reason.CREDENTIALS: Meaning(
        _N.CREDENTIALS,
        "the cloud refused the credentials",
        "check the access key, its secret, its permissions and the clock of this machine",
    ),
    Reason.KEYS_CHANGED: Meaning(_N.RENEWED, "the cloud refused the old keys; new ones are used from now on"),
    Reason.CONFIGURATION: Meaning(
        _N.CONFIGURATION,
        "the endpoint does not know this call",
        "check VM_ENDPOINT and DISK_ENDPOINT",
    ),
    Reason.OTHER_ACCOUNT: Meaning(
        _N.CONFIGURATION,
        "the images belong to another account than this ledger",
        "give each account a STATE_DIR of its own, or use the credentials of before",
    ),
    Reason.MARK_REFUSED: Meaning(_N.MARK, "the gateway does not take a description"),
    Reason.UNEXPLAINED: Meaning(
        _N.UNEXPLAINED, "refused for a reason that is not documented", may_be_crowded=True
    ),
    Reason.UNREACHABLE: Meaning(_N.NOT_SENT, "the endpoint could not be reached"),
    Reason.STALE_INTENT: Meaning(
        _N.NOT_SENT, "the program slept between the decision and the call, which was not sent any more"
    ),
    Reason.TIMEOUT: Meaning(_N.DOUBT, "no answer in time"),
    Reason.DISCONNECTED: Meaning(_N.DOUBT, "the connection broke before the answer"),
    Reason.SERVER_ERROR: Meaning(_N.DOUBT, "the cloud answered with a server error"),
    Reason.REDIRECTED: Meaning(_N.DOUBT, "the answer was a redirect, which is never followed"),
    Reason.UNREADABLE: Meaning(_N.DOUBT, "the answer could not be understood"),
    Reason.OVERSIZED: Meaning(_N.DOUBT, "the answer was too large to be read"),
    Reason.INCOMPLETE: Meaning(_N.DOUBT, "the answer left this image out"),
    Reason.INTERRUPTED: Meaning(_N.DOUBT, "the program ended between call and answer"),
    Reason.LEDGER_LOST: Meaning(
        _N.DOUBT,
        "the ledger was lost, and with it whether a call made this copy a moment ago",
        "nothing now: the next run looks for it and calls only when it is surely not there",
    ),
    Reason.LOOKALIKE: Meaning(
        _N.DOUBT, "the text of an image there names its source among others: perhaps this copy, made earlier"
    ),
    Reason.NEEDS_PERSON: Meaning(
        _N.DOUBT,
        "nothing in the cloud tells whether this copy was made, by a lost call or before this ledger began",
        "look whether it exists there, then say so with `orchestrator settle`",
    ),
    Reason.SETTLED: Meaning(_N.NORMAL, "a person looked and said whether the copy was made"),
    Reason.COPY_ERROR: Meaning(
        _N.END,
        "the copy ended in status error",
        "delete the broken image in the destination; the next run makes it again",
    ),
    Reason.VANISHED: Meaning(
        _N.END, "the copy disappeared while it was watched", "the next run makes it again"
    ),
    Reason.COPY_TIMEOUT: Meaning(
        _N.END,
        "it was not ready within COPY_TIMEOUT",
        "the next run goes on watching it; ask the cloud's support if it never ends",
    ),
    Reason.DUPLICATE: Meaning(
        _N.END,
        "the destination holds more than one live copy that we made of this image",
        "look at the images named and delete those that are not needed",
    ),
    Reason.UNCONFIRMED: Meaning(
        _N.END,
        "the destination's listing cannot be trusted: it shows fewer images than the quota counts",
        "let the account describe all private images of the destination",
    ),
    Reason.ATTEMPTS: Meaning(
        _N.END,
        "MAX_ATTEMPTS calls made nothing and gave no known reason",
        "see `orchestrator log` for the answers",
    ),
    Reason.PRUNED: Meaning(_N.NORMAL, "an old copy, deleted on purpose; it is not made again by itself"),
    Reason.LABELLED: Meaning(_N.NORMAL, "the copy has its name and description"),
    Reason.SHARED: Meaning(
        _N.IMAGE_PERMANENT,
        "the image is shared with other accounts and cannot be deleted",
        "unshare it in the console first",
    ),
    Reason.SUBMITS_OVER: Meaning(
        _N.NORMAL, "the time to send calls (--submit-until) is over; the next run goes on"
    ),
    Reason.PROTECTED: Meaning(
        _N.IMAGE_PERMANENT, "the cloud protects the image from deletion", "look at the image in the console"
    ),
}

THROTTLES = (Nature.THROTTLE, Nature.API_THROTTLE)
"""The two natures of a throttle: the gateway counts by access key and by API."""
