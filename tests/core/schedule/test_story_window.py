"""How many copies may be in flight: learned from refusals, kept over nights, never above REGION_COPIES."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core.codec import from_json, kind_of, to_json
from orchestrator.core.limits import Limits
from orchestrator.core.messages import Accepted, Refused, Remembered
from orchestrator.core.model import CallId, Copy, ImageId, State
from orchestrator.core.reasons import MEANINGS, Reason
from orchestrator.core.schedule import Schedule, window
from orchestrator.core.schedule.register import Register
from orchestrator.core.schedule.tracks import Destination, Track
from orchestrator.core.schedule.window import most_in_flight
from tests.core.schedule.stories import EAST, LEDGER, NORTH, SOUTH, Call, Story, copies_of, image_id, story

SUSPICIOUS = (Reason.CONFLICT, Reason.UNEXPLAINED)


def night(images: int, *, workers: int = 1, region_copies: int = 20, learned: int | None = None) -> Story:
    """Begin a night to EAST whose mark is above suspicion, perhaps with what an earlier night learned."""
    tale = story(copies_of(images, EAST), workers=workers, region_copies=region_copies)
    tale.region(EAST).mark_proven, tale.region(EAST).window.most = True, learned
    return tale


def allowed(tale: Story) -> int:
    """Tell how many copies to EAST may be in flight."""
    return most_in_flight(tale.region(EAST), tale.limits.region_copies)


# --- what counts as crowded -----------------------------------------------------------------------


@pytest.mark.parametrize("reason", SUSPICIOUS)
def test_one_refusal_without_a_name_is_an_images_affair(reason: Reason) -> None:
    """A chunk is refused, taken apart, its culprit found: as many copies as before may be in flight."""
    tale = night(10)
    while calls := tale.go():
        for call in calls:
            if 7 in call.numbers:
                tale.refuse(call, reason)
            else:
                tale.accept(call)
    assert allowed(tale) == 20


def crowd_of(images: int = 60, learned: int | None = None) -> tuple[Story, list[Call]]:
    """Begin a night in which ten copies are being made, and three more calls of ten are on their way."""
    tale = night(images, workers=4, region_copies=40, learned=learned)
    first, *calls = tale.go()
    tale.accept(first)
    return tale, calls


@pytest.mark.parametrize("reason", SUSPICIOUS)
def test_three_calls_in_a_row_of_different_images_are_the_destinations_affair(reason: Reason) -> None:
    """Thirty images refused by tens while ten are being made: a third fewer may be in flight."""
    tale, calls = crowd_of()
    seen = [allowed(tale) for call in calls if tale.refuse(call, reason)]
    assert seen == [40, 40, 28]


def test_an_accepted_call_between_them_speaks_for_the_destination() -> None:
    """Refused twice, accepted, refused: culprits, not a crowd."""
    tale, (second, third, fourth) = crowd_of()
    tale.refuse(second, Reason.CONFLICT)
    tale.refuse(third, Reason.CONFLICT)
    tale.accept(*tale.go()[:1])
    tale.refuse(fourth, Reason.CONFLICT)
    assert allowed(tale) == 40


def test_where_nothing_is_being_made_nothing_is_crowded() -> None:
    """Four calls refused before any was accepted: it cannot be for copies that do not exist."""
    tale = night(40, workers=4, region_copies=40)
    for call in tale.go():
        tale.refuse(call, Reason.CONFLICT)
    assert allowed(tale) == 40


def test_the_same_images_again_and_again_are_no_crowd() -> None:
    """Two images have tasks of their own all night long: the destination is not blamed for either."""
    tale = night(3)
    for _ in range(40):
        for call in tale.go() or tale.wait(301):
            if {0, 1} & set(call.numbers):
                tale.refuse(call, Reason.CONFLICT)
            else:
                tale.accept(call)
    assert tale.region(EAST).copying
    assert allowed(tale) == 20


@pytest.mark.parametrize("reason", [Reason.BUSY, Reason.SOURCE_PENDING, Reason.NOT_PRIVATE, Reason.CONFLICT])
def test_what_is_surely_an_images_own_shrinks_nothing(reason: Reason) -> None:
    """Busy, not ready, not ours, or any refusal that names an image of the call."""
    tale, calls = crowd_of()
    for call in calls:
        tale.refuse(call, reason, call.sources[0])
    assert allowed(tale) == 40


def test_an_image_that_is_not_ready_is_no_crowd_without_its_name_either() -> None:
    """The status that such a refusal speaks of is an image's."""
    tale, calls = crowd_of()
    for call in calls:
        tale.refuse(call, Reason.SOURCE_PENDING)
    assert allowed(tale) == 40


