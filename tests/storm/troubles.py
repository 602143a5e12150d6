"""Storms that seek a fault: each trouble puts one into every storm of a run; others meet it once in hundreds.

What does not belong to the fault is kept out of its way. Draws only from chance of its own, so that no other
storm changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from random import Random
from typing import assert_never

from orchestrator.core.model import Copy
from orchestrator.simulator.traits import Pace
from tests.storm.drawing import plainly, scenario_of
from tests.storm.mischief import Weather
from tests.storm.scenario import REGIONS, Act, Deed, Doom, End, Habit, Scenario

_SETTLE_S = 300.0
_TIMEOUT_S = 10.0


class Trouble(Enum):
    """A fault that is met in every storm."""

    HELD = (
        "a process dies when its call is on the way, or just given up, and the call arrives in the next life"
    )
    STALE = "a copy is shown late, and every other listing is older still"
    WORDS = "others copy the sources of the plan themselves, and the cloud writes no texts for our calls"
    SPOILT = "sources turn out to be broken between their inspection and their call"
    RELAY = "ready copies carry others, and people work on them, break and delete them"


Wish = Habit | Trouble | None
"""What is asked for of all storms of a run: a kind of cloud, a trouble, or nothing."""


def words(wish: Wish) -> str:
    """Write a wish as it is typed."""
    match wish:
        case None:
            return ""
        case Habit():
            return f"--cloud {wish.name.lower()}"
        case Trouble():
            return f"--trouble {wish.name.lower()}"
        case _:
            assert_never(wish)


def scenario_for(seed: int, wish: Wish) -> Scenario:
    """Draw the storm of a seed as it was asked for."""
    match wish:
        case None:
            return scenario_of(seed)
        case Habit():
            return plainly(scenario_of(seed), wish)
        case Trouble():
            return _TROUBLES[wish](scenario_of(seed), Random(f"{wish.name.lower()}/{seed}"))
        case _:
            assert_never(wish)


def _open(scenario: Scenario, habit: Habit) -> Scenario:
    """Keep away all but lost answers and crashes: room for all, quick copies, no lock that hides another."""
    plain = plainly(replace(scenario, limits=replace(scenario.limits, settle_s=_SETTLE_S)), habit)
    return replace(
        plain,
        pace=Pace(copy_base_s=60.0, copy_per_gb_s=1.0),
        switches=replace(plain.switches, locks_sources=habit is not Habit.MARKS),
        stale=0.0,
        quotas={},
        blind=(),
        held_s=0.0,
    )


def _held(scenario: Scenario, chance: Random) -> Scenario:
    """Let calls crawl, and each life die right after one was sent, or after it was given up.

    No life begins before the settling time is over, counted from the call.
    """
    given_up_s = _TIMEOUT_S + chance.uniform(1.0, 10.0)
    dooms = tuple(
        Doom(
            end=End.STEP,
            at=0,
            gap_s=chance.uniform(1.1, 1.4) * _SETTLE_S,
            thaw_s=0.0,
            skew_s=0.0,
            dialling=chance.randint(1, 3),
            after_s=chance.choice((1.0, given_up_s)),
        )
        for _ in range(4)
    )
    return replace(
        _open(scenario, Habit.MARKS),
        weather=Weather(post=0.1, crawl=0.6, delay_max_s=0.25 * _SETTLE_S),
        request_timeout_s=_TIMEOUT_S,
        held_s=chance.uniform(0.6, 0.9) * _SETTLE_S,
        dooms=dooms,
    )


def _stale(scenario: Scenario, chance: Random) -> Scenario:
    """Lose calls' answers; show copies first when their doubt is due, and listings as of a time before that.

    No listing is lost: where the fresh one between two stale ones is, two in a row show nothing.
    """
    quiet = _open(scenario, Habit.MARKS)
    return replace(
        quiet,
        limits=replace(quiet.limits, region_copies=1),
        pace=replace(quiet.pace, listing_lag_s=0.95 * _SETTLE_S),
        rules=(),
        weather=Weather(post=0.6, delay_max_s=0.02 * _SETTLE_S),
        stale=0.7,
        stale_s=chance.uniform(1.1, 1.4) * _SETTLE_S,
        dooms=(Doom(end=End.NONE, at=0, gap_s=0.0, thaw_s=0.0, skew_s=0.0),),
    )


def _words(scenario: Scenario, chance: Random) -> Scenario:
    """Let somebody copy sources of the plan before us, where the cloud tells nothing of what we make."""
    reach = sorted({copy.destination for copy in scenario.copies})
    deeds = tuple(
        Deed(at_s=0.0, act=Act.FOREIGN, region=region, number=4 * chance.randrange(250) + 3, span_s=0.0)
        for region in reach
    )
    quiet = _open(scenario, Habit.SILENT)
    return replace(quiet, weather=Weather(post=0.3, delay_max_s=0.25 * _SETTLE_S), deeds=deeds)


def _spoilt(scenario: Scenario, chance: Random) -> Scenario:
    """Break sources during the first hour, in a cloud that refuses a call as a whole."""
    deeds = tuple(
        Deed(
            at_s=chance.uniform(0, 3600),
            act=Act.BREAK_SOURCE,
            region=REGIONS[0],
            number=chance.randrange(1000),
            span_s=0.0,
        )
        for _ in range(6)
    )
    quiet = _open(scenario, Habit.MARKS)
    return replace(quiet, switches=replace(quiet.switches, partial=False), deeds=deeds, plain=False)


def _relay(scenario: Scenario, chance: Random) -> Scenario:
    """Let copies go on to every region, and let somebody get at those that are ready; answers are lost."""
    acts = (Act.BUSY, Act.TASK, Act.BREAK_SOURCE, Act.DELETE_COPY)
    deeds = tuple(
        Deed(
            at_s=chance.uniform(60.0, 1200.0),
            act=chance.choice(acts),
            region=chance.choice(REGIONS[1:]),
            number=2 * chance.randrange(500) + 1,
            span_s=chance.uniform(60.0, 1800.0),
        )
        for _ in range(8)
    )
    quiet = _open(scenario, chance.choice((Habit.MARKS, Habit.PLATFORM)))
    sources = tuple(replace(source, region=REGIONS[0]) for source in quiet.sources)
    return replace(
        quiet,
        sources=sources,
        copies=tuple(Copy(source.image, source.region, to) for source in sources for to in REGIONS[1:]),
        limits=replace(quiet.limits, region_copies=chance.choice((3, 20))),
        switches=replace(quiet.switches, partial=False),
        weather=Weather(post=0.25, delay_max_s=0.25 * _SETTLE_S),
        deeds=tuple(sorted(deeds, key=lambda deed: deed.at_s)),
        plain=False,
        relay=True,
    )


_TROUBLES: dict[Trouble, Callable[[Scenario, Random], Scenario]] = {
    Trouble.HELD: _held,
    Trouble.STALE: _stale,
    Trouble.WORDS: _words,
    Trouble.SPOILT: _spoilt,
    Trouble.RELAY: _relay,
}
