"""What the promises are held against: the world's own books, never the program's word for it.

Each broken promise is one sentence in `broken`. The numbers are those of the fault model: I1
nothing twice, I2 nothing lost, I3 an end, I4 limits, I5 quotas, I6 stops, I7 ready means ready,
I8 only the allowed calls, I9 no secret; I0 is a storm that does not replay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256

from orchestrator.core.codec import kind_of, to_json
from orchestrator.core.messages import Called, Change, Event, Refused
from orchestrator.core.model import Copy, ImageId, Region, State
from orchestrator.core.reasons import MEANINGS, Nature, Reason
from orchestrator.core.schedule import Schedule
from orchestrator.core.verdict import EXIT_INCOMPLETE, EXIT_OK
from orchestrator.errors import Overtaken
from orchestrator.simulator.books import CopyEntry
from orchestrator.simulator.things import ERROR
from tests.canary import SECRET
from tests.storm.cloudscape import Cloudscape
from tests.storm.excuses import excused, impossible
from tests.storm.process import Diary, Process
from tests.storm.scenario import End

_ALLOWED = frozenset({"copyImages", "describeImages", "describeImage", "describeQuotas", "describeQuota"})


class Truth:
    """Watches a storm. `learned` and `recovered` are told by the lives, the rest is asked by the night."""

    def __init__(self, cloudscape: Cloudscape, diary: Diary) -> None:
        self.broken: list[str] = []
        self.duplicates = self.unrecorded = self.unfinished = self.needs_person = 0
        self.trace = sha256()
        self._cloudscape = cloudscape
        self._diary = diary
        self._refused: Counter[Nature] = Counter()
        self._known: set[ImageId] = set()
        self._seen_violations = 0

    def breaks(self, promise: str, what: str) -> None:
        """Note a broken promise."""
        self.broken.append(f"{promise}: {what}")

    # --- while it happens -------------------------------------------------------------------------

    def learned(self, event: Event, changes: Sequence[Change]) -> None:
        """Judge one event that just went into the ledger."""
        body = to_json(event)
        self.trace.update(f"{kind_of(event)} {body}\n".encode())
        if SECRET in body:
            self.breaks("I9", f"the secret is in a {kind_of(event)}")
        if isinstance(event, Called):
            self._judge_chunk(event)
        if isinstance(event, Refused):
            self._judge_refusal(event)
        for change in changes:
            self._judge_failure(change)
            if change.image is not None:
                self._known.add(change.image)
                self._judge_image(change, change.image)

    def recovered(self, events: list[Event]) -> None:
        """Judge what a ledger gave back: everything that was ever committed, and nothing else."""
        if events != self._diary.events():
            self.breaks("I2", f"of {len(self._diary.entries)} events the ledger gave {len(events)} back")

    def _judge_chunk(self, event: Called) -> None:
        """Hold a call against the rule of names: the mark tells the call, only the name its source."""
        origin = event.via or event.copies[0].origin
        images = self._cloudscape.world.stores[origin].images
        sent = event.carriers or tuple(copy.source for copy in event.copies)
        names = [images[image].name for image in sent if image in images]
        if len(set(names)) < len(names):
            self.breaks("I1", f"call {event.call} carries two sources of one name")
        for copy, carrier in zip(event.copies, sent, strict=True):
            if origin != copy.origin:
                self._judge_carrier(copy, origin, carrier)

    def _judge_carrier(self, copy: Copy, via: Region, carrier: ImageId) -> None:
        """Hold a carrier against the books: a copy of this very original, and ready once."""
        entry = self._entry(carrier)
        ours = entry is not None and (entry["root"], entry["destination"]) == (copy.source, via)
        if not ours and self._cloudscape.foreign.get(carrier) != copy.source:
            self.breaks("I7", f"{carrier} in {via} carries {copy.source}, and is no copy of it")
        if entry is not None and entry["end"] != "ready":
            self.breaks("I7", f"{carrier} in {via} carries {copy.source}, and was never ready")

    def _judge_refusal(self, event: Refused) -> None:
        """Hold a refusal against what the world said: the two meanings of 429 are never mixed up."""
        nature = MEANINGS[event.reason].nature
        self._refused[nature] += 1
        refused = self._cloudscape.world.record.refused
        full = refused["429 QUOTA_EXCEEDED"]
        slower = sum(n for word, n in refused.items() if "429" in word) - full
        said = {Nature.QUOTA: full, Nature.THROTTLE: slower, Nature.API_THROTTLE: slower}
        if self._refused[nature] > said.get(nature, self._refused[nature]):
            self.breaks("I5", f"{event.reason} was never said so often: {event.detail}")

    def _judge_failure(self, change: Change) -> None:
        """Hold a source that is given up for good against the world: it must really be unfit."""
        copy, reason = change.copy, change.reason
        given_up = change.after is State.FAILED and MEANINGS[reason].nature is Nature.IMAGE_PERMANENT
        if given_up and reason not in impossible(self._cloudscape.world.stores[copy.origin], copy.source):
            self.breaks("I3", f"{copy.source} is given up as {reason}, and nothing is wrong with it")

    def _judge_image(self, change: Change, image: ImageId) -> None:
        """Hold an image's claim against the books: made of this source, there, and ready if said so."""
        entry = self._entry(image)
        copy = change.copy
        if entry is None:
            if self._cloudscape.foreign.get(image) != copy.source:
                self.breaks("I7", f"{image} was taken for the copy of {copy.source}, and nobody made it so")
            return
        if (entry["root"], entry["destination"]) != (copy.source, copy.destination):
            made = f"{entry['root']} to {entry['destination']}"
            self.breaks("I7", f"{image} is {made}, not {copy.source} to {copy.destination}")
        if change.after is State.READY and entry["end"] != "ready":
            self.breaks("I7", f"{image} is called ready and is not ({entry['end'] or 'under way'})")

    def _entry(self, image: ImageId) -> CopyEntry | None:
        """Find an image in the books, latest first."""
        copies = reversed(self._cloudscape.world.record.copies)
        return next((entry for entry in copies if entry["image"] == image), None)

    # --- after each life --------------------------------------------------------------------------

    def life_over(self, process: Process, *, peak_posting: int) -> None:
        """Judge one life that ended, however it did."""
        limits = process.stay.scenario.limits
        if process.error is not None and not _expected(process):
            self.breaks("I3", f"{process.owner.name} ended with {process.error!r}")
        if peak_posting > limits.workers:
            self.breaks("I4", f"{peak_posting} calls at a time, {limits.workers} workers")
        if process.exit_code is not None and process.schedule is not None:
            self._judge_ledger(process, process.schedule)
        self.books_hold()

    def _judge_ledger(self, process: Process, live: Schedule) -> None:
        """Hold what a ledger tells against what the run that wrote it believed."""
        again = Schedule(process.stay.scenario.limits, process.ledger_id)
        try:
            again.recover(self._diary.events())
        except Exception as error:
            self.breaks("I3", f"the ledger of {process.owner.name} cannot be recovered: {error!r}")
            return
        if again.states() != live.states():
            self.breaks("I3", f"{process.owner.name} and its ledger do not agree where copies stand")

    def books_hold(self) -> None:
        """Judge the world's books."""
        books = self._cloudscape.world.record
        for violation in books.violations[self._seen_violations :]:
            self.duplicates += violation.startswith("duplicate")
            self.breaks("I1", violation)
        self._seen_violations = len(books.violations)
        for operation in books.requests.keys() - _ALLOWED:
            self.breaks("I8", f"{operation} was called")

    # --- at the end -------------------------------------------------------------------------------

    def conclude(self, schedule: Schedule, exit_code: int | None) -> None:
        """Judge the end: everything recorded, every copy ready or with a reason that the world confirms."""
        self.needs_person = sum(s.reason is Reason.NEEDS_PERSON for s in schedule.standings())
        ready = all(s.state is State.READY for s in schedule.standings())
        expected = EXIT_OK if ready and not schedule.strangers() else EXIT_INCOMPLETE
        if exit_code not in (None, expected):
            self.breaks("I3", f"the last night ends with exit code {exit_code} instead of {expected}")
        for entry in self._cloudscape.world.record.copies:
            if not self._is_recorded(entry, schedule):
                self.unrecorded += 1
                self.breaks("I2", f"{entry['image']} of {entry['root']} is in no ledger and no report")
        for line in self.unfinished_business(schedule):
            self.unfinished += 1
            self.breaks("I3", line)
        self._judge_loads()

    def _is_recorded(self, entry: CopyEntry, schedule: Schedule) -> bool:
        """Tell whether a copy is known: as its copy's image, in doubt, or named in the report.

        One that lives must be known now; of one that broke or is gone it is enough that it was.
        """
        region, image = Region(entry["destination"]), ImageId(entry["image"])
        found = self._cloudscape.world.stores[region].images.get(image)
        if found is None or (region, image) in schedule.strangers():
            return True
        if found.status == ERROR and image in self._known:
            return True
        tracks = [t for copy, t in schedule.register.tracks.items() if copy.source == entry["root"]]
        here = [track for track in tracks if track.copy.destination == region]
        return any(t.image == image or t.state is State.DOUBTFUL or image in t.detail for t in here)

    def unfinished_business(self, schedule: Schedule) -> list[str]:
        """Name the wanted copies that are neither ready nor have an excuse."""
        lines = []
        for standing in schedule.standings():
            copy = standing.copy
            if not excused(self._cloudscape, standing.state, standing.reason, copy, standing.image):
                where = f"{copy.source} to {copy.destination}"
                lines.append(
                    f"{where} ends {standing.state.value}, {standing.reason.value}: {standing.detail}"
                )
        return lines

    def _judge_loads(self) -> None:
        """Hold the copies under way at a time against the limit; what was given up while it ran is apart."""
        limit = self._cloudscape.scenario.limits.region_copies
        for region, peak in self._cloudscape.world.record.peaks.items():
            given_up = {
                change.copy
                for _, _, changes in self._diary.entries
                for change in changes
                if change.reason in (Reason.NEEDS_PERSON, Reason.COPY_TIMEOUT)
            }
            if peak > limit + sum(copy.destination == region for copy in given_up):
                self.breaks("I4", f"{peak} copies to {region} at a time, {limit} are allowed")


def _expected(process: Process) -> bool:
    """Tell whether a life may end with an error: a dead one, or one that was overtaken while it slept."""
    paused = process.doom.end is End.PAUSED and _inner(process.error, Overtaken)
    return process.died or paused


def _inner(error: BaseException | None, kind: type[BaseException]) -> bool:
    """Tell whether an error is of this kind, or a group of such."""
    if isinstance(error, BaseExceptionGroup):
        return all(_inner(inner, kind) for inner in error.exceptions)
    return isinstance(error, kind)
