"""What must hold after every step of a life: what is on the disk is the schedule, no more and no less."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.core.messages import Accepted, Refused
from orchestrator.core.model import Copy, ImageId, State
from orchestrator.core.schedule import Schedule
from tests.core.schedule.walk_checks import check
from tests.recovery.life import Life

_MADE = (State.COPYING, State.READY)


def hold(life: Life) -> None:
    """Compare live schedule, replay, twin and projection; nothing may exist twice."""
    check(life.shadow, life.shadow, life.shelves)
    if life.alive:
        check(life.schedule, life.shadow, life.shelves)
        _same_to_people(life.schedule, life.twin, life.now)
    _projection_is(life)


def hold_after_the_end(life: Life) -> None:
    """Read the whole ledger back: every event that was told, with its number, and the same state."""
    events = life.disk.events()
    assert events == tuple(life.told), f"{len(life.told)} events were told, {len(events)} others are there"
    recovered = life.recovered(events)
    check(recovered, life.shadow, life.shelves)
    _open_calls_are_unanswered(life, recovered)


def hold_when_done(life: Life) -> None:
    """Hold a run in fair weather to its end: each copy is made once, given up, or a person's."""
    hold(life)
    if life.schedule.stopped is not None:
        return
    for standing in life.schedule.standings():
        copy, state = standing.copy, standing.state
        assert state in (State.READY, State.FAILED) or life.asks(copy), f"{copy} ends as {state}"
        if state is State.READY and standing.image is not None:
            shown = life.shelves[copy.destination].get(standing.image)
            assert shown is not None, f"{standing.image} counts as ready and is not there"
            assert shown.status == "ready", f"{standing.image} counts as ready and is {shown.status}"


def _same_to_people(live: Schedule, twin: Schedule, now: float) -> None:
    """Compare what people are told: it is the same, whoever tells it."""
    assert live.standings() == twin.standings()
    assert live.overview() == twin.overview()
    assert live.strangers() == twin.strangers()
    assert (live.stopped, live.settled(), live.open_calls()) == (
        twin.stopped,
        twin.settled(),
        twin.open_calls(),
    )
    for waits in (False, True):
        assert live.finished(waits_for_room=waits) is twin.finished(waits_for_room=waits)
    for copy in live.states():
        assert live.why(copy, now) == twin.why(copy, now)


def _projection_is(life: Life) -> None:
    """Compare the table of copies with the events; what only it knows has just been wanted."""
    said = life.shadow.states()
    with life.disk.reader() as reader:
        kept = reader.states()
        images = {standing.copy: standing.image for standing in reader.copies(life.run)}
    assert {copy: kept.get(copy) for copy in said} == said
    assert all(state is State.WAITING for copy, state in kept.items() if copy not in said)
    ours = _images(life.shadow)
    wrong = [copy for copy in images if said.get(copy) in _MADE and images[copy] != ours[copy]]
    assert not wrong, f"the projection names other images: {wrong}"


def _images(schedule: Schedule) -> Mapping[Copy, ImageId | None]:
    return {copy: track.image for copy, track in schedule.register.tracks.items()}


def _open_calls_are_unanswered(life: Life, recovered: Schedule) -> None:
    """See that a call that was answered is not open, and one that nobody heard of is."""
    answered = {event.call for event in life.told if isinstance(event, Accepted | Refused)}
    assert not answered & set(recovered.open_calls())
    if life.alive:
        assert set(recovered.open_calls()) == set(life.calls)