def test_a_suspected_mark_is_no_crowd() -> None:
    """Where no mark was ever accepted, the first unexplained refusal is laid to the mark."""
    tale, calls = crowd_of()
    tale.region(EAST).mark_proven = False
    for call in calls:
        tale.refuse(call, Reason.UNEXPLAINED)
    assert allowed(tale) == 40


def test_a_throttle_that_passes_shrinks_nothing() -> None:
    """It counts requests a minute, not copies: calls pause, and the same number may be in flight."""
    tale = night(40)
    began = tale.now
    while tale.now < began + 50:
        for call in tale.go() or tale.wait(10):
            tale.refuse(call, Reason.THROTTLED)
    tale.accept(*tale.wait(60))
    assert allowed(tale) == 20


def test_a_throttle_that_outlasts_its_minute_shrinks() -> None:
    """Hardly anything was sent for a minute, and it still says too much: perhaps it means copies."""
    tale = night(40)
    tale.accept(*tale.go())
    began = tale.now
    while tale.now < began + 150:
        for call in tale.go() or tale.wait(10):
            tale.refuse(call, Reason.THROTTLED)
    assert allowed(tale) == 14


def test_another_destination_is_not_blamed() -> None:
    """EAST is crowded; SOUTH takes as many as before."""
    tale, calls = crowd_of()
    tale.begin((*copies_of(60, EAST), Copy(image_id(99), NORTH, SOUTH)), run="run2")
    for call in calls:
        tale.refuse(call, Reason.CONFLICT)
    assert most_in_flight(tale.region(SOUTH), 40) == 40


# --- how it moves ---------------------------------------------------------------------------------


class Crowd:
    """A destination that makes so many copies, and refuses one image after the other."""

    def __init__(self, region_copies: int = 20, typical_s: float | None = None, makes: int = 1) -> None:
        self.register = Register(Limits(region_copies=region_copies, backoff_max_s=300), LEDGER)
        self.destination: Destination = self.register.destination(EAST)
        self.destination.window.crowd = 1
        if typical_s is not None:
            self.register.forecasts.learn((NORTH, EAST), 8.0, typical_s)
        for number in range(makes):
            self.destination.copying[ImageId(f"img-made{number}")] = self.new()

    def new(self) -> Track:
        """Make the record of one more copy."""
        return self.register.track(Copy(ImageId(f"img-src{len(self.register.tracks):04d}"), NORTH, EAST))

    def refuse(self, at: float) -> int:
        """Refuse one more image; tell how many copies may be in flight then."""
        tracks = (self.new(),)
        event = Refused(at=at, call=CallId("c"), reason=Reason.CONFLICT)
        window.refused(self.register, tracks, event, MEANINGS[event.reason].nature)
        return most_in_flight(self.destination, self.register.limits.region_copies)

    def accept(self, copies: int) -> int:
        """Accept so many copies; tell how many may be in flight then."""
        window.accepted(self.register, self.destination, copies)
        return most_in_flight(self.destination, self.register.limits.region_copies)


@pytest.mark.parametrize(("typical_s", "episode_s"), [(None, 300), (600, 600)])
def test_it_shrinks_once_in_the_time_that_a_copy_takes(typical_s: float | None, episode_s: float) -> None:
    """A row of refusals is one crowd; where no copy was finished yet, BACKOFF_MAX stands for its duration."""
    crowd = Crowd(typical_s=typical_s)
    assert [crowd.refuse(at) for at in (0, 0, 1, episode_s - 1)] == [20, 14, 14, 14]
    assert [crowd.refuse(at) for at in (episode_s, 2 * episode_s - 1, 2 * episode_s)] == [9, 9, 6]


@pytest.mark.parametrize(("makes", "last"), [(1, [4, 2, 1, 1, 1]), (6, [6, 6, 6, 6, 6]), (30, [20] * 5)])
def test_it_never_shrinks_below_what_is_being_made(makes: int, last: list[int]) -> None:
    """Refused for hours: down to one copy at a time, but not below what the cloud shows that it can do."""
    crowd = Crowd(makes=makes)
    assert [crowd.refuse(3600.0 * hour) for hour in range(9)][4:] == last


def test_it_grows_by_one_for_each_window_of_accepted_copies() -> None:
    """Three accepted: from three to four. Four more: five. At REGION_COPIES it is forgotten."""
    crowd = Crowd(region_copies=6)
    crowd.destination.window.most = 3
    assert [crowd.accept(1) for _ in range(12)] == [3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 5, 6]
    assert crowd.destination.window.most is None
    assert crowd.accept(100) == 6


def test_a_chunk_counts_by_its_copies() -> None:
    """Ten copies accepted at once are two windows of four and five, and one copy of the next."""
    crowd = Crowd()
    crowd.destination.window.most = 4
    assert (crowd.accept(10), crowd.destination.window.grown) == (6, 1)


