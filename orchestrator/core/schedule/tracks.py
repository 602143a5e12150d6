"""The schedule's records: one per copy, per source image and per destination. Data, no decisions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from math import inf

from orchestrator.core.messages import Refused
from orchestrator.core.model import CallId, Copy, ImageId, Region, Resource, Sighting, State
from orchestrator.core.reasons import Reason

Route = tuple[Region, Region]
"""(origin, destination): what a call is addressed by."""


class Evidence(Enum):
    """What the texts of accepted copies in a destination have shown so far."""

    UNKNOWN = "no accepted copy has been read back yet"
    MARK = "our mark is stored"
    PLATFORM = "the platform's own text names the source image"
    NONE = "neither: nothing tells whose copy an image is"


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
    `tries` counts transient refusals in a row.
    """

    image: ImageId
    origin: Region
    tracks: list[Track] = field(default_factory=list)
    held: int = 0
    holder: Track | None = None
    sighting: Sighting | None = None
    names: set[str] = field(default_factory=set)
    inspected: bool = False
    inspected_at: float = -inf
    suspects: Suspects | None = None
    not_before: float = 0.0
    tries: int = 0
    busy_since: float | None = None

    def learn(self, sighting: Sighting) -> None:
        """Take over what an inspection shows; remember the name."""
        self.sighting = sighting
        if sighting.name:
            self.names.add(sighting.name)

    @property
    def snapshots(self) -> int:
        """How many snapshots a copy takes in the destination: one per disk, at least one."""
        return max(1, len(self.sighting.snapshots)) if self.sighting else 1

    @property
    def waiting(self) -> int:
        """How many of its wanted copies still wait."""
        return sum(t.wanted and t.state is State.WAITING for t in self.tracks)


@dataclass(slots=True, eq=False)
class Track:
    """Where one copy stands, and what its next step needs.

    `since` is when the present state began (for COPYING: within this run); `attempts` counts
    calls that surely made nothing for no known reason, in this run; `answered` tells that an
    answer to our call named `image`; `marked` whether the latest call carried our mark; `lost_at`
    is set while a lost call is not accounted for, even when the copy was found: perhaps another
    made that; `lost_runs` counts the runs since; `asked` tells that an image that resembles it
    was asked about once; `unconfirmed` means that an earlier run's result is to be confirmed by a
    listing first; `deferred` tells that it has no place in its destination's quotas, `place` how many
    snapshots it was counted with for that (0 while it is not counted).
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
    deferred: bool = False
    place: int = 0

    @property
    def eligible_at(self) -> float:
        """The earliest time at which it may be called again."""
        return max(self.not_before, self.source.not_before)

    def needs(self, resource: Resource) -> int:
        """How much of a destination's quota its copy takes."""
        return 1 if resource is Resource.IMAGE else self.source.snapshots

    @property
    def unsettled(self) -> bool:
        """Tell whether this run still has to do something about it."""
        if not self.wanted:
            return False
        if self.unconfirmed:
            return True
        if self.state is State.DOUBTFUL:
            return self.reason is not Reason.NEEDS_PERSON
        return self.state not in (State.READY, State.FAILED)


@dataclass(slots=True)
class Quota:
    """One quota as last read, and what was sent since."""

    limit: int
    used: int
    committed: int = 0
    at: float = 0.0

    @property
    def room(self) -> int:
        """How many more fit."""
        return max(0, self.limit - self.used - self.committed)


@dataclass(slots=True)
class Admission:
    """The places that a destination's quotas leave for its waiting copies; who has none is deferred.

    `promised` is what the copies with a place will take, `deferred` what the others would;
    `queues` hold those by the snapshots each takes: heaps of (paused until, order, copy), in
    which entries that no longer hold are skipped when met.
    """

    promised: Counter[Resource] = field(default_factory=Counter)
    deferred: Counter[Resource] = field(default_factory=Counter)
    queues: dict[int, list[tuple[float, int, Track]]] = field(default_factory=dict)


@dataclass(slots=True)
class Park:
    """A full destination: tried again at `until`; `probing` while that try is under way."""

    reason: Reason
    until: float
    probing: bool = False
    exhausted: bool = False


@dataclass(slots=True)
class Listing:
    """The pages of a listing under way, and when its first request was sent."""

    began: float = 0.0
    total: int = 0
    shown: int = 0
    page: int = 0
    images: list[Sighting] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Destination:
    """One destination region: what is under way there, what is known of it, what to read next.

    `states` counts the wanted copies; `names` are the names by which a listing under way could
    show a copy that nobody owns, `turned` the images that its pages showed so far; `lookalikes`
    are images of such a name that were there before; `strangers` are images with our mark that
    the ledger does not know; `former` are those that it found when it was rebuilt, and that are
    none of its plan's. `window` is how many copies may be in flight (None: nothing was learned),
    `grown` counts those accepted since it last grew, `crowd` the refusals in a row that were about
    different images, all of which are in `refused`; from `calm_at` on the window may shrink again.
    `passed` counts the calls to others, since its last that was accepted, when it had room for one.
    """

    region: Region
    tracks: list[Track] = field(default_factory=list)
    images: dict[ImageId, Track] = field(default_factory=dict)
    copying: dict[ImageId, Track] = field(default_factory=dict)
    doubtful: dict[Copy, Track] = field(default_factory=dict)
    lookalikes: set[ImageId] = field(default_factory=set)
    former: set[ImageId] = field(default_factory=set)
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
    admission: Admission | None = None
    wants_control: bool = False
    audited: bool = False
    strangers: tuple[ImageId, ...] = ()
    to_check: dict[ImageId, None] = field(default_factory=dict)
    check_at: float = 0.0
    park: Park | None = None
    ceiling: int | None = None
    # looking at copies under way
    look_at: float = 0.0
    batches: list[tuple[ImageId, ...]] = field(default_factory=list)
    typical_s: float | None = None
    # how many copies it takes at a time
    window: int | None = None
    grown: int = 0
    crowd: int = 0
    refused: set[ImageId] = field(default_factory=set)
    calm_at: float = 0.0
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
        self.mark_doubted = False
        self.listed, self.listing, self.list_at = False, Listing(), 0.0
        self.quotas, self.stale, self.blind = {}, set(Resource), set()
        self.admission = None
        self.wants_control, self.park, self.ceiling = False, None, None
        self.to_check, self.check_at = {}, 0.0
        self.audited, self.strangers = False, ()
        self.look_at, self.batches = 0.0, []
        self.grown, self.crowd, self.refused, self.calm_at = 0, 0, set(), 0.0
        self.reading, self.failures, self.again_at = False, Counter(), {}
        self.passed = 0

    def may(self, read: str, now: float) -> bool:
        """Tell whether a kind of read may be sent again after its last failure."""
        return self.again_at.get(read, 0.0) <= now

    def room(self, region_copies: int) -> int:
        """How many more copies may be sent now, by our own limit and the image quota."""
        quota = self.quotas.get(Resource.IMAGE)
        own = region_copies - self.in_flight
        return max(0, min(own, quota.room) if quota else own)
