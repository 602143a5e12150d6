"""How one simulated world behaves: its pace, its habits and the fate of its copies. Values, no behaviour.

Whatever the documents leave open about the real cloud is a switch here, and its default is the
reading that the facts support best.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import exp
from random import Random
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from orchestrator.core.model import Region

STRICT = ConfigDict(extra="forbid")
"""An unknown key in a world file is an error."""

Chance = Annotated[float, Field(ge=0, le=1)]
"""A probability."""
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""A span of the cloud's time, before the division by `speed`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long things take. Every span here is divided by `speed`; the rate limit's minute is not.

    A copy takes (`copy_base_s` + `copy_per_gb_s` x GB) x a log-normal factor whose logarithm has
    the deviation `copy_spread`. No document gives a number: tens of minutes are assumed.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    copy_base_s: Seconds = 120.0
    copy_per_gb_s: Seconds = 60.0
    copy_spread: Annotated[float, Field(ge=0, le=3)] = 0.3
    listing_lag_s: Seconds = 0.0  # how long an accepted copy stays invisible to every describe call
    acceptance_s: Seconds = 0.0  # how long the answer to copyImages is held back after the effect
    deleting_s: Seconds = 0.0  # how long a deleted image is seen as `deleting`
    speed: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0

    def copy_s(self, size_mb: int, chance: Random, route: tuple[Region, Region] | None = None) -> float:
        """Draw the duration of one copy, in the seconds of whoever watches; here every route is alike."""
        nominal_s = self.copy_base_s + self.copy_per_gb_s * size_mb / 1024
        return nominal_s * exp(chance.gauss(0.0, self.copy_spread)) / self.speed

    def scaled(self, span_s: float) -> float:
        """Divide one of the other spans by the speed."""
        return span_s / self.speed


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """What the documents leave open, and ways to be unpleasant."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    partial: bool = False  # accept the good images of a call with bad ones, instead of refusing all
    images_null: bool = False  # say `"images": null` where a listing finds nothing
    newest_first: bool = False  # list the newest image first, so that pages shift under a reader
    stores_description: bool = True  # keep the caller's description, else write the platform's text
    writes_text: bool = True  # the platform names the source in `desc` where no description is kept
    refuses_description: bool = False  # 400 for a copyImages call that carries a description
    locks_sources: bool = True  # a source is busy while it is being copied
    stuck_holds_lock: bool = True  # also while its copy is stuck for ever
    old_rate_limit: bool = False  # say RATE_LIMIT, as the older documents do
    gateway_suffix: bool = False  # end the gateway's own messages in `[gw]`
    refuses_replays: bool = True  # 401 for a nonce seen within the clock window


class Fate(Enum):
    """What becomes of a copy."""

    READY = "ready"
    ERROR = "error"  # ends in status `error`
    VANISH = "vanish"  # disappears, with its snapshots, instead of becoming ready
    STUCK = "stuck"  # stays pending for ever


@dataclass(frozen=True, slots=True, kw_only=True)
class Fates:
    """Which copies come to a bad end, by source image id or by chance.

    An entry is a source id, or `source@destination` to mean one destination only. It holds for the
    copies of copies of that image too.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    error: frozenset[str] = frozenset()
    vanish: frozenset[str] = frozenset()
    stuck: frozenset[str] = frozenset()
    error_chance: Chance = 0.0
    vanish_chance: Chance = 0.0
    stuck_chance: Chance = 0.0

    def draw(self, source: str, destination: str, chance: Random) -> Fate:
        """Decide one copy's fate; always draws one number, so that a list does not shift the rest."""
        luck = chance.random()
        for fate, names, share in (
            (Fate.ERROR, self.error, self.error_chance),
            (Fate.VANISH, self.vanish, self.vanish_chance),
            (Fate.STUCK, self.stuck, self.stuck_chance),
        ):
            if source in names or f"{source}@{destination}" in names or luck < share:
                return fate
            luck -= share
        return Fate.READY
