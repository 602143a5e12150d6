"""The freshness matrix: how old the newest ready copy of each family is, from real nights."""

from __future__ import annotations

import pytest

from orchestrator.core.codec import from_json
from orchestrator.core.freshness import Cell, freshness
from orchestrator.core.limits import Limits
from orchestrator.core.model import Copy, ImageId, Region, State
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule import Schedule
from orchestrator.core.verdict import Standing
from orchestrator.simulator.faults import Fault, Rule
from orchestrator.simulator.traits import Fates
from orchestrator.watch.freshness_view import age_text, freshness_lines, freshness_shape
from tests.nights import EAST, NORTH, SOUTH, Cloud, Operator, image_id, now

HOUR_S = 3600.0


def recalled(operator: Operator) -> Schedule:
    """Take in everything that the nights left on disk."""
    schedule = Schedule(Limits(), "testledger0")
    schedule.recover(from_json(kind, body) for kind, body in operator.ledger)
    return schedule


def build(number: int) -> str:
    """Name images as two pipelines build them: even ones golden, odd ones base."""
    return f"{'base' if number % 2 else 'golden-ubuntu'}-202611{number:02}"


@pytest.mark.looptime
async def test_a_family_is_as_old_as_its_newest_ready_copy() -> None:
    """Two nights with new ids: the second night's copies count, from the moment they became ready."""
    operator = Operator(Cloud(images=4, names=build))
    await operator.night([Copy(image_id(n), NORTH, to) for n in (0, 1) for to in (EAST, SOUTH)])
    between = now()
    second = await operator.night([Copy(image_id(n), NORTH, EAST) for n in (2, 3)])
    cells = {(c.family, c.destination): c for c in freshness(recalled(operator), second.schedule.standings())}
    assert set(cells) == {(f, d) for f in ("golden-ubuntu", "base") for d in (EAST, SOUTH)}
    east, south = cells["golden-ubuntu", EAST], cells["golden-ubuntu", SOUTH]
    assert east.copy == Copy(image_id(2), NORTH, EAST)
    assert east.ready_at is not None
    assert south.ready_at is not None
    assert south.ready_at <= between < east.ready_at <= now()
    assert (east.wanted, east.missing, south.wanted) == (True, 0, False)


@pytest.mark.looptime
async def test_a_copy_that_is_confirmed_does_not_become_younger() -> None:
    """A second night that finds everything there leaves every age as it was."""
    operator = Operator(Cloud(images=3, names=build))
    wanted = [Copy(image_id(n), NORTH, EAST) for n in range(3)]
    first = await operator.night(wanted)
    before = freshness(recalled(operator), first.schedule.standings())
    second = await operator.night(wanted)
    assert {change.reason for change in second.changes} == {Reason.CONFIRMED}
    assert freshness(recalled(operator), second.schedule.standings()) == before


@pytest.mark.looptime
async def test_an_outage_makes_no_copy_older_or_younger() -> None:
    """While nothing can be listed copies are as old as they are, and so they are when it can be again."""
    operator = Operator(Cloud(images=3, names=build))
    wanted = [Copy(image_id(n), NORTH, EAST) for n in range(3)]
    first = await operator.night(wanted)
    before = ages(recalled(operator), first.schedule.standings())
    operator.cloud.faults.replace([Rule(fault=Fault.LISTING_ERROR, chance=1.0)])
    dark = await operator.night(wanted)
    assert {standing.state for standing in dark.schedule.standings()} == {State.FAILED}
    assert ages(recalled(operator), dark.schedule.standings()) == before
    compacted = Schedule(Limits(), "testledger0")
    compacted.recover(recalled(operator).remember())
    assert ages(compacted, dark.schedule.standings()) == before
    operator.cloud.faults.replace([])
    light = await operator.night(wanted)
    assert ages(recalled(operator), light.schedule.standings()) == before


@pytest.mark.looptime
async def test_a_copy_that_broke_is_not_fresh() -> None:
    """An image that turned to `error` after it was ready counts for nothing, also in an outage after that."""
    operator = Operator(Cloud(images=1, names=build))
    wanted = [Copy(image_id(0), NORTH, EAST)]
    await operator.night(wanted)
    (image,) = operator.cloud.made(EAST)
    image.status = "error"
    broken = await operator.night(wanted)
    assert list(ages(recalled(operator), broken.schedule.standings()).values()) == [None]
    operator.cloud.faults.replace([Rule(fault=Fault.LISTING_ERROR, chance=1.0)])
    dark = await operator.night(wanted)
    assert list(ages(recalled(operator), dark.schedule.standings()).values()) == [None]


