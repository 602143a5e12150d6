"""The schedule's records: one per copy, per source image and per destination. Data, no decisions."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from math import inf

from orchestrator.core.messages import Refused
from orchestrator.core.model import (
    DOUBTFUL,
    FAILED,
    READY,
    CallId,
    Copy,
    ImageId,
    Region,
    Resource,
    Sighting,
    State,
)
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule.readings import Admission, Evidence, Listing, Park, Quota, Window, nobody
from orchestrator.core.schedule.vacating import Vacating

Route = tuple[Region, Region]
"""(origin, destination): what a call is addressed by."""

USUAL_MB = 8 * 1024
"""What an image counts whose size is not known."""


@dataclass(slots=True, eq=False)
class Suspects:
    """Sources of a call that was refused without a name; they travel only with each other.

    One `among` them is to blame for `refusal`; those `aside` were in the call too, but another part
    of it was refused again. `second` tells that they are refused for a second culprit, `one_by_one`
    that each is to be tried by itself.
    """

    among: tuple[Source, ...]
    aside: tuple[Source, ...] = ()
    refusal: Refused | None = None
    second: bool = False
    one_by_one: bool = False


@dataclass(slots=True, eq=False)
class Source:
    """One source image in its region: who holds its lock, what is known of it, its copies.

    `held` counts the copies under way (a listing may show more than the one that we allow);
    `holder` is the latest of them. `names` are all it ever had: a copy keeps the one of its day.
    `tries` counts transient refusals in a row. `shown` tells that this run's latest inspection
    showed it. A copy that carries others has a record too: `original` is that of the image that it
    is a copy of, whose copies it carries; it need have none of its own. `number` is its place among
    the sources that this run wants; `turn` the number of the destination whose turn it is; `freed_at`
    when its lock was opened; `finish` the part of the night in which its last copy is expected (see
    `horizon`).
    """

    image: ImageId
    origin: Region
    tracks: list[Track] = field(default_factory=list)
    held: int = 0
    holder: Track | None = None
    sighting: Sighting | None = None
    names: set[str] = field(default_factory=set)
    original: Source | None = None
    inspected: bool = False
    inspected_at: float = -inf
    number: int = -1
    turn: int = 0
    freed_at: float = 0.0
    finish: int | None = None
    shown: bool = False
    suspects: Suspects | None = None
    not_before: float = 0.0
    tries: int = 0
    busy_since: float | None = None

    def learn(self, sighting: Sighting) -> None:
        """Take over what an inspection shows; remember the name, by which its copies may be known."""
        self.sighting = sighting
        for record in (self, self.original):
            if sighting.name and record is not None:
                record.names.add(sighting.name)

    @property
    def locked(self) -> bool:
        """Tell whether it is being copied, as far as is known: it goes to one destination at a time."""
        return self.held > 0

    @property
    def snapshots(self) -> int:
        """How many snapshots a copy takes in the destination: one per disk, at least one."""
        return (len(self.sighting.snapshots) or 1) if self.sighting else 1

    @property
    def size_mb(self) -> int:
        """How large it is; the usual size where the cloud does not say it."""
        return (self.sighting.size_mb if self.sighting else None) or USUAL_MB


@dataclass(slots=True, eq=False)
class Track:
    """Where one copy stands, and what its next step needs.

    `since` is when the present state began (for COPYING: within this run), `ready_at` when its image became
    ready; `attempts` counts calls that surely made nothing for no known reason, in this run; `answered` tells
    that an answer to our call named `image`; `marked` whether the latest call carried our mark; `lost_at` is
    set while a lost call is not accounted for, even when the copy was found; `lost_runs` counts the runs
    since; `asked` tells that an image that resembles it was asked about once; `unconfirmed` means that an
    earlier run's result is to be confirmed by a listing first. `deferred` tells that it has no place in its
    destination's quotas, `place` how many snapshots it was counted with for that (0 while it is not counted).
    `ends_at` is when it is expected to be ready, `looked_at` when it was last seen not to be. Of its entries
    in a pool only the one with its latest `ticket` counts. `carrier` is the image that its latest call sends,
    or of which its image was made: the original, or another copy of it; while the copy is under way it holds
    that one's lock. `relay` tells that this run may send another copy; `fit` whether this one's own image may
    carry others, None while this run has not seen it ready.
    """

    copy: Copy
    source: Source
    destination: Destination
    order: int
    state: State = State.WAITING
    reason: Reason = Reason.QUEUED
    detail: str = ""
    image: ImageId | None = None
    answered: bool = False
    call: CallId | None = None
    marked: bool = True
    lost_at: float | None = None
    lost_runs: int = 0
    asked: bool = False
    since: float = 0.0
    ready_at: float | None = None
    not_before: float = 0.0
    attempts: int = 0
    progress: int | None = None
    seen: bool = False
    taken_over: bool = False
    misses: int = 0
    absences: int = 0
    listings: int = 0
    wanted: bool = False
    unconfirmed: bool = False
    reserved: bool = False
    offered: bool = False
    ticket: int = 0
    ends_at: float = 0.0
    looked_at: float = 0.0
    deferred: bool = False
    place: int = 0
    relay: bool = False
    fit: bool | None = None
    carrier: Source = field(init=False)

    def __post_init__(self) -> None:
        """Let the original carry it, until another image does."""
        self.carrier = self.source

    @property
    def relayed(self) -> bool:
        """Tell whether another image than the original carries it, or did."""
        return self.carrier is not self.source

    @property
    def eligible_at(self) -> float:
        """The earliest time at which it may be called again."""
        own, source = self.not_before, self.source.not_before
        return own if own > source else source

    def ended_at(self, now: float) -> float:
        """Tell when a copy that is seen ready was so, as closely as two looks and a prediction can."""
        return min(now, max(self.looked_at, self.ends_at))

    def needs(self, resource: Resource) -> int:
        """How much of a destination's quota its copy takes."""
        return 1 if resource is Resource.IMAGE else self.source.snapshots

    @property
    def unsettled(self) -> bool:
        """Tell whether this run still has to do something about it."""
        if not self.wanted or self.unconfirmed:
            return self.wanted
        state = self.state
        if state is DOUBTFUL:
            return self.reason is not Reason.NEEDS_PERSON
        return state is not READY and state is not FAILED


