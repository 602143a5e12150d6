"""What happens in one round, drawn from its seed: the plan, the cloud's faults, the moments of the kills.

Same seed, same draw. Where exactly a kill meets the program is the machine's affair: processes are real.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from orchestrator.core.model import Copy, ImageId, Region
from tests.e2e.support import EAST, EAST1, HESITANT, SOUTH, copies_of, images

PATIENT = {"ORCHESTRATOR_MAX_ATTEMPTS": "1000", "ORCHESTRATOR_WORKERS": "3"}
"""A run that gives a copy up would end with 3, and a round must end with 0."""

EARLY = 0.3  # share of the kills that are timed from the start of the process, not by what it has done
_EARLY_MAX_S, _LATE_MAX_S = 0.6, 0.06
_LINES_MAX = 90
_KILLS = (6, 15)
_IMAGES = (8, 25)


@dataclass(frozen=True, slots=True)
class Moment:
    """When to kill a run: once its log has so many lines (0: it was started), and so many seconds more."""

    lines: int
    late_s: float


@dataclass(frozen=True, slots=True)
class Round:
    """One round: a plan, a cloud, and a list of kills. `seed` is also the cloud's."""

    seed: int
    images: tuple[ImageId, ...]
    destinations: tuple[Region, ...]
    moments: tuple[Moment, ...]
    weather: dict[str, object]

    @property
    def wanted(self) -> set[Copy]:
        """Name the copies that must exist in the end, each once."""
        return copies_of(self.images, *self.destinations)


def draw(seed: int) -> Round:
    """Draw a round."""
    chance = Random(seed)
    destinations = chance.sample((EAST, EAST1, SOUTH), k=chance.choice((2, 3, 3)))
    return Round(
        seed=seed,
        images=images(chance.randrange(*_IMAGES)),
        destinations=tuple(destinations),
        moments=tuple(_moment(chance) for _ in range(chance.randrange(*_KILLS))),
        weather={"faults": _faults(chance), "slow_s": 0.3, "pace": _pace(chance)},
    )


def _moment(chance: Random) -> Moment:
    """Draw a moment: while the program starts, or anywhere in what it does, earlier ones more often."""
    if chance.random() < EARLY:
        return Moment(0, chance.uniform(0.0, _EARLY_MAX_S))
    return Moment(1 + int(_LINES_MAX * chance.random() ** 2), chance.uniform(0.0, _LATE_MAX_S))


def _faults(chance: Random) -> list[dict[str, object]]:
    """Draw the cloud's faults. Every fourth call loses its answer after its effect; so may others."""
    lost = {"fault": "reset-after", "on": ["copyImages"], "nth": list(range(1, 999, 4)), "chance": 0.1}
    doing = ["truncated", "gateway-timeout", "fewer-pairs", "slow"]
    refusing = ["internal", "bad-gateway", "reset-before", "throttle", "conflict", "no-request-id"]
    reading = ["listing-error", "reset-before", "truncated", "throttle"]
    others = [
        *({"fault": fault, "on": ["copyImages"], "chance": 0.06} for fault in chance.sample(doing, k=3)),
        *({"fault": fault, "on": ["copyImages"], "chance": 0.04} for fault in chance.sample(refusing, k=3)),
        *(
            {"fault": fault, "on": ["describeImages"], "chance": 0.03}
            for fault in chance.sample(reading, k=2)
        ),
    ]
    return [{**lost, "most": 12}, *({**rule, "most": 4} for rule in others)]


def _pace(chance: Random) -> dict[str, float]:
    """Draw how long an answer takes after its effect, and how long a copy stays invisible.

    At most 0.2 s and 0.4 s here, well within the settling time: that is the promise's condition.
    """
    return {**HESITANT, "acceptance_s": chance.uniform(0, 1200), "listing_lag_s": chance.uniform(0, 2400)}
