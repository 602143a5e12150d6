"""Every record and index of the schedule, and the few primitive moves that keep them consistent.

Nothing here decides anything: `answers` and `findings` say what an event means, `agenda` says
what to do next. All indexes change in `move`, so that no rule can forget one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from heapq import heappop, heappush

from orchestrator.core.limits import Limits
from orchestrator.core.messages import Change
from orchestrator.core.model import CallId, Copy, ImageId, Region, State
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule import admission
from orchestrator.core.schedule.lifecycle import Step, advance
from orchestrator.core.schedule.pace import Traffic
from orchestrator.core.schedule.tracks import Destination, Evidence, Route, Source, Track

_UNDER_WAY = (State.CALLING, State.DOUBTFUL, State.COPYING)

EVERY_API = "*"
"""The name under which a pause of all requests is kept."""

Pool = list[tuple[float, int, Track]]
"""A heap of (rank, order, copy), best first; entries that no longer hold are skipped when met."""


class Register:
    """The state of the schedule. One owner; never shared between tasks.

    `stop` says why nothing at all may be sent any more in this run, `closed` why no call may;
    a run that `rebuilds` a lost ledger only looks.
    """

    def __init__(self, limits: Limits, ledger: str) -> None:
        self.limits = limits
        self.ledger = ledger
        self.tracks: dict[Copy, Track] = {}
        self.sources: dict[tuple[Region, ImageId], Source] = {}
        self.by_image: dict[ImageId, list[Source]] = defaultdict(list)
        self.destinations: dict[Region, Destination] = {}
        self.calls: dict[CallId, tuple[Track, ...]] = {}
        self.open_calls: dict[CallId, bool] = {}  # and whether it carries our mark
        self.handed_out = 0
        self.served = 0
        self.pools: dict[Route, Pool] = defaultdict(list)
        self.sleepers: Pool = []
        self.changes: list[Change] = []
        self.to_inspect: dict[Region, dict[ImageId, None]] = defaultdict(dict)
        self.inspecting: dict[Region, tuple[ImageId, ...]] = {}
        self.inspect_failures: dict[Region, int] = defaultdict(int)
        self.inspect_at: dict[Region, float] = defaultdict(float)
        self.pace = Traffic(limits.requests_per_minute, limits.api_requests_per_minute)
        self.proved = False
        self.knocks = 0
        self.throttled_since: float | None = None
        self.throttles: Counter[str] = Counter()  # in a row, by API
        self.pauses: dict[str, float] = {}  # until when, by API or EVERY_API
        self.stop: Reason | None = None
        self.closed: Reason | None = None
        self.rebuilds = False
        self.now = 0.0
        self.endpoint = ""
        self.account = self.other_account = ""

    # --- records ----------------------------------------------------------------------------------

    def track(self, copy: Copy) -> Track:
        """Return the record of a copy, making it on first mention."""
        known = self.tracks.get(copy)
        if known is not None:
            return known
        source = self.source(copy.origin, copy.source)
        destination = self.destination(copy.destination)
        made = Track(copy, source, destination, order=len(self.tracks))
        self.tracks[copy] = made
        source.tracks.append(made)
        destination.tracks.append(made)
        return made

    def source(self, origin: Region, image: ImageId) -> Source:
        """Return the record of a source image, making it on first mention."""
        known = self.sources.get((origin, image))
        if known is None:
            known = self.sources[origin, image] = Source(image, origin)
            self.by_image[image].append(known)
        return known

    def destination(self, region: Region) -> Destination:
        """Return the record of a destination, making it on first mention."""
        if region not in self.destinations:
            self.destinations[region] = Destination(region)
        return self.destinations[region]

    # --- moves ------------------------------------------------------------------------------------

    def move(self, track: Track, step: Step, reason: Reason, detail: str = "") -> None:
        """Advance one copy along the table and keep every index with it."""
        before, after = track.state, advance(track.state, step)
        awaited = track.unconfirmed
        self.uncount(track)
        track.state, track.reason, track.detail, track.since = after, reason, detail, self.now
        track.unconfirmed = False
        self.count(track)
        self._reindex(track, before, after)
        admitted = admission.moved(track.destination, track, self.now)
        self.tell(track, before)
        if after is State.WAITING:
            self.offer(track)
        for other in admitted:
            self.offer(other)
        if awaited:
            self._offer_siblings(track)

    def restate(self, track: Track, reason: Reason, detail: str = "") -> None:
        """Give a copy that stays in its state another reason; it needs no confirmation any more."""
        awaited = track.unconfirmed
        self.uncount(track)
        track.unconfirmed, track.reason, track.detail = False, reason, detail
        self.count(track)
        self.tell(track, track.state)
        if awaited:
            self._offer_siblings(track)

    def _offer_siblings(self, track: Track) -> None:
        """Offer the copies of a source that waited for this one to be confirmed or to end."""
        for sibling in track.source.tracks:
            self.offer(sibling)

    def tell(self, track: Track, before: State) -> None:
        """Note what just happened to a copy, for ledger, log and console."""
        waits = track.state is State.WAITING and track.eligible_at > self.now
        self.changes.append(
            Change(
                at=self.now,
                copy=track.copy,
                before=before,
                after=track.state,
                reason=track.reason,
                detail=track.detail,
                image=track.image,
                call=track.call,
                until=track.eligible_at if waits else None,
            )
        )

    def uncount(self, track: Track) -> None:
        """Take a copy out of its destination's counts, before it changes."""
        track.destination.unsettled -= track.unsettled
        track.destination.states[track.state] -= track.wanted

    def count(self, track: Track) -> None:
        """Put a copy back into its destination's counts, after it changed."""
        track.destination.unsettled += track.unsettled
        track.destination.states[track.state] += track.wanted

    def _reindex(self, track: Track, before: State, after: State) -> None:
        """Keep lock, room and the lists of copies under way in step with the state."""
        destination = track.destination
        if before is State.DOUBTFUL:
            destination.doubtful.pop(track.copy, None)
        if after is State.WAITING:
            track.lost_at = None
        if before is State.COPYING and track.image:
            destination.copying.pop(track.image, None)
        if after is State.DOUBTFUL:
            track.lost_at, track.lost_runs = self.now, 0
            if destination.evidence is Evidence.UNKNOWN:
                self.inspect(track.source)  # by what name would its copy be known?
            destination.doubtful[track.copy] = track
            destination.list_at = min(destination.list_at, self.now)
        if after is State.COPYING and track.image:
            destination.copying[track.image] = track
        if after in _UNDER_WAY:
            self.reserve(track, commit=after is State.CALLING)
        else:
            refused = before is State.CALLING or after is State.WAITING
            self.release(track, made=not refused)

    def reserve(self, track: Track, *, commit: bool) -> None:
        """Lock the source and take room in the destination, once."""
        if track.reserved:
            return
        track.reserved = True
        track.source.held += 1
        track.source.holder = track
        track.destination.in_flight += 1
        if commit:
            self._commit(track, +1)

    def release(self, track: Track, *, made: bool) -> None:
        """Free the source, once; give the room back too when nothing was made."""
        if not track.reserved:
            return
        track.reserved = False
        track.source.held -= 1
        track.destination.in_flight -= 1
        if not made:
            self._commit(track, -1)
        if track.source.held == 0:
            track.source.holder = None
            self._offer_siblings(track)

    def _commit(self, track: Track, sign: int) -> None:
        """Count a copy's needs against what the last survey left, or take them back."""
        for resource, quota in track.destination.quotas.items():
            quota.committed = max(0, quota.committed + sign * track.needs(resource))

    def name_image(self, track: Track, image: ImageId | None, *, answered: bool = False) -> None:
        """Set or forget the destination image of a copy; before `move`, never after.

        `answered` tells that the cloud named it in its answer to our call.
        """
        if track.image is not None:
            track.destination.images.pop(track.image, None)
            track.destination.copying.pop(track.image, None)
            track.destination.to_check.pop(track.image, None)
        track.image, track.answered = image, answered
        if image is not None:
            track.destination.images[image] = track

    # --- what may be sent -------------------------------------------------------------------------

    def may_send(self, api: str) -> bool:
        """Tell whether one request to an API may leave now: no throttle holds, and the pace allows it."""
        until = max(self.pauses.get(api, 0.0), self.pauses.get(EVERY_API, 0.0))
        return until <= self.now and self.pace.ready(api, self.now)

    def throttled(self, api: str, until: float, *, alone: bool) -> None:
        """Pause an API that was asked too often, or every API when the answer is not about it `alone`."""
        self.throttles[api] += 1
        paused = api if alone else EVERY_API
        self.pauses[paused] = max(self.pauses.get(paused, 0.0), until)

    # --- who may be called ------------------------------------------------------------------------

    def offer(self, track: Track) -> None:
        """Put a copy into its route's pool, or to sleep, if it may be called some time soon.

        A waiting copy whose source this run knows nothing of has its source inspected first.
        """
        if track.wanted and track.state is State.WAITING and not track.source.inspected:
            self.inspect(track.source)
        if track.offered or not self.callable(track):
            return
        track.offered = True
        if track.eligible_at > self.now:
            heappush(self.sleepers, (track.eligible_at, track.order, track))
            return
        pool = self.pools[track.copy.origin, track.copy.destination]
        heappush(pool, (-track.source.waiting, track.order, track))

    def inspect(self, source: Source) -> None:
        """Queue a source for inspection, unless that is under way."""
        if source.image not in self.inspecting.get(source.origin, ()):
            self.to_inspect[source.origin][source.image] = None

    def wake(self) -> float | None:
        """Offer the sleepers whose time has come; return when the next one wakes."""
        while self.sleepers and self.sleepers[0][0] <= self.now:
            _, _, track = heappop(self.sleepers)
            track.offered = False
            self.offer(track)
        return self.sleepers[0][0] if self.sleepers else None

    @staticmethod
    def callable(track: Track) -> bool:
        """Tell whether nothing but the clock keeps a copy from being called.

        A sibling that is to be confirmed first may turn out to be under way still.
        """
        source = track.source
        waits = track.wanted and track.state is State.WAITING and not track.deferred
        free = waits and source.held == 0 and source.inspected
        return free and not any(sibling.unconfirmed for sibling in source.tracks)
