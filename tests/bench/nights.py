"""The kinds of night: which images, how long each copy takes, what the cloud refuses. Decides no schedule.

How long a copy takes is drawn once per night, for every pair of image and destination, so that
all policies meet the same night however they order it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import exp, log
from random import Random

from orchestrator.core.model import Copy, ImageId, Region

ORIGIN = Region("cn-north-1")
DESTINATIONS = tuple(map(Region, ("cn-east-2", "cn-south-1", "cn-east-1", "cn-west-1", "cn-west-2")))
ROOM = 20
"""Copies in flight per destination: the default of REGION_COPIES. Every policy keeps to it."""

LATENCY_S = 0.2
"""How long one request takes, there and back."""

_BASE_S, _PER_GB_S, _SIZE_GB = 120.0, 60.0, 8.0
"""A copy of the usual size takes ten minutes: the simulator's own pace."""
_SIZE_MIN_GB, _SIZE_MAX_GB = 1.0, 200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What makes a night hard.

    `sizes` and `noise` are deviations of logarithms: of the sizes, and of each copy's duration;
    `pace` is by how much every copy takes longer than the program assumes beforehand, `slow` by how
    much the last destination is slower than that; `culprits` is the share of images that get every
    call refused which holds one, without being named; `quota` the share of the images that fit into
    the first destination (images) and the second (snapshots).
    """

    name: str
    says: str
    sizes: float = 0.0
    noise: float = 0.03
    pace: float = 1.0
    slow: float = 1.0
    culprits: float = 0.0
    quota: float | None = None
    rate_per_minute: int = 1000


KINDS = {
    kind.name: kind
    for kind in (
        Kind(name="uniform", says="all images of 8 GB, about 10 minutes each, give or take 3 %"),
        Kind(name="lognormal", says="sizes log-normal around 8 GB (sigma 0.8), give or take 10 %",
             sizes=0.8, noise=0.1),
        Kind(name="slow", says="uniform, but the last destination takes 4 times as long", slow=4.0),
        Kind(name="quotas", says="uniform, but 70 % of the images fit into the first destination's image "
             "quota and 70 % into the second's snapshot quota", quota=0.7),
        Kind(name="culprits", says="uniform, but 5 % of the images (at least one) get each whole call "
             "refused that holds one, and are not named", culprits=0.05),
        Kind(name="throttled", says="uniform, but the cloud takes 30 requests a minute, not 1,000",
             rate_per_minute=30),
        Kind(name="brisk", says="culprits again, but copies take one minute, a tenth of what the program "
             "assumes before it has seen the first one end", culprits=0.05, pace=0.1),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Night:
    """One seeded night: everything that chance decides about it, before any policy begins.

    At a `speed` every copy is so many times faster, and the gateway takes as many times the requests;
    whoever has pauses divides them too. `latency_s` is not divided.
    """

    kind: Kind
    regions: int
    images: int
    seed: int
    speed: int = 1
    latency_s: float = LATENCY_S

    @property
    def rate_per_minute(self) -> int:
        """How many requests the gateway takes in a minute."""
        return self.kind.rate_per_minute * self.speed

    @property
    def destinations(self) -> tuple[Region, ...]:
        """The regions copied to, in the plan's order."""
        return DESTINATIONS[: self.regions]

    @cached_property
    def sources(self) -> tuple[ImageId, ...]:
        """The source images, in the plan's order."""
        return tuple(ImageId(f"img-src{number:06d}") for number in range(self.images))

    @cached_property
    def copies(self) -> tuple[Copy, ...]:
        """Everything wanted, in the plan's order: those of one image follow each other."""
        return tuple(Copy(source, ORIGIN, to) for source in self.sources for to in self.destinations)

    @cached_property
    def culprits(self) -> frozenset[ImageId]:
        """The images that get whole calls refused."""
        share = self.kind.culprits
        number = max(1, round(share * self.images)) if share else 0
        return frozenset(Random(f"culprits {self.seed} {self.images}").sample(self.sources, number))

    @cached_property
    def sizes_mb(self) -> dict[ImageId, int]:
        """How large each source is; a policy may ask the cloud for it."""
        chance, sizes_mb = Random(f"sizes {self.kind.sizes} {self.images} {self.seed}"), {}
        for source in self.sources:
            drawn_gb = exp(chance.gauss(log(_SIZE_GB), self.kind.sizes))
            sizes_mb[source] = round(1024 * min(max(drawn_gb, _SIZE_MIN_GB), _SIZE_MAX_GB))
        return sizes_mb

    @cached_property
    def took_s(self) -> dict[Copy, float]:
        """How long each copy takes; no policy knows it beforehand."""
        chance = Random(f"took {self.regions} {self.images} {self.seed}")
        return {copy: self._drawn_s(copy.source, copy.destination, chance) for copy in self.copies}

    @cached_property
    def relayed_s(self) -> dict[Copy, float]:
        """How long each copy takes that is made of an earlier copy: its origin is where that one is."""
        chance = Random(f"relayed {self.regions} {self.images} {self.seed}")
        pairs = [(at, to) for at in self.destinations for to in self.destinations if at != to]
        return {
            Copy(source, at, to): self._drawn_s(source, to, chance)
            for source in self.sources
            for at, to in pairs
        }

    def lasts_s(self, copy: Copy) -> float:
        """Tell how long a copy takes; its source is the original image, its origin may be any region."""
        return self.took_s[copy] if copy.origin == ORIGIN else self.relayed_s[copy]

    def _drawn_s(self, source: ImageId, destination: Region, chance: Random) -> float:
        """Draw the duration of one copy."""
        nominal_s = (_BASE_S + _PER_GB_S * self.sizes_mb[source] / 1024) * self.kind.pace / self.speed
        slower = self.kind.slow if destination == self.destinations[-1] else 1.0
        return nominal_s * slower * exp(chance.gauss(0.0, self.kind.noise))

    def fits(self, destination: Region) -> int:
        """Tell how many copies a destination can take in all, by its quotas."""
        tight = self.kind.quota is not None and destination in self.destinations[:2]
        return int(self.images * (self.kind.quota or 1.0)) if tight else self.images

    @property
    def possible(self) -> int:
        """How many copies the cloud would let anybody make."""
        good = self.images - len(self.culprits)
        return sum(min(good, self.fits(to)) for to in self.destinations)
