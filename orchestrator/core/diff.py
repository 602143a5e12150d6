"""What a run would do with each copy of a plan: the codes, what they mean, and the rows. It decides nothing.

Which code a copy gets is read off the schedule (`schedule.prospects`), so that it cannot say one
thing and a run do another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import NamedTuple

from orchestrator.core.model import Chunk, Copy, ImageId, Region, RunId, Sighting
from orchestrator.core.reasons import MEANINGS, Reason
from orchestrator.core.verdict import EXIT_INCOMPLETE, EXIT_OK

EXIT_ERROR = 1
EXIT_DIFFERS = 2


class Effect(Enum):
    """What a code means for the coming run."""

    STOPS = "not sent: somebody must do something first"
    DECIDES = "decided during the run: it looks, or asks the cloud, before or instead of making the copy"
    SENDS = "sent"
    FOLLOWS = "not sent: it is under way already, and the run waits until it is ready"
    DONE = "not sent: nothing is left to do"


class Code(StrEnum):
    """Stable words of `plan --json`. The first part tells the effect; each has its row in CODES."""

    COPY_MISSING = "copy-missing"
    RECOPY_DELETED = "recopy-deleted"
    RECOPY_ERROR = "recopy-error"
    SKIP_READY = "skip-ready"
    SKIP_PRUNED = "skip-pruned"
    ADOPT_READY = "adopt-ready"
    ADOPT_IN_PROGRESS = "adopt-in-progress"
    WATCH_ON = "watch-on"
    SETTLE_DOUBT = "settle-doubt"
    SETTLE_LOOKALIKE = "settle-lookalike"
    SETTLE_DELETING = "settle-deleting"
    WAIT_SOURCE = "wait-source"
    SOURCE_MISSING = "source-missing"
    UNREAD_SOURCE = "unread-source"
    UNREAD_REGION = "unread-region"
    NEEDS_PERSON = "needs-person"
    BLOCKED_STATUS = "blocked-status"
    BLOCKED_LOCAL_DISK = "blocked-local-disk"
    BLOCKED_ENCRYPTED = "blocked-encrypted"
    BLOCKED_NOT_PRIVATE = "blocked-not-private"
    BLOCKED_QUOTA = "blocked-quota"
    BLOCKED_ROUTE = "blocked-route"
    BLOCKED_BROKEN = "blocked-broken"
    BLOCKED_DUPLICATE = "blocked-duplicate"
    BLOCKED_UNCONFIRMED = "blocked-unconfirmed"
    BLOCKED_OTHER = "blocked-other"


class CodeMeaning(NamedTuple):
    """What a code means: its effect, one sentence for people, and what to do (may be empty)."""

    effect: Effect
    says: str
    advice: str = ""


def _blocked(reason: Reason) -> CodeMeaning:
    """Say of a blocked copy what the run will say of it."""
    return CodeMeaning(Effect.STOPS, MEANINGS[reason].says, MEANINGS[reason].advice)


CODES: dict[Code, CodeMeaning] = {
    Code.COPY_MISSING: CodeMeaning(Effect.SENDS, "not there yet"),
    Code.RECOPY_DELETED: CodeMeaning(Effect.SENDS, "somebody deleted the earlier copy; it is made again"),
    Code.RECOPY_ERROR: CodeMeaning(
        Effect.SENDS, "the earlier copy failed and its image is gone; it is made again"
    ),
    Code.SKIP_READY: CodeMeaning(Effect.DONE, "there already, and in the ledger"),
    Code.SKIP_PRUNED: CodeMeaning(Effect.DONE, "deleted by `prune`, and not wanted back"),
    Code.ADOPT_READY: CodeMeaning(
        Effect.DONE, "there already; the ledger does not know it yet, and takes it over"
    ),
    Code.ADOPT_IN_PROGRESS: CodeMeaning(
        Effect.FOLLOWS, "somebody else's call is making it; the run takes it over"
    ),
    Code.WATCH_ON: CodeMeaning(Effect.FOLLOWS, "under way already, and in the ledger"),
    Code.SETTLE_DOUBT: CodeMeaning(
        Effect.DECIDES,
        "an earlier call was lost; made again only when listings show for SETTLE_TIME that it made nothing",
    ),
    Code.SETTLE_LOOKALIKE: CodeMeaning(
        Effect.DECIDES,
        "an image there resembles it; made only when what the run sees tells that it is another",
    ),
    Code.SETTLE_DELETING: CodeMeaning(
        Effect.DECIDES, "the earlier copy is being deleted; made again when it is gone"
    ),
    Code.WAIT_SOURCE: CodeMeaning(
        Effect.DECIDES, "the source image is not ready yet; the run looks again until it is"
    ),
    Code.SOURCE_MISSING: CodeMeaning(
        Effect.DECIDES,
        "the source image is not shown: deleted, or hidden from this sub-user; one call by itself will tell",
        "take it out of the plan, correct its id, or let the account describe it",
    ),
    Code.UNREAD_SOURCE: CodeMeaning(
        Effect.DECIDES,
        "its source region gave no answer; the run tries longer",
        "plan again; `doctor` tells what answers",
    ),
    Code.UNREAD_REGION: CodeMeaning(
        Effect.DECIDES,
        "its destination gave no answer; the run tries longer and fails it if none comes",
        "plan again; `doctor` tells what answers",
    ),
    Code.NEEDS_PERSON: _blocked(Reason.NEEDS_PERSON),
    Code.BLOCKED_STATUS: _blocked(Reason.SOURCE_STATUS),
    Code.BLOCKED_LOCAL_DISK: _blocked(Reason.LOCAL_DISK),
    Code.BLOCKED_ENCRYPTED: _blocked(Reason.ENCRYPTED),
    Code.BLOCKED_NOT_PRIVATE: _blocked(Reason.NOT_PRIVATE),
    Code.BLOCKED_QUOTA: CodeMeaning(
        Effect.STOPS,
        "the destination's quotas have no room for it; deferred until there is",
        "delete what is not needed there or ask for a higher quota",
    ),
    Code.BLOCKED_ROUTE: _blocked(Reason.INVALID_REGION),
    Code.BLOCKED_BROKEN: _blocked(Reason.COPY_ERROR),
    Code.BLOCKED_DUPLICATE: _blocked(Reason.DUPLICATE),
    Code.BLOCKED_UNCONFIRMED: _blocked(Reason.UNCONFIRMED),
    Code.BLOCKED_OTHER: CodeMeaning(
        Effect.STOPS, "the run gives it up for the reason named", "see docs/reasons.md for the reason"
    ),
}


class Row(NamedTuple):
    """One wanted copy: what becomes of it. `detail` are the cloud's words or numbers, `image` the copy's."""

    copy: Copy
    code: Code
    detail: str = ""
    image: ImageId | None = None


@dataclass(frozen=True, slots=True)
class SourceLook:
    """One source as the preflight saw it; without a sighting it was not shown, or not `read` at all."""

    image: ImageId
    region: Region
    sighting: Sighting | None
    read: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What the copies that wait would take of a destination's quotas, and what is free there.

    `free_images` and `free_snapshots` are None where the quota could not be read; `fit` is how many of
    the copies find room, in the plan's order.
    """

    region: Region
    images: int
    snapshots: int
    free_images: int | None
    free_snapshots: int | None
    fit: int


