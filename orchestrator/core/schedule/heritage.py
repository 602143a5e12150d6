"""What the schedule knows of each copy's image and where it came from: for labels and retention."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.core.marks import read_mark
from orchestrator.core.model import CallId, Copy, ImageId, Sighting, State
from orchestrator.core.schedule.register import Register


@dataclass(frozen=True, slots=True)
class Heritage:
    """One copy and its image in the destination.

    `answered` tells that an answer to our own call named the image, `call` which call was the
    latest; `source` is the original as it was last inspected, None where it never was.
    """

    copy: Copy
    image: ImageId
    state: State
    answered: bool
    call: CallId | None
    source: Sighting | None

    def is_ours(self, sighting: Sighting, ledger: str) -> bool:
        """Tell whether a call of this ledger surely made the image: its answer says so, or its mark does."""
        mark = read_mark(sighting.text)
        return self.answered or (mark is not None and mark.ledger == ledger)


def heritage(register: Register) -> Iterator[Heritage]:
    """Give every copy that has an image."""
    for track in register.tracks.values():
        if track.image is not None:
            seen = track.source.sighting
            yield Heritage(track.copy, track.image, track.state, track.answered, track.call, seen)
