"""What an image may be a copy of, when nothing is certain: by its text or its name. It adopts nothing.

A likeness is never enough to take an image for a copy, and always enough to doubt that nothing was made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.core.marks import read_mark
from orchestrator.core.model import ImageId, Sighting
from orchestrator.core.schedule.evidence import claims, missed
from orchestrator.core.schedule.register import Register
from orchestrator.core.schedule.tracks import Destination, Track


@dataclass(frozen=True, slots=True)
class Likeness:
    """Images by what they may be copies of: the originals that their text stands for, or else their name.

    `by_guess` are, by their names, those whose text names an image that nobody knows: a copy of a copy
    says so where a ledger before this one, or a person, made it of a copy that is gone.
    """

    by_source: dict[ImageId, list[ImageId]]
    by_name: dict[str, list[ImageId]]
    by_guess: dict[str, list[ImageId]]

    @classmethod
    def of(cls, register: Register, destination: Destination, images: Iterable[Sighting]) -> Likeness:
        """Sort images of a destination."""
        likeness = cls(defaultdict(list), defaultdict(list), defaultdict(list))
        for sighting in images:
            claimed = claims(register, destination, sighting.text)
            for source in claimed:
                likeness.by_source[source].append(sighting.image)
            if not claimed:
                likeness.by_name[sighting.name].append(sighting.image)
            elif read_mark(sighting.text) is None and not any(s in register.by_image for s in claimed):
                likeness.by_guess[sighting.name].append(sighting.image)
        return likeness

    def to(self, track: Track) -> list[ImageId]:
        """Return those that may be this very copy."""
        named = (image for name in track.source.names for image in self.by_name.get(name, ()))
        return [*self.by_source.get(track.copy.source, ()), *named]

    def guessed(self, track: Track) -> list[ImageId]:
        """Return those that may be this copy if it was relayed by an image that nobody knows any more."""
        names = track.source.names if track.relay else ()
        return [image for name in names for image in self.by_guess.get(name, ())]


def lookalikes(register: Register, destination: Destination, images: Iterable[Sighting]) -> set[ImageId]:
    """Return the images that nobody owns but that resemble a copy that is missed: perhaps they are it."""
    unowned = [s for s in images if s.image not in destination.images]
    return resembling(register, destination, missed(destination), unowned)


def resembling(
    register: Register, destination: Destination, tracks: Iterable[Track], images: Iterable[Sighting]
) -> set[ImageId]:
    """Return the images of a destination that resemble one of these copies."""
    likeness = Likeness.of(register, destination, images)
    if not (likeness.by_source or likeness.by_name):
        return set()  # nothing unknown is there: the usual case, and the copies may be a million
    return {image for t in tracks for image in (*likeness.to(t), *likeness.guessed(t))}
