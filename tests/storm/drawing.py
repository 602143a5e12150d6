"""Draws a storm from its seed. The same seed draws the same storm, on every machine."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from orchestrator.core.limits import Limits
from orchestrator.core.model import Copy, ImageId, Region
from orchestrator.simulator.faults import Fault, Rule
from orchestrator.simulator.traits import Fates, Pace, Switches
from tests.storm.mischief import Weather
from tests.storm.scenario import REGIONS, STORM_S, Act, Deed, Doom, End, Furniture, Habit, Scenario, Trait

_RELAY_SHARE = 0.4
"""Of the storms, in which the plan asks for a relay."""


def scenario_of(seed: int) -> Scenario:
    """Draw a storm."""
    chance = Random(f"storm/{seed}")
    fury = chance.choice((0.0, 0.5, 1.0, 1.0, 2.0))
    habit = chance.choice(
        (Habit.MARKS,) * 7 + (Habit.PLATFORM, Habit.REFUSES, Habit.SILENT, Habit.SILENT, Habit.MUTE)
    )
    limits = _limits(chance)
    sources = _sources(chance)
    reach = chance.sample(REGIONS[1:], chance.randint(1, 3))
    copies = tuple(
        Copy(source.image, source.region, to) for source in sources for to in reach if to != source.region
    )
    doomed = chance.random() < 0.3
    late = fury > 0 and chance.random() < 0.25
    pace = _pace(chance, limits.settle_s, late=late)
    return Scenario(
        seed=seed,
        habit=habit,
        sources=sources,
        copies=copies,
        limits=limits,
        pace=pace,
        switches=_switches(chance, habit, careless=not doomed),
        fates=Fates(error_chance=0.06, vanish_chance=0.06, stuck_chance=0.02) if doomed else Fates(),
        rules=_rules(fury),
        weather=_weather(chance, fury, (0.02 if late else 0.25) * limits.settle_s),
        stale=0.3 if late else 0.04 * fury,
        stale_s=Random(f"lag/{seed}").choice((3600.0, 1.2 * limits.settle_s)),
        quotas=_quotas(chance, len(sources)),
        rate_per_minute=chance.choice((60, 200, 1000, 1000)),
        request_timeout_s=chance.choice((10.0, 30.0, 60.0)),
        deeds=_deeds(chance, fury),
        dooms=tuple(_doom(chance, limits.settle_s) for _ in range(chance.randint(1, 4))),
        blind=_blind(Random(f"blind/{seed}"), reach) if fury else (),
        held_s=_held_s(Random(f"held/{seed}"), limits.settle_s - pace.listing_lag_s),
        relay=Random(f"relay/{seed}").random() < _RELAY_SHARE,
    )


def plainly(scenario: Scenario, habit: Habit) -> Scenario:
    """Make a storm of another one: over a cloud of this habit, every image fit to be copied, answers lost."""
    chance = Random(f"plain/{scenario.seed}")
    return replace(
        scenario,
        habit=habit,
        sources=tuple(replace(source, trait=Trait.FINE) for source in scenario.sources),
        switches=_switches(chance, habit, careless=False),
        fates=Fates(),
        rules=_rules(1.0),
        weather=_weather(chance, 2.0, 0.25 * scenario.limits.settle_s),
        deeds=(),
        plain=True,
    )


def _blind(chance: Random, reach: list[Region]) -> tuple[tuple[Region, float, float], ...]:
    """Draw whether somebody takes the permission to list a destination away, and for how long."""
    since = chance.choice((0.0, 0.0, chance.uniform(0, STORM_S / 2)))
    blind = (chance.choice(reach), since, since + chance.uniform(300, 7200))
    return (blind,) if chance.random() < 0.15 else ()


def _held_s(chance: Random, spare_s: float) -> float:
    """Draw whether calls of the dead arrive in the next life, and how late: they must be seen in time."""
    return chance.uniform(0.3, 0.9) * spare_s if chance.random() < 0.06 else 0.0


def _limits(chance: Random) -> Limits:
    """Draw the settings of the nights."""
    return Limits(
        workers=chance.randint(1, 4),
        region_copies=chance.choice((2, 5, 20)),
        requests_per_minute=chance.choice((60, 200, 600)),
        poll_interval_s=chance.choice((45.0, 60.0, 120.0)),
        copy_timeout_s=3 * 3600.0,
        settle_s=chance.choice((300.0, 900.0)),
        max_attempts=chance.choice((8, 20)),
    )


def _sources(chance: Random) -> tuple[Furniture, ...]:
    """Draw the images of the plan; some share a name, some can never be copied."""
    count, names = chance.choice((1, 3, 6, 9, 12)), chance.choice((3, 50, 50))
    spoilt = chance.choice((0.0, 0.0, 0.15))
    traits = [trait for trait in Trait if trait is not Trait.FINE]
    return tuple(
        Furniture(
            image=ImageId(f"img-src{number:07d}"),
            region=REGIONS[1] if chance.random() < 0.1 else REGIONS[0],
            name=f"golden-{chance.randrange(names)}",
            disks=chance.choice((1, 1, 1, 2)),
            size_mb=chance.randrange(8, 40) * 1024,
            trait=chance.choice(traits) if chance.random() < spoilt else Trait.FINE,
        )
        for number in range(count)
    )


def _pace(chance: Random, settle_s: float, *, late: bool) -> Pace:
    """Draw how slow the cloud is; with the network's delays it all stays below the settling time.

    In a `late` cloud a copy is first seen by the very listing that might settle its doubt.
    """
    lag = 0.95 if late else chance.choice((0.0, 0.05, 0.3))
    return Pace(
        copy_base_s=chance.uniform(60, 600),
        copy_per_gb_s=chance.uniform(5, 30),
        listing_lag_s=lag * settle_s,
        acceptance_s=chance.choice((0.0, 0.0, 5.0, 40.0)),
        deleting_s=chance.choice((0.0, 120.0)),
    )


def _switches(chance: Random, habit: Habit, *, careless: bool) -> Switches:
    """Draw what the documents leave open.

    A cloud that does not lock sources shows by its books what its locks would hide. It is only
    played where every copy can be followed to its end.
    """
    follows = habit is Habit.MARKS and careless
    return Switches(
        partial=chance.random() < 0.2,
        images_null=chance.random() < 0.3,
        newest_first=chance.random() < 0.3,
        stores_description=habit is Habit.MARKS,
        writes_text=habit in (Habit.PLATFORM, Habit.REFUSES),
        refuses_description=habit in (Habit.REFUSES, Habit.MUTE),
        locks_sources=not (follows and chance.random() < 0.5),
        stuck_holds_lock=True,
        old_rate_limit=chance.random() < 0.3,
        gateway_suffix=chance.random() < 0.3,
    )


def _rules(fury: float) -> tuple[Rule, ...]:
    """Make the service itself stumble."""
    often = {Fault.THROTTLE: 0.02, Fault.CONFLICT: 0.04, Fault.GATEWAY_TIMEOUT: 0.01, Fault.SLOW: 0.01}
    often |= {Fault.INTERNAL: 0.005, Fault.BAD_GATEWAY: 0.005, Fault.NO_REQUEST_ID: 0.005}
    often |= {Fault.RESET_AFTER: 0.005, Fault.TRUNCATED: 0.005, Fault.LISTING_ERROR: 0.01}
    calls = {Fault.FEWER_PAIRS: 0.04, Fault.RESET_AFTER: 0.03, Fault.INTERNAL: 0.02, Fault.THROTTLE: 0.04}
    on_calls = frozenset({"copyImages"})
    rules = [Rule(fault=fault, chance=share * fury) for fault, share in often.items()]
    return (*rules, *(Rule(fault=f, chance=share * fury, on=on_calls) for f, share in calls.items()))


def _weather(chance: Random, fury: float, delay_max_s: float) -> Weather:
    """Draw the network's faults; now and then a region answers nothing for up to an hour."""
    since = chance.uniform(0, STORM_S / 2)
    dark = (chance.choice(REGIONS), since, since + chance.uniform(300, 3600))
    return Weather(
        post=0.15 * fury,
        get=0.02 * fury,
        dial=0.02 * fury,
        delay_max_s=delay_max_s,
        dark=(dark,) if fury and chance.random() < 0.2 else (),
    )


