"""What is decided about a storm before it begins: cloud, plan, limits, weather, who dies when. Values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from orchestrator.core.limits import Limits
from orchestrator.core.model import Copy, ImageId, Region
from orchestrator.simulator.faults import Rule
from orchestrator.simulator.traits import Fates, Pace, Switches
from tests.storm.mischief import Weather

DIALS_S = 0.02
"""After an intent: its connection is being made then, if it is not refused."""

REGIONS = tuple(Region(name) for name in ("cn-north-1", "cn-east-1", "cn-east-2", "cn-south-1"))
STORM_S = 4 * 3600.0
"""Nothing new goes wrong after this virtual time."""


class Habit(Enum):
    """What the cloud does with the description of a copy call."""

    MARKS = "stores it"
    PLATFORM = "writes its own text instead"
    REFUSES = "refuses it, and writes its own text"
    SILENT = "stores nothing and writes nothing"
    MUTE = "refuses it and writes nothing"

    @property
    def tells(self) -> bool:
        """Tell whether a copy can be recognised by its text."""
        return self in (Habit.MARKS, Habit.PLATFORM, Habit.REFUSES)


class Trait(Enum):
    """What is wrong with a source image from the beginning."""

    FINE = "fine"
    ABSENT = "absent"
    ENCRYPTED = "encrypted"
    LOCAL_DISK = "local disk"
    BROKEN = "in status error"
    PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class Furniture:
    """One source image of the plan."""

    image: ImageId
    region: Region
    name: str
    disks: int
    size_mb: int
    trait: Trait


class Act(Enum):
    """What people and the cloud's owner do meanwhile."""

    QUOTA = "a quota moves"
    DELETE_SOURCE = "a source is deleted"
    RENAME_SOURCE = "a source is renamed"
    BUSY = "a source is converted"
    TASK = "a foreign task works on a source"
    FOREIGN = "somebody's image of the same name appears"
    DELETE_COPY = "somebody deletes a copy"
    BREAK_SOURCE = "a source turns out to be broken"


@dataclass(frozen=True, slots=True)
class Deed:
    """One act at a virtual time; `number` chooses the source, image or size."""

    at_s: float
    act: Act
    region: Region
    number: int
    span_s: float


class End(Enum):
    """How a life of the program is ended from outside."""

    NONE = "not at all"
    STEP = "killed between two moments"
    BEFORE = "killed before a commit"
    AFTER = "killed after a commit"
    SIGNAL = "told to stop"
    DEADLINE = "out of time"
    PAUSED = "frozen, and thawed when the next life goes on already"


@dataclass(frozen=True, slots=True)
class Doom:
    """How and when one life ends: `at` counts moments, commits or seconds; `skew_s` is its clock's error.

    Where `dialling` is given the life stops `after_s` after the intent of its `dialling`th call instead: one
    that freezes for a moment only does so while that call makes its connection.
    """

    end: End
    at: int
    gap_s: float
    thaw_s: float
    skew_s: float
    dialling: int = 0
    after_s: float = DIALS_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One storm. Quotas are (images, snapshots) by destination when it begins.

    `stale` is the share of listings by a replica that lags `stale_s` behind.
    `blind` are (region, from, until): listings that show nothing, as for want of a permission.
    Where a process dies while its calls are on their way, these arrive `held_s` after the next life began,
    unless that is 0.
    In a `plain` storm nothing stands in the way of a copy but lost answers and crashes.
    With a `relay` ready copies carry others, and people get at copies as they do at sources.
    """

    seed: int
    habit: Habit
    sources: tuple[Furniture, ...]
    copies: tuple[Copy, ...]
    limits: Limits
    pace: Pace
    switches: Switches
    fates: Fates
    rules: tuple[Rule, ...]
    weather: Weather
    stale: float
    stale_s: float
    quotas: dict[Region, tuple[int, int]]
    rate_per_minute: int
    request_timeout_s: float
    deeds: tuple[Deed, ...]
    dooms: tuple[Doom, ...]
    blind: tuple[tuple[Region, float, float], ...]
    held_s: float = 0.0
    plain: bool = False
    relay: bool = False
