"""Every record of the schedule, made on first mention, and never two of one thing."""

from __future__ import annotations

from collections import defaultdict

from orchestrator.core.model import Copy, ImageId, Region
from orchestrator.core.schedule.tracks import Destination, Source, Track


class Records:
    """All copies, all images that carry or might carry one, all destinations."""

    def __init__(self) -> None:
        self.tracks: dict[Copy, Track] = {}
        self.sources: dict[tuple[Region, ImageId], Source] = {}
        self.by_image: dict[ImageId, list[Source]] = defaultdict(list)
        self.destinations: dict[Region, Destination] = {}
        self.patterns: dict[str, str] = {}  # by selector: how it groups names into families

    def track(self, copy: Copy) -> Track:
        """Return the record of a copy, making it on first mention."""
        known = self.tracks.get(copy)
        if known is not None:
            return known
        return self.enter(copy, self.source(copy.origin, copy.source), self.destination(copy.destination))

    def enter(self, copy: Copy, source: Source, destination: Destination) -> Track:
        """Make the record of a copy that has none yet; the other two are its own."""
        made = Track(copy, source, destination, len(self.tracks))
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

    def carrier(self, track: Track, region: Region, image: ImageId) -> Source:
        """Return the record of an image that carries a copy: the original's, or that of a copy of it."""
        if (region, image) == (track.copy.origin, track.copy.source):
            return track.source
        carrier = self.source(region, image)
        carrier.original = carrier.original or track.source
        return carrier

    def destination(self, region: Region) -> Destination:
        """Return the record of a destination, making it on first mention."""
        if region not in self.destinations:
            self.destinations[region] = Destination(region)
        return self.destinations[region]