def _quotas(chance: Random, sources: int) -> dict[Region, tuple[int, int]]:
    """Draw quotas: roomy, or too small for the plan."""
    sizes = ((200, 500), (200, 500), (sources // 2 + 1, 500), (200, sources // 2 + 2), (0, 0))
    return {region: chance.choice(sizes) for region in REGIONS[1:]}


def _deeds(chance: Random, fury: float) -> tuple[Deed, ...]:
    """Draw what happens meanwhile, in the order of time."""
    acts = [Act.QUOTA, Act.QUOTA, Act.BUSY, Act.TASK, Act.FOREIGN, Act.DELETE_COPY]
    acts += [Act.DELETE_SOURCE, Act.RENAME_SOURCE, Act.BREAK_SOURCE]
    count = chance.randint(0, 6) if fury else 0
    deeds = (
        Deed(
            at_s=chance.uniform(0, STORM_S) ** 2 / STORM_S,
            act=chance.choice(acts),
            region=chance.choice(REGIONS[1:]),
            number=chance.randrange(1000),
            span_s=chance.uniform(60, 3600),
        )
        for _ in range(count)
    )
    return tuple(sorted(deeds, key=lambda deed: deed.at_s))


def _doom(chance: Random, settle_s: float) -> Doom:
    """Draw how one life ends; moments are drawn evenly over the orders of magnitude."""
    end = chance.choice(
        (End.NONE, End.STEP, End.STEP, End.STEP, End.BEFORE, End.AFTER, End.SIGNAL, End.DEADLINE, End.PAUSED)
    )
    moments, commits = int(10 ** chance.uniform(0.3, 3.0)), int(10 ** chance.uniform(0.0, 2.2))
    spans = {End.SIGNAL: 10 ** chance.uniform(0.5, 3.9), End.DEADLINE: 10 ** chance.uniform(1.5, 3.9)}
    at = {End.BEFORE: commits, End.AFTER: commits}.get(end, int(spans.get(end, moments)))
    gap_s = chance.choice((1.0, 30.0, 600.0, 4000.0)) * chance.random()
    thaw_s = chance.random() * 0.2 * settle_s
    brief = end is End.PAUSED and commits % 2 == 0
    return Doom(
        end=end,
        at=at,
        gap_s=gap_s % 1.0 if brief else gap_s,
        thaw_s=thaw_s % 5.0 if brief else thaw_s,
        dialling=1 + moments % 3 if brief else 0,
        skew_s=chance.choice((0.0, 0.0, chance.uniform(-600, 600))),
    )
