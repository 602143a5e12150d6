"""The world's own account of what was asked of it and what it made. Independent of any client.

Tests and people trust these books, not the client's log: each copy exactly once, no source in
two regions at a time, no call with more than ten images.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TypedDict

from orchestrator.core.model import CHUNK_MAX, ImageId, Region
from orchestrator.simulator.checks import CopyRequest
from orchestrator.simulator.things import Task

Pairs = tuple[tuple[ImageId, ImageId], ...]


class CallEntry(TypedDict):
    """One copyImages call that reached the service. `outcome` is `accepted` or the refusal."""

    at: float
    origin: str
    destination: str
    sources: list[str]
    described: bool
    outcome: str
    images: list[str]


class CopyEntry(TypedDict):
    """One copy made. `ended` and `end` stay empty while it is under way.

    `root` and `root_region` name the image at the beginning of its line: of a copy of a copy of x, that is x.
    """

    source: str
    origin: str
    root: str
    root_region: str
    destination: str
    image: str
    started: float
    ended: float | None
    end: str


class BooksDict(TypedDict):
    """The books as JSON."""

    requests: dict[str, int]
    refused: dict[str, int]
    faults: dict[str, int]
    calls: list[CallEntry]
    copies: list[CopyEntry]
    in_flight: dict[str, int]
    peak_in_flight: dict[str, int]
    peak_destinations_per_source: int
    largest_call: int
    violations: list[str]


@dataclass(slots=True)
class Books:
    """What happened, in the order it happened."""

    requests: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    calls: list[CallEntry] = field(default_factory=list)
    copies: list[CopyEntry] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    peaks: Counter[Region] = field(default_factory=Counter)
    spread: int = 0
    _numbers: dict[int, CopyEntry] = field(default_factory=dict)
    _flying: dict[int, Task] = field(default_factory=dict)
    _of_source: dict[tuple[Region, ImageId], Counter[Region]] = field(
        default_factory=lambda: defaultdict(Counter)
    )
    _loads: Counter[Region] = field(default_factory=Counter)

    def called(self, at: float, request: CopyRequest, outcome: str, pairs: Pairs = ()) -> None:
        """Write down one copyImages call and what came of it."""
        self.calls.append(
            CallEntry(
                at=at,
                origin=request.origin,
                destination=request.destination,
                sources=list(request.sources),
                described=request.description is not None,
                outcome=outcome,
                images=[image for _, image in pairs],
            )
        )
        if len(request.sources) > CHUNK_MAX:
            self.violations.append(f"a call with {len(request.sources)} images to {request.destination}")

    def began(self, at: float, task: Task, living: list[ImageId]) -> None:
        """Write down a copy; `living` are earlier copies of its root that still live there."""
        entry = CopyEntry(
            source=task.source,
            origin=task.origin,
            root=task.root[1],
            root_region=task.root[0],
            destination=task.destination,
            image=task.image,
            started=at,
            ended=None,
            end="",
        )
        self.copies.append(entry)
        self._numbers[task.number] = entry
        self._take_off(task)
        if living:
            others = ", ".join(living)
            self.violations.append(
                f"duplicate: {task.image} of {task.root[1]} in {task.destination}, beside {others}"
            )

    def ended(self, at: float, task: Task, end: str) -> None:
        """Write down how a copy ended; a copy that is no longer under way is left as it is."""
        if self._flying.pop(task.number, None) is None:
            return
        entry = self._numbers[task.number]
        entry["ended"], entry["end"] = at, end
        self._loads[task.destination] -= 1
        self._of_source[task.origin, task.source][task.destination] -= 1

    def _take_off(self, task: Task) -> None:
        """Count a copy as under way, and notice a source that travels to two regions."""
        self._flying[task.number] = task
        self._loads[task.destination] += 1
        self.peaks[task.destination] = max(self.peaks[task.destination], self._loads[task.destination])
        towards = self._of_source[task.origin, task.source]
        towards[task.destination] += 1
        regions = sorted(region for region, count in towards.items() if count > 0)
        self.spread = max(self.spread, len(regions))
        if len(regions) > 1:
            self.violations.append(f"{task.source} under way to {' and '.join(regions)} at once")

    def as_dict(self) -> BooksDict:
        """Copy the books into what JSON can carry."""
        return BooksDict(
            requests=dict(self.requests),
            refused=dict(self.refused),
            faults=dict(self.faults),
            calls=[call.copy() for call in self.calls],
            copies=[copy.copy() for copy in self.copies],
            in_flight={region: count for region, count in self._loads.items() if count},
            peak_in_flight=dict(self.peaks.items()),
            peak_destinations_per_source=self.spread,
            largest_call=max((len(call["sources"]) for call in self.calls), default=0),
            violations=list(self.violations),
        )