def ages(schedule: Schedule, latest: tuple[Standing, ...]) -> dict[tuple[str, Region], float | None]:
    """Say since when each family is ready in each destination."""
    return {(c.family, c.destination): c.ready_at for c in freshness(schedule, latest)}


@pytest.mark.looptime
async def test_a_failed_copy_marks_its_family() -> None:
    """The family of a copy that failed is missing there, and the last good copy's age still stands."""
    cloud = Cloud(images=4, names=build, fates=Fates(error=frozenset({image_id(2)})))
    operator = Operator(cloud)
    await operator.night([Copy(image_id(0), NORTH, EAST)])
    second = await operator.night([Copy(image_id(n), NORTH, EAST) for n in (2, 3)])
    cells = freshness(recalled(operator), second.schedule.standings())
    golden = next(cell for cell in cells if cell.family == "golden-ubuntu")
    assert (golden.missing, golden.failed) == (1, 1)
    assert golden.copy == Copy(image_id(0), NORTH, EAST)


def cell(
    family: str, destination: Region = EAST, *, age_h: float | None = 1.0, missing: int = 0, failed: int = 0
) -> Cell:
    """Make a cell of some age."""
    at = None if age_h is None else NOW - age_h * HOUR_S
    return Cell(
        family=family, destination=destination, ready_at=at, wanted=True, missing=missing, failed=failed
    )


NOW = 1_795_403_527.0


def test_the_matrix_is_aligned_and_marked() -> None:
    """A dash where there is none, a mark where something is missing, and a line that explains the mark."""
    cells = (
        cell("golden", EAST, age_h=26), cell("golden", SOUTH, age_h=None, missing=1, failed=1),
        cell("db\x1b[2J", EAST, age_h=100),
    )  # fmt: skip
    assert freshness_lines(cells, NOW) == [
        "freshness  cn-east-2  cn-south-1",
        "golden         26h           - !",
        "db\\x1b[2J    4d 4h           -",
        "  ! not all that the latest run wanted there is ready",
    ]
    assert freshness_lines((), NOW) == []


def test_while_a_run_goes_on_only_failures_are_marked() -> None:
    """What is still to come is no alarm."""
    coming, failed = cell("a", missing=1), cell("b", missing=1, failed=1)
    lines = freshness_lines((coming, failed), NOW, goes_on=True)
    assert ["!" in line for line in lines] == [False, False, True, True]


def test_many_families_are_counted() -> None:
    """Twelve rows fit one screen; whoever wants all of them is told where they are."""
    lines = freshness_lines([cell(f"family-{chr(97 + n)}") for n in range(15)], NOW)
    assert len(lines) == 1 + 12 + 1
    assert lines[-1] == "  and 3 other families, see `orchestrator status --json`"


def test_what_the_latest_run_wanted_comes_first_and_the_stalest_of_it() -> None:
    """A family that was given up long ago does not push tonight's trouble off the screen."""
    schedule = Schedule(Limits())
    standings = [
        Standing(copy=Copy(ImageId(f"{name}-1"), NORTH, EAST), state=state, reason=Reason.QUEUED)
        for name, state in (("fresh", State.READY), ("never", State.FAILED))
    ]
    for number, (name, at) in enumerate((("old", 1.0), ("fresh", NOW), ("older", 0.5))):
        track = schedule.register.track(Copy(ImageId(f"{name}-{number % 2}"), NORTH, EAST))
        track.state, track.since = State.READY, at
    order = [found.family for found in freshness(schedule, standings)]
    assert order == ["never", "fresh", "older", "old"]


def test_json_has_every_cell() -> None:
    """Times are ISO, what is not there is null."""
    first, second = freshness_shape((cell("a", age_h=None, missing=2), cell("b", age_h=0)))
    assert (first["ready_at"], first["missing"], first["source_image"]) == (None, 2, None)
    assert second["ready_at"] == "2026-11-23T03:12:07.000Z"


def test_ages_read_well() -> None:
    """Hours up to three days, then days."""
    ages = [age_text(hours * HOUR_S) for hours in (0, 3, 26.5, 71, 72, 100.2)]
    assert ages == ["0s", "3h", "26h 30m", "71h", "3d", "4d 4h"]
