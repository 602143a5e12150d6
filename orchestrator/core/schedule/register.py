"""Every record and index of the schedule, and the few primitive moves that keep them consistent.

Nothing here decides anything: `answers` and `findings` say what an event means, `agenda` what to do next.
All indexes change in `move`, so that no rule can forget one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from heapq import heappop, heappush

from orchestrator.core.limits import Limits
from orchestrator.core.messages import Change
from orchestrator.core.model import (
    CALLING,
    COPYING,
    DOUBTFUL,
    FAILED,
    WAITING,
    CallId,
    ImageId,
    Region,
    State,
)
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule import admission
from orchestrator.core.schedule.carrying import able, may_be_called, unknown
from orchestrator.core.schedule.counting import count, date, queue, uncount
from orchestrator.core.schedule.forecast import Forecasts
from orchestrator.core.schedule.horizon import Horizon
from orchestrator.core.schedule.lifecycle import Step, advance
from orchestrator.core.schedule.offers import Offers
from orchestrator.core.schedule.pace import Traffic
from orchestrator.core.schedule.readings import Evidence
from orchestrator.core.schedule.records import Records
from orchestrator.core.schedule.tracks import Source, Track

_UNDER_WAY = (CALLING, DOUBTFUL, COPYING)

EVERY_API = "*"
"""The name under which a pause of all requests is kept."""


class Register(Records):
    """The state of the schedule. One owner; never shared between tasks.

    `stop` says why nothing at all may be sent any more in this run, `closed` why no call may;
    a run that `rebuilds` a lost ledger only looks; one that is `relaying` may send copies of copies.
    While it `replays` the past nobody is told of changes, and nothing is offered or looked forward to:
    the run that begins next does all of that anew.
    """

    def __init__(self, limits: Limits, ledger: str) -> None:
        super().__init__()
        self.limits = limits
        self.ledger = ledger
        self.calls: dict[CallId, tuple[Track, ...]] = {}
        self.relays: dict[CallId, tuple[Region, tuple[ImageId, ...]]] = {}  # where it was sent, with which
        self.open_calls: dict[CallId, bool] = {}  # and whether it carries our mark
        self.handed_out = self.served = self.knocks = 0
        self.changes: list[Change] = []
        self.replays = False
        self.to_inspect: dict[Region, dict[ImageId, None]] = defaultdict(dict)
        self.inspecting: dict[Region, tuple[ImageId, ...]] = {}
        self.inspect_failures: dict[Region, int] = defaultdict(int)
        self.inspect_at: dict[Region, float] = defaultdict(float)
        self.pace = Traffic(limits.requests_per_minute, limits.api_requests_per_minute)
        self.forecasts = Forecasts()
        self.horizon = Horizon(self.forecasts)
        self.offers = Offers(self.forecasts)
        self.proved = False
        self.throttled_since: float | None = None
        self.throttles: Counter[str] = Counter()  # in a row, by API
        self.pauses: dict[str, float] = {}  # until when, by API or EVERY_API
        self.stop: Reason | None = None
        self.closed: Reason | None = None
        self.rebuilds = self.relaying = False
        self.now = 0.0
        self.endpoint = ""
        self.account = self.other_account = ""

    # --- moves ------------------------------------------------------------------------------------

    def move(self, track: Track, step: Step, reason: Reason, detail: str = "") -> None:
        """Advance one copy along the table and keep every index with it."""
        before, after = track.state, advance(track.state, step)
        awaited = track.unconfirmed
        uncount(track)
        track.state, track.reason, track.detail, track.since = after, reason, detail, self.now
        track.unconfirmed = False
        date(track)
        count(track)
        self._reindex(track, before, after)
        admitted = admission.moved(track.destination, track, self.now)
        self.tell(track, before)
        if after is WAITING:
            self.offer(track)
        for other in admitted:
            self.offer(other)
        if awaited:
            self.offer_siblings(track)
        elif after is FAILED:
            self.expect(track.source)

    def restate(self, track: Track, reason: Reason, detail: str = "") -> None:
        """Give a copy that stays in its state another reason; it needs no confirmation any more."""
        awaited = track.unconfirmed
        uncount(track)
        track.unconfirmed, track.reason, track.detail = False, reason, detail
        count(track)
        self.tell(track, track.state)
        if awaited:
            self.offer_siblings(track)

    def offer_siblings(self, track: Track) -> None:
        """Offer the copies that waited for this one to be confirmed, to end or to carry them; rank anew."""
        waits_s = self.expect(track.source)
        for sibling in track.source.tracks:
            sibling.offered = False
            self.offer(sibling, waits_s)

    def expect(self, source: Source) -> float | None:
        """Note when the last copy of a source is expected; return how long those take that wait.

        None where nobody asks.
        """
        return None if self.replays else self.horizon.expect(source, self.now)

    def tell(self, track: Track, before: State) -> None:
        """Note what just happened to a copy, for ledger, log and console."""
        if self.replays:
            return
        waits = track.state is WAITING and track.eligible_at > self.now
        change = Change(
            self.now,
            track.copy,
            before,
            track.state,
            track.reason,
            track.detail,
            track.image,
            track.call,
            track.eligible_at if waits else None,
            track.carrier.origin if track.relayed else None,
            track.carrier.image if track.relayed else None,
        )  # by place: half the time of names
        self.changes.append(change)

    def _reindex(self, track: Track, before: State, after: State) -> None:
        """Keep lock, room and the lists of copies under way in step with the state."""
        destination = track.destination
        if before is DOUBTFUL:
            destination.doubtful.pop(track.copy, None)
        if after is WAITING:
            track.lost_at = None
        if before is COPYING and track.image:
            destination.copying.pop(track.image, None)
        if after is DOUBTFUL:
            track.lost_at, track.lost_runs = self.now, 0
            if destination.evidence is Evidence.UNKNOWN:
                self.inspect(track.carrier)  # by what name would its copy be known?
            destination.doubtful[track.copy] = track
            destination.list_at = min(destination.list_at, self.now)
        if after is COPYING and track.image:
            destination.copying[track.image] = track
        if after in _UNDER_WAY:
            self.reserve(track, commit=after is CALLING)
        else:
            refused = before is CALLING or after is WAITING
            freed_at = track.ended_at(self.now) if before is COPYING else self.now
            self.release(track, made=not refused, freed_at=freed_at)
        if after is WAITING:
            track.carrier = track.source

    def reserve(self, track: Track, *, commit: bool) -> None:
        """Lock the carrier and take room in the destination, once."""
        if track.reserved:
            return
        queue(track, -1)
        track.reserved, track.offered = True, False
        destination = track.destination
        self._lock(track)
        destination.in_flight += 1
        if destination.idle:
            heappop(destination.idle)
        if commit:
            self._commit(track, +1)

    def release(self, track: Track, *, made: bool, freed_at: float) -> None:
        """Free the carrier, once; give the room back too when nothing was made."""
        if not track.reserved:
            return
        track.reserved = False
        queue(track, +1)
        track.destination.in_flight -= 1
        track.destination.stirred = True
        heappush(track.destination.idle, freed_at)
        if not made:
            self._commit(track, -1)
        self._unlock(track, freed_at)

    def carry(self, track: Track, carrier: Source) -> None:
        """Let this image carry a copy; a lock that is held moves along."""
        if carrier is track.carrier:
            return
        if track.reserved:
            self._unlock(track, self.now)
        track.carrier = carrier
        if track.reserved:
            self._lock(track)

    @staticmethod
    def _lock(track: Track) -> None:
        track.carrier.held += 1
        track.carrier.holder = track
        track.source.turn = track.destination.number + 1

    def _unlock(self, track: Track, freed_at: float) -> None:
        """Let go of the carrier; when nobody else holds it, whoever may have waited for it is offered."""
        carrier = track.carrier
        carrier.held -= 1
        carrier.freed_at = freed_at
        if carrier.held == 0:
            carrier.holder = None
            self.offer_siblings(track)
            for other in carrier.tracks if track.relayed else ():
                self.offer(other)

    def _commit(self, track: Track, sign: int) -> None:
        """Count a copy's needs against what the last survey left, or take them back."""
        for resource, quota in track.destination.quotas.items():
            quota.committed = max(0, quota.committed + sign * track.needs(resource))

    def name_image(self, track: Track, image: ImageId | None, *, answered: bool = False) -> None:
        """Set or forget the destination image of a copy; before `move`, never after.

        `answered` tells that the cloud named it in its answer to our call.
        """
        track.fit = None
        if track.image is not None:
            track.destination.images.pop(track.image, None)
            track.destination.copying.pop(track.image, None)
            track.destination.to_check.pop(track.image, None)
        track.image, track.answered, track.ready_at = image, answered, None
        if image is not None:
            track.destination.images[image] = track

    # --- what may be sent -------------------------------------------------------------------------

    def may_send(self, api: str) -> bool:
        """Tell whether one request to an API may leave now: no throttle holds, and the pace allows it."""
        return self.paused_until(api) <= self.now and self.pace.ready(api, self.now)

    def paused_until(self, api: str) -> float:
        """Return until when a throttle holds an API, by itself or with all others; 0 where none does."""
        pauses = self.pauses
        return max(pauses.get(api, 0.0), pauses.get(EVERY_API, 0.0)) if pauses else 0.0

    def throttled(self, api: str, until: float, *, alone: bool) -> None:
        """Pause an API that was asked too often, or every API when the answer is not about it `alone`."""
        paused = api if alone else EVERY_API
        self.throttles[api] += self.pauses.get(paused, 0.0) <= self.now  # what was on its way counts once
        self.pauses[paused] = max(self.pauses.get(paused, 0.0), until)

    # --- who may be called ------------------------------------------------------------------------

    def offer(self, track: Track, waits_s: float | None = None) -> None:
        """Put a copy into its route's pool, or to sleep, if it may be called some time soon.

        A waiting copy whose source this run knows nothing of has its source inspected first. `waits_s`
        is what `expect` returned, if it was just asked.
        """
        if not track.wanted or track.state is not WAITING:
            return
        if unknown(track.source, self.now):
            self.inspect(track.source)
        elif not self.replays and not track.offered and may_be_called(track):
            self.offers.put(track, self.free_carriers(track), self.now, waits_s)

    def free_carriers(self, track: Track) -> Iterator[Source]:
        """Go through the images that could carry a copy now; of suspects only the original does."""
        if not track.source.locked:
            yield track.source
        for other in able(track):
            carrier = self.sources[other.copy.destination, other.image] if other.image else None
            if carrier is not None and not (carrier.locked or carrier.suspects):
                yield carrier

    def inspect(self, source: Source) -> None:
        """Queue a source for inspection, unless that is under way."""
        if source.image not in self.inspecting.get(source.origin, ()):
            self.to_inspect[source.origin][source.image] = None

    def wake(self) -> None:
        """Offer the sleepers whose time has come."""
        for track in self.offers.woken(self.now):
            track.offered = False
            self.offer(track)