class Basis(StrEnum):
    """What a forecast rests on; stable words of `plan --json`."""

    HISTORY = "history"  # each route was seen before
    OTHER_ROUTES = "other-routes"  # some were not: what others showed stands for them
    ASSUMED = "assumed"  # no copy was ever seen to end


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """What the run costs: the chunks as a preview, megabytes to move, seconds until all is ready.

    `unsized` of the copies have a source of unknown size, which is in none of the megabytes. The
    calls are as many as there are chunks; refusals and sources that are in use make them more.
    """

    chunks: tuple[Chunk, ...]
    moved_mb: int
    unsized: int
    takes_s: float
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """A plan against the cloud. `rows` are in the plan's order; `running` is a run that goes on meanwhile."""

    plan: str
    digest: str
    looked_at: float
    rows: tuple[Row, ...]
    sources: tuple[SourceLook, ...]
    needs: tuple[Need, ...]
    effort: Effort
    reads: Mapping[str, int] = field(default_factory=dict)
    running: RunId | None = None

    def counts(self) -> Counter[Code]:
        """Count the rows by code."""
        return Counter(row.code for row in self.rows)

    def having(self, *effects: Effect) -> tuple[Row, ...]:
        """Return the rows whose codes have one of these effects."""
        return tuple(row for row in self.rows if CODES[row.code].effect in effects)

    @property
    def unread(self) -> bool:
        """Tell whether a region that matters gave no answer, so that this is not the whole truth."""
        silent = any(row.code in (Code.UNREAD_REGION, Code.UNREAD_SOURCE) for row in self.rows)
        return silent or any(need.free_images is None or need.free_snapshots is None for need in self.needs)

    def exit_code(self, *, detailed: bool) -> int:
        """Return what the program ends with: 0, or 3 when a region gave no answer.

        `detailed` is as terraform has it: 0 every copy is there, 1 not all was read, 2 some are not there.
        """
        if self.unread:
            return EXIT_ERROR if detailed else EXIT_INCOMPLETE
        return EXIT_DIFFERS if detailed and len(self.having(Effect.DONE)) < len(self.rows) else EXIT_OK