def test_no_more_copies_are_in_flight_than_were_learned() -> None:
    """Over a whole night, from the call until the copy is ready; and all are made in the end."""
    tale = night(40, learned=4)
    while tale.states() != {State.READY}:
        tale.accept(*tale.go())
        assert tale.region(EAST).in_flight <= allowed(tale)
        tale.finish()
        tale.accept(*tale.wait(60))
        assert tale.region(EAST).in_flight <= allowed(tale)


def test_a_lower_setting_holds_and_a_higher_one_does_not_undo_what_was_learned() -> None:
    """Fourteen learned: REGION_COPIES=5 allows five, REGION_COPIES=50 fourteen."""
    destination = night(1, learned=14).region(EAST)
    assert [most_in_flight(destination, most) for most in (5, 14, 50)] == [5, 14, 14]


# --- what is kept ---------------------------------------------------------------------------------


def test_the_next_night_begins_with_what_this_one_learned() -> None:
    """Also when it is read back from the ledger, and from a compacted one."""
    tale, calls = crowd_of()
    for call in calls:
        tale.refuse(call, Reason.CONFLICT)
    whole, short = Schedule(tale.limits, LEDGER), Schedule(tale.limits, LEDGER)
    whole.recover(from_json(kind_of(event), to_json(event)) for event in tale.told)
    short.recover(from_json("remembered", to_json(event)) for event in whole.remember())
    tale.begin(copies_of(60, EAST), run="run2")
    assert allowed(tale) == 28
    for schedule in (whole, short):
        assert schedule.register.destinations[EAST].window.most == 28


def test_a_memory_of_before_knows_no_window() -> None:
    """An older version's compaction says nothing of it: REGION_COPIES holds."""
    event = from_json("remembered", '{"at": 1.0, "regions": [{"region": "cn-east-2", "typical_s": 600.0}]}')
    assert isinstance(event, Remembered)
    schedule = Schedule(Limits(), LEDGER)
    schedule.apply(event)
    assert most_in_flight(schedule.register.destinations[EAST], 20) == 20


# --- what people read -----------------------------------------------------------------------------


def test_a_destination_that_is_held_back_says_so() -> None:
    """In its note, and in the reason why the next copy waits."""
    tale = night(30, learned=14)
    tale.accept(*tale.go())
    tale.go()
    (overview,) = tale.schedule.overview()
    last = Copy(image_id(29), NORTH, EAST)
    assert overview.note == "14 copies at a time instead of 20, learned from refusals"
    said = f"14 copies to cn-east-2 are under way, {overview.note}"
    assert tale.schedule.why(last, tale.now) == (Reason.QUEUED, said)


def test_a_destination_that_is_not_held_back_says_nothing() -> None:
    """REGION_COPIES is the user's own wish."""
    tale = night(30, workers=2)
    tale.go()
    (overview,) = tale.schedule.overview()
    last = Copy(image_id(29), NORTH, EAST)
    assert overview.note == ""
    assert tale.schedule.why(last, tale.now)[1] == "20 copies to cn-east-2 are under way"


# --- what it is good for --------------------------------------------------------------------------


def crowded_night(tale: Story, at_a_time: int, took_s: float = 600) -> tuple[int, float]:
    """Pass a night in a cloud that makes so many copies at a time, and refuses more as conflicts.

    Returns how many calls it refused, and how long the night took.
    """
    began, refusals, ends = tale.now, 0, dict[ImageId, float]()
    shelf = tale.shelves[EAST]
    while not tale.finished():
        for image in [image for image, end in ends.items() if end <= tale.now]:
            del ends[image]
            shelf[image] = replace(shelf[image], status="ready")
        for call in tale.go() or tale.wait(5):
            if len(ends) + len(call.sources) > at_a_time:
                refusals += 1
                tale.refuse(call, Reason.CONFLICT)
            else:
                pairs = tale.make(call)
                tale.tell(Accepted(at=tale.now, call=call.id, pairs=pairs))
                ends |= {image: tale.now + took_s for _, image in pairs}
    return refusals, tale.now - began


@pytest.mark.parametrize("at_a_time", [3, 8])
def test_a_crowded_cloud_is_served_at_its_own_measure(at_a_time: int) -> None:
    """It takes fewer at a time than REGION_COPIES: all are made, and later nights ask for little more."""
    tale = night(60, workers=4)
    refusals: list[int] = []
    for number in range(3):
        refused, took_s = crowded_night(tale, at_a_time)
        assert tale.states() == {State.READY}
        assert took_s < 1.25 * 600 * 60 / at_a_time
        refusals.append(refused)
        tale.shelves[EAST].clear()
        tale.begin(copies_of(60, EAST), run=f"run{number + 2}")
    assert max(refusals[1:]) <= min(60, refusals[0] / 10)
