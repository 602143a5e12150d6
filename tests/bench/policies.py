"""What others do: the script that people write today, and fixed chunks in strict order. Never our schedule.

The script: chunks of ten per destination in plan order; a thread pool with two workers for each
destination, because two chunks of ten fill its room; a worker submits, then describes each of its
images by itself every 30 s until all are ready; whatever error comes, it tries the whole chunk
again, up to eight times, with a pause that doubles from 30 s to 300 s, half of it jitter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random

from orchestrator.cloud.errors import Fault
from orchestrator.core.model import CHUNK_MAX, Copy, ImageId, Region
from orchestrator.simulator.books import Pairs
from orchestrator.simulator.checks import CopyRequest
from tests.bench.clockwork import Process
from tests.bench.cloudscape import Line
from tests.bench.nights import ORIGIN, ROOM, Night

Noticed = dict[Copy, float]
"""When a policy learned that a copy is ready."""

POLL_S = 30.0
TRIES = 8
PAUSE_S, PAUSE_MAX_S = 30.0, 300.0


class Script:
    """The script of today, as its own author runs it."""

    singly = True

    def __init__(self, line: Line, night: Night, noticed: Noticed) -> None:
        self.line, self.night, self.noticed = line, night, noticed
        self.chance = Random(night.seed)
        self.busy = 0

    def begin(self) -> None:
        """Start the pool: the workers of a destination share its chunks."""
        for destination in self.night.destinations:
            chunks = _chunks(self._missing(destination))
            for _ in range(ROOM // CHUNK_MAX):
                self.busy += 1
                self.line.clock.start(self._worker(destination, chunks))

    def _worker(self, destination: Region, chunks: Iterator[Sequence[ImageId]]) -> Process[None]:
        """Be one worker, until no chunk is left; the last one to end closes the pool."""
        yield from self._work(destination, chunks)
        self.busy -= 1
        if not self.busy:
            self.end()

    def end(self) -> None:
        """Be content with whatever was copied."""

    def _missing(self, destination: Region) -> list[ImageId]:
        """List the images that are not known to be ready there, in the plan's order."""
        return [s for s in self.night.sources if Copy(s, ORIGIN, destination) not in self.noticed]

    def _work(self, destination: Region, chunks: Iterator[Sequence[ImageId]]) -> Process[None]:
        """Be one worker: a chunk from its first try until all of it is ready, then the next."""
        for chunk in chunks:
            pairs = yield from self._submit(destination, chunk)
            yield from self._watch(destination, {image: source for source, image in pairs})

    def _submit(self, destination: Region, chunk: Sequence[ImageId]) -> Process[Pairs]:
        """Send a chunk until it is accepted; nothing when it never is."""
        request = CopyRequest(origin=ORIGIN, destination=destination, sources=tuple(chunk))
        for attempt in range(TRIES):
            answer = yield from self.line.ask(
                "copyImages", lambda at: self.line.world.copy_images(at, request)
            )
            if not isinstance(answer, Fault):
                return answer
            if attempt < TRIES - 1:
                yield self._pause_s(attempt)
        return ()

    def _watch(self, destination: Region, pending: dict[ImageId, ImageId]) -> Process[None]:
        """Poll until every copy (image -> source) is ready, or until the cloud does not answer any more."""
        failures = 0
        while pending and failures < TRIES:
            yield POLL_S / self.night.speed if not failures else self._pause_s(failures - 1)
            for asked in self._questions(pending):
                ready = yield from self._look(destination, asked)
                failures = failures + 1 if ready is None else 0
                if ready is None:
                    break
                for image in ready:
                    self.noticed[Copy(pending.pop(image), ORIGIN, destination)] = self.line.clock.now

    def _questions(self, pending: dict[ImageId, ImageId]) -> list[tuple[ImageId, ...]]:
        """Say what to ask for, request by request."""
        return [(image,) for image in pending] if self.singly else [tuple(pending)]

    def _look(self, destination: Region, asked: tuple[ImageId, ...]) -> Process[set[ImageId] | None]:
        """Ask for images; tell which of them are ready, None when there was no answer."""
        operation = "describeImage" if self.singly else "describeImages"
        answer = yield from self.line.ask(operation, lambda at: self.line.world.ready(at, destination, asked))
        return None if isinstance(answer, Fault) else answer

    def _pause_s(self, attempt: int) -> float:
        """Draw the pause after a failure (from 0)."""
        pause_s = min(PAUSE_MAX_S, PAUSE_S * 2.0**attempt) * (0.5 + self.chance.random() / 2)
        return pause_s / self.night.speed


class Again(Script):
    """The same script, started again for what is missing until a run brings nothing new.

    Its first run is all that the script does; `once` is called when that is over.
    """

    before: int | None = None

    def __init__(
        self, line: Line, night: Night, noticed: Noticed, once: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(line, night, noticed)
        self.once = once

    def end(self) -> None:
        """Start again, if that has helped the last time and something is missing."""
        if self.before is None:
            self.once()
        helped, self.before = len(self.noticed) > (self.before or 0), len(self.noticed)
        if helped and len(self.noticed) < len(self.night.copies):
            self.begin()


class Strict(Script):
    """Fixed chunks, one destination after the other, one chunk at a time; one request looks at all of it."""

    singly = False

    def begin(self) -> None:
        """Start the only worker."""
        self.line.clock.start(self._all())

    def _all(self) -> Process[None]:
        """Go through the whole plan."""
        for destination in self.night.destinations:
            yield from self._work(destination, _chunks(self.night.sources))


def _chunks(wanted: Sequence[ImageId]) -> Iterator[Sequence[ImageId]]:
    """Cut a list into tens."""
    return (wanted[first : first + CHUNK_MAX] for first in range(0, len(wanted), CHUNK_MAX))