@dataclass(slots=True, eq=False)
class Destination:
    """One destination region: what is under way there, what is known of it, what to read next.

    `states` counts the wanted copies; `names` are the names by which a listing under way could show a copy
    that nobody owns, `turned` the images that its pages showed so far; `lookalikes` are images of such a name
    that were there before; `strangers` are images with our mark that the ledger does not know; `former` are
    those that it found when it was rebuilt; `pruned` were deleted on purpose and may be shown for a while;
    `shut` are the regions from which a relayed call was refused for good. `passed` counts the calls to
    others, since its last that was accepted, when it had room for one. `number` is its place in this run;
    `queued` are number and size (MB) of the copies that wait, by origin; `idle` is a heap of the times since
    when places that were used are free; `linger_until` is how long the next chunk waits for more copies,
    unless something has `stirred`; `next_end` when the next copy is expected to be ready.
    """

    region: Region
    tracks: list[Track] = field(default_factory=list)
    images: dict[ImageId, Track] = field(default_factory=dict)
    copying: dict[ImageId, Track] = field(default_factory=dict)
    doubtful: dict[Copy, Track] = field(default_factory=dict)
    lookalikes: set[ImageId] = field(default_factory=set)
    former: set[ImageId] = field(default_factory=set)
    pruned: set[ImageId] = field(default_factory=set)
    in_flight: int = 0
    unsettled: int = 0
    states: Counter[State] = field(default_factory=Counter)
    evidence: Evidence = Evidence.UNKNOWN
    takes_marks: bool = True
    mark_proven: bool = False
    mark_doubted: bool = False
    # what this run has read
    listed: bool = False
    listing: Listing = field(default_factory=Listing)
    names: frozenset[str] = frozenset()
    turned: set[ImageId] = field(default_factory=set)
    list_at: float = 0.0
    quotas: dict[Resource, Quota] = field(default_factory=dict)
    stale: set[Resource] = field(default_factory=lambda: set(Resource))
    blind: set[Resource] = field(default_factory=set)
    admission: Admission[Track] | None = None
    wants_control: bool = False
    audited: bool = False
    strangers: tuple[ImageId, ...] = ()
    to_check: dict[ImageId, None] = field(default_factory=dict)
    check_at: float = 0.0
    park: Park | None = None
    vacating: Vacating = field(default_factory=Vacating)
    ceiling: int | None = None
    shut: set[Region] = field(default_factory=set)
    # looking at copies under way
    look_at: float = 0.0
    batches: list[tuple[ImageId, ...]] = field(default_factory=list)
    next_end: float = inf
    number: int = -1
    queued: defaultdict[Region, list[int]] = field(default_factory=lambda: defaultdict(nobody))
    idle: list[float] = field(default_factory=list)
    linger_until: float = 0.0
    stirred: bool = True
    window: Window = field(default_factory=Window)
    # the one read that is under way; failures in a row and their pauses by kind of read, so that
    # one kind that nobody answers does not blind the others
    reading: bool = False
    served: int = 0
    passed: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    again_at: dict[str, float] = field(default_factory=dict)

    @property
    def waiting(self) -> int:
        """How many of the wanted copies wait."""
        return self.states[State.WAITING]

    @property
    def admitted(self) -> int:
        """How many of them have a place in the quotas, as far as those are known."""
        return self.waiting - (self.admission.deferred[Resource.IMAGE] if self.admission else 0)

    @property
    def asking(self) -> int:
        """How many copies are in calls on their way, handed out ones included."""
        return self.in_flight - len(self.copying) - len(self.doubtful)

    def forget_run(self) -> None:
        """Forget what only one run may know or believe: what it wants, quotas, listings, parking."""
        self.unsettled, self.states = 0, Counter()
        self.number, self.queued, self.idle = -1, defaultdict(nobody), []
        self.linger_until, self.stirred, self.next_end = 0.0, True, inf
        self.mark_doubted = False
        self.listed, self.listing, self.list_at = False, Listing(), 0.0
        self.quotas, self.stale, self.blind = {}, set(Resource), set()
        self.admission = None
        self.wants_control, self.park, self.ceiling, self.shut = False, None, None, set()
        self.vacating, self.to_check, self.check_at = Vacating(), {}, 0.0
        self.audited, self.strangers = False, ()
        self.look_at, self.batches, self.window = 0.0, [], Window(self.window.most)
        self.reading, self.passed, self.failures, self.again_at = False, 0, Counter(), {}

    def may(self, read: str, now: float) -> bool:
        """Tell whether a kind of read may be sent again after its last failure."""
        return self.again_at.get(read, 0.0) <= now

    def room(self, region_copies: int) -> int:
        """How many more copies may be sent now, by our own limit and the image quota."""
        quota = self.quotas.get(Resource.IMAGE)
        own = region_copies - self.in_flight
        return max(0, min(own, quota.room) if quota else own)
