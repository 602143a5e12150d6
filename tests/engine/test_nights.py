"""Whole nights in virtual time: what the plan wants is there, once, and the verdict is true."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from orchestrator.core.limits import Limits
from orchestrator.core.messages import Accepted, Change, Event, Lost
from orchestrator.core.model import Copy, ImageId, State
from orchestrator.core.reasons import Reason
from orchestrator.engine.halt import Halt
from orchestrator.simulator.faults import Fault, Rule
from orchestrator.simulator.things import Image
from orchestrator.simulator.traits import Fates, Pace, Switches
from tests.nights import EAST, EAST1, NORTH, SOUTH, Cloud, Operator, check_books, copies_of, image_id, now

pytestmark = pytest.mark.looptime


async def test_a_clear_night_makes_every_copy_once() -> None:
    """25 images to 3 regions: 75 copies, each exactly once, verdict ok."""
    cloud = Cloud(images=25)
    night = await Operator(cloud).night(copies_of(25, EAST, SOUTH, EAST1))
    assert (night.verdict, night.exit_code) == ("ok", 0)
    assert night.counts.ready == 75
    assert all(len(cloud.made(region)) == 25 for region in (EAST, SOUTH, EAST1))
    check_books(cloud)


async def test_a_second_night_calls_nothing() -> None:
    """What is ready is confirmed by one listing per region and not copied again."""
    operator = Operator(Cloud(images=12))
    await operator.night(copies_of(12, EAST, SOUTH))
    second = await operator.night(copies_of(12, EAST, SOUTH))
    assert second.verdict == "ok"
    assert second.calls == {"describeImages": 2}
    assert {c.reason for c in second.changes} == {Reason.CONFIRMED}


async def test_a_copy_that_somebody_deleted_is_made_again() -> None:
    """Only the deleted one is copied again, and the log says that it was deleted."""
    cloud = Cloud(images=5)
    operator = Operator(cloud)
    first = await operator.night(copies_of(5, EAST))
    gone = first.schedule.register.tracks[copies_of(5, EAST)[2]].image
    assert gone is not None
    cloud.world.delete_image(now(), EAST, gone, delete_snapshot=True)
    second = await operator.night(copies_of(5, EAST))
    assert second.verdict == "ok"
    assert second.calls["copyImages"] == 1
    assert Reason.DELETED in {c.reason for c in second.changes}
    assert len(cloud.made(EAST)) == 5


async def test_the_only_copy_deleted_is_made_again() -> None:
    """With nothing left to show that the listing sees, the quota's count is the witness."""
    cloud = Cloud(images=1)
    operator = Operator(cloud)
    first = await operator.night(copies_of(1, EAST))
    gone = first.schedule.register.tracks[copies_of(1, EAST)[0]].image
    assert gone is not None
    cloud.world.delete_image(now(), EAST, gone, delete_snapshot=True)
    second = await operator.night(copies_of(1, EAST))
    assert second.verdict == "ok"
    assert len(cloud.made(EAST)) == 1


async def test_an_interrupted_night_is_taken_over() -> None:
    """SIGTERM: no new call, exit 143; the next night watches what is under way and makes the rest."""
    cloud = Cloud(images=30)
    operator = Operator(cloud, Limits(region_copies=10))
    halt = Halt()
    operator_clock = now() + 300

    class Stopper:
        """Ask to stop once the night is five minutes old."""

        def event(self, *_: object) -> None:
            if now() >= operator_clock and not halt.requested:
                halt.request(15)

    first = await operator.night(copies_of(30, EAST), halt=halt, watchers=[Stopper()])
    assert (first.verdict, first.exit_code) == ("interrupted", 143)
    assert first.counts.ready < 30
    second = await operator.night(copies_of(30, EAST))
    assert second.verdict == "ok"
    assert len(cloud.made(EAST)) == 30
    check_books(cloud)


async def test_the_deadline_hands_the_rest_over() -> None:
    """At the deadline nothing more is sent, exit 4; the next night finishes."""
    cloud = Cloud(images=30)
    operator = Operator(cloud, Limits(region_copies=5))
    first = await operator.night(copies_of(30, EAST), deadline_s=1500)
    assert (first.verdict, first.exit_code) == ("deadline", 4)
    assert 1500 <= first.took_s < 1515
    second = await operator.night(copies_of(30, EAST))
    assert second.verdict == "ok"
    assert len(cloud.made(EAST)) == 30


async def test_limits_are_kept() -> None:
    """Copies in flight per destination and the rate of requests stay within the settings."""
    cloud = Cloud(images=60)
    limits = Limits(region_copies=7, requests_per_minute=60, workers=3)
    cloud.world.rate_per_minute = 60
    night = await Operator(cloud, limits).night(copies_of(60, EAST, SOUTH))
    books = cloud.world.books()
    assert night.verdict == "ok"
    assert max(books["peak_in_flight"].values()) <= 7
    assert "429" not in str(books["refused"])


# --- quotas ---------------------------------------------------------------------------------------


async def test_a_full_destination_ends_the_night_with_the_rest_waiting() -> None:
    """What does not fit waits, the reason is quota-image, exit 3; nothing is hammered."""
    cloud = Cloud(images=9, quota=12)
    for number in range(9, 12):
        cloud.add(number)
    cloud.world.add_region(EAST, images=5, snapshots=100)
    night = await Operator(cloud).night(copies_of(9, EAST))
    assert (night.verdict, night.exit_code) == ("partial", 3)
    assert (night.counts.ready, night.counts.pending) == (5, 4)
    waiting = [s for s in night.schedule.standings() if s.state is State.WAITING]
    assert {s.reason for s in waiting} == {Reason.QUOTA_IMAGE}
    assert cloud.world.books()["refused"] == {}
    assert night.took_s >= 900, "it was tried once more before the run ended"


async def test_room_that_appears_is_used() -> None:
    """With a deadline a full destination is tried again every QUOTA_INTERVAL, and goes on when it can."""
    cloud = Cloud(images=6)
    cloud.world.add_region(EAST, images=3, snapshots=100)
    opened = now() + 4000

    class Owner:
        """Raise the quota after more than an hour."""

        def event(self, *_: object) -> None:
            if now() >= opened:
                cloud.world.add_region(EAST, images=10, snapshots=100)

    night = await Operator(cloud).night(copies_of(6, EAST), deadline_s=20_000, watchers=[Owner()])
    assert night.verdict == "ok"
    assert night.took_s < 8000


async def test_snapshots_are_counted_per_disk() -> None:
    """An image of three disks takes three snapshots there: the chunk is cut to what fits."""
    cloud = Cloud(images=6, disks=3)
    cloud.world.add_region(EAST, images=100, snapshots=10)
    night = await Operator(cloud).night(copies_of(6, EAST))
    assert night.counts.ready == 3
    waiting = [s for s in night.schedule.standings() if s.state is State.WAITING]
    assert {s.reason for s in waiting} == {Reason.QUOTA_SNAPSHOT}
    assert cloud.world.books()["refused"] == {}


# --- refusals -------------------------------------------------------------------------------------


async def test_what_can_never_be_copied_fails_alone() -> None:
    """Encrypted, local disk, broken, missing, foreign: each fails with its reason, the others go on."""
    cloud = Cloud(images=10)
    cloud.add(1, encrypted=True)
    cloud.add(2, root_device="localDisk")
    cloud.add(3, status="error")
    del cloud.world.stores[NORTH].images[image_id(4)]
    cloud.add(5, image_source="shared")
    night = await Operator(cloud).night(copies_of(10, EAST, SOUTH))
    reasons = {
        number: {night.state(copy) for copy in copies_of(10, EAST, SOUTH) if copy.source == image_id(number)}
        for number in range(1, 6)
    }
    assert reasons == {
        1: {(State.FAILED, Reason.ENCRYPTED)},
        2: {(State.FAILED, Reason.LOCAL_DISK)},
        3: {(State.FAILED, Reason.SOURCE_STATUS)},
        4: {(State.FAILED, Reason.NOT_FOUND)},
        5: {(State.FAILED, Reason.NOT_PRIVATE)},
    }
    assert night.counts.ready == 10
    assert (night.verdict, night.exit_code) == ("partial", 3)


async def test_an_anonymous_culprit_is_isolated() -> None:
    """A foreign task holds one image and the refusal does not say which: the other nine go on."""
    cloud = Cloud(images=10)
    cloud.add(6, task_until_s=now() + 3000)
    night = await Operator(cloud).night(copies_of(10, EAST))
    assert night.verdict == "ok"
    others = [c.at for c in night.changes if c.after is State.READY and c.copy.source != image_id(6)]
    assert len(others) == 9
    assert max(others) < now() - 1000, "they did not wait for the culprit"


async def test_a_busy_image_leaves_the_chunk() -> None:
    """The image that is named busy waits with backoff; its companions go at once."""
    cloud = Cloud(images=10)
    cloud.add(3, busy_until_s=now() + 2000)
    night = await Operator(cloud).night(copies_of(10, EAST))
    assert night.verdict == "ok"
    ready = sorted(c.at for c in night.changes if c.after is State.READY)
    assert ready[8] < ready[9] - 500, "nine were ready long before the busy one"
    calls = cloud.world.books()["calls"]
    assert len(calls[1]["sources"]) == 9
    assert all(call["sources"] == [image_id(3)] for call in calls[2:])


async def test_throttles_pause_and_pass() -> None:
    """429 that is not a quota costs time, never a copy."""
    rules = [Rule(fault=Fault.THROTTLE, chance=0.3)]
    cloud = Cloud(images=20, rules=rules)
    night = await Operator(cloud).night(copies_of(20, EAST, SOUTH))
    assert night.verdict == "ok"
    check_books(cloud)


# --- lost answers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault", [Fault.RESET_AFTER, Fault.GATEWAY_TIMEOUT, Fault.TRUNCATED, Fault.FEWER_PAIRS]
)
async def test_an_answer_lost_after_the_effect_is_adopted(fault: Fault) -> None:
    """The copies exist: they are found by their mark and never made a second time."""
    cloud = Cloud(images=10, rules=[Rule(fault=fault, on=frozenset({"copyImages"}), nth=frozenset({1}))])
    night = await Operator(cloud).night(copies_of(10, EAST))
    assert night.verdict == "ok"
    assert night.calls["copyImages"] == 1
    assert Reason.ADOPTED in {c.reason for c in night.changes}
    check_books(cloud)


@pytest.mark.parametrize("fault", [Fault.RESET_BEFORE, Fault.BAD_GATEWAY, Fault.INTERNAL])
async def test_an_answer_lost_before_the_effect_is_sent_again_after_settling(fault: Fault) -> None:
    """Nothing was made: after SETTLE_TIME and two listings the copies are called again."""
    cloud = Cloud(images=10, rules=[Rule(fault=fault, on=frozenset({"copyImages"}), nth=frozenset({1}))])
    night = await Operator(cloud).night(copies_of(10, EAST))
    assert night.verdict == "ok"
    assert night.calls["copyImages"] == 2
    assert night.took_s > 900
    check_books(cloud)


async def test_a_late_copy_is_waited_for() -> None:
    """An accepted copy that the listing shows only after ten minutes is still recognised."""
    rules = [Rule(fault=Fault.RESET_AFTER, on=frozenset({"copyImages"}), nth=frozenset({1, 2}))]
    pace = Pace(copy_base_s=1800, listing_lag_s=600)
    cloud = Cloud(images=15, rules=rules, pace=pace)
    night = await Operator(cloud).night(copies_of(15, EAST))
    assert night.verdict == "ok"
    assert len(cloud.world.books()["copies"]) == 15
    check_books(cloud)


async def test_without_marks_the_platforms_text_is_read() -> None:
    """A cloud that stores no description names the source itself: that is enough."""
    rules = [Rule(fault=Fault.RESET_AFTER, on=frozenset({"copyImages"}), nth=frozenset({2}))]
    cloud = Cloud(images=20, rules=rules, switches=Switches(stores_description=False))
    night = await Operator(cloud).night(copies_of(20, EAST))
    assert night.verdict == "ok"
    check_books(cloud)


async def test_without_any_text_doubt_is_for_a_person() -> None:
    """Nothing tells whose copy an image is: no call is repeated, exit 3, the copy needs a person."""
    rules = [Rule(fault=Fault.RESET_AFTER, on=frozenset({"copyImages"}), nth=frozenset({2}))]
    switches = Switches(stores_description=False, writes_text=False)
    cloud = Cloud(images=20, rules=rules, switches=switches)
    night = await Operator(cloud).night(copies_of(20, EAST))
    states = {(s.state, s.reason) for s in night.schedule.standings()}
    assert states == {(State.READY, Reason.COPIED), (State.DOUBTFUL, Reason.NEEDS_PERSON)}
    assert night.exit_code == 3
    check_books(cloud)
    sizes = [len(call["sources"]) for call in cloud.world.books()["calls"]]
    assert sizes[0] == 10


async def test_where_nothing_tells_copies_apart_each_travels_alone() -> None:
    """Once a copy was read back without any text, one lost call can put only one copy in doubt."""
    switches = Switches(stores_description=False, writes_text=False)
    cloud = Cloud(images=30, switches=switches)
    night = await Operator(cloud, Limits(region_copies=10)).night(copies_of(30, EAST))
    assert night.verdict == "ok"
    assert [len(call["sources"]) for call in cloud.world.books()["calls"]] == [10, *[1] * 20]


async def test_a_gateway_that_refuses_the_description_is_served_without() -> None:
    """Nothing was made by the refused call; the region goes on without a mark."""
    cloud = Cloud(images=20, switches=Switches(refuses_description=True))
    night = await Operator(cloud).night(copies_of(20, EAST))
    assert night.verdict == "ok"
    described = [call["described"] for call in cloud.world.books()["calls"]]
    assert described == [True, True, False, False], "two calls were on their way when it became known"


async def test_a_lost_ledger_is_not_an_empty_cloud() -> None:
    """Copies that an earlier ledger made are recognised by their marks and adopted."""
    cloud = Cloud(images=12)
    await Operator(cloud).night(copies_of(12, EAST))
    night = await Operator(cloud, seed=5).night(copies_of(12, EAST))
    assert night.verdict == "ok"
    assert "copyImages" not in night.calls


# --- copies that end badly ------------------------------------------------------------------------


async def test_a_copy_in_error_fails_and_is_not_repeated_while_it_exists() -> None:
    """One call; the next night looks again, leaves it while its image is there, repeats it when gone."""
    copies = copies_of(3, EAST)
    cloud = Cloud(images=3, fates=Fates(error=frozenset({image_id(1)})))
    operator = Operator(cloud)
    first = await operator.night(copies)
    assert first.state(copies[1]) == (State.FAILED, Reason.COPY_ERROR)
    assert first.exit_code == 3
    cloud.world.fates = Fates()
    second = await operator.night(copies)
    assert second.state(copies[1]) == (State.FAILED, Reason.COPY_ERROR)
    assert "copyImages" not in second.calls
    broken = second.schedule.register.tracks[copies[1]].image
    assert broken is not None
    cloud.world.delete_image(now(), EAST, broken, delete_snapshot=True)
    third = await operator.night(copies)
    assert third.verdict == "ok"
    assert third.calls["copyImages"] == 1


async def test_a_copy_that_vanishes_fails_tonight_and_is_made_tomorrow() -> None:
    """Three looks and a 404 of its own, then failed; the next night makes it again."""
    copies = copies_of(3, EAST)
    cloud = Cloud(images=3, fates=Fates(vanish=frozenset({image_id(0)})))
    operator = Operator(cloud)
    first = await operator.night(copies)
    assert first.state(copies[0]) == (State.FAILED, Reason.VANISHED)
    assert first.calls["describeImage"] == 1
    cloud.world.fates = Fates()
    second = await operator.night(copies)
    assert second.verdict == "ok"
    assert len(cloud.made(EAST)) == 3


async def test_a_stuck_copy_ends_at_copy_timeout() -> None:
    """It fails for this run, the others are ready; the next night takes it over, not again."""
    copies = copies_of(3, EAST)
    cloud = Cloud(images=3, fates=Fates(stuck=frozenset({image_id(2)})))
    operator = Operator(cloud, Limits(copy_timeout_s=7200))
    first = await operator.night(copies)
    assert first.state(copies[2]) == (State.FAILED, Reason.COPY_TIMEOUT)
    assert first.counts.ready == 2
    second = await operator.night(copies)
    assert "copyImages" not in second.calls
    assert second.state(copies[2]) == (State.FAILED, Reason.COPY_TIMEOUT)


# --- which copies ---------------------------------------------------------------------------------


async def test_sources_of_one_name_never_share_a_call() -> None:
    """The mark names the call, only the name tells its copies apart."""
    cloud = Cloud(images=6, names=lambda number: f"same-{number // 2}")
    night = await Operator(cloud).night(copies_of(6, EAST))
    assert night.verdict == "ok"
    for call in cloud.world.books()["calls"]:
        numbers = [int(source[-7:]) // 2 for source in call["sources"]]
        assert len(set(numbers)) == len(numbers)


async def test_a_second_plan_leaves_the_first_ones_copies_alone() -> None:
    """Copies under way of another plan keep their sources locked and are watched, not counted."""
    cloud = Cloud(images=4)
    operator = Operator(cloud)
    await operator.night(copies_of(4, EAST), deadline_s=60)
    night = await operator.night(copies_of(4, SOUTH))
    assert night.counts.wanted == 4
    assert night.verdict == "ok"
    check_books(cloud)
    assert len(cloud.made(EAST)) == 4


async def test_one_copy_of_two_origins() -> None:
    """Routes from two origins to one destination are different calls."""
    cloud = Cloud(images=4)
    for number in (7, 8):
        image = cloud.add(number)
        del cloud.world.stores[NORTH].images[image.id]
        cloud.world.add_image(SOUTH, image)
    more = [Copy(image_id(number), SOUTH, EAST) for number in (7, 8)]
    night = await Operator(cloud).night([*copies_of(4, EAST), *more])
    assert night.verdict == "ok"
    assert len(cloud.made(EAST)) == 6


async def test_a_copy_that_is_just_being_deleted_is_made_again_when_it_is_gone() -> None:
    """A ready copy in status deleting is neither confirmed nor waited for in vain."""
    cloud = Cloud(images=3, pace=Pace(copy_base_s=600, deleting_s=900))
    operator = Operator(cloud)
    first = await operator.night(copies_of(3, EAST))
    gone = first.schedule.register.tracks[copies_of(3, EAST)[1]].image
    assert gone is not None
    cloud.world.delete_image(now(), EAST, gone, delete_snapshot=True)
    second = await operator.night(copies_of(3, EAST), deadline_s=50_000)
    assert second.verdict == "ok"
    assert second.calls["copyImages"] == 1
    check_books(cloud)


# --- the audit ------------------------------------------------------------------------------------


async def test_a_copy_that_appears_after_all_is_reported() -> None:
    """The promise's condition broken, a copy is visible only long after SETTLE_TIME: exit 3, with ids."""
    rules = [Rule(fault=Fault.RESET_AFTER, on=frozenset({"copyImages"}), nth=frozenset({2}))]
    cloud = Cloud(images=12, rules=rules)

    class Weather:
        """Hide what the second call makes for much longer than SETTLE_TIME."""

        def event(self, event: Event, _: object) -> None:
            if isinstance(event, Accepted):
                cloud.world.pace = Pace(copy_base_s=900, copy_spread=0, listing_lag_s=1500)
            elif isinstance(event, Lost):
                cloud.world.pace = Pace(copy_base_s=3000, copy_spread=0)

    operator = Operator(cloud, Limits(settle_s=300, region_copies=10))
    night = await operator.night(copies_of(12, EAST), watchers=[Weather()])
    assert cloud.world.books()["violations"] != [], "the world did make them twice"
    assert night.exit_code == 3
    twins = [s for s in night.schedule.standings() if s.reason is Reason.DUPLICATE]
    assert twins != []
    assert all(len(standing.detail.split(", ")) == 2 for standing in twins)


async def test_an_image_with_our_mark_that_the_ledger_does_not_know_is_reported() -> None:
    """A ledger restored from an old backup: the image is named, nothing is deleted."""
    cloud = Cloud(images=3)
    operator = Operator(cloud)
    await operator.night(copies_of(2, EAST))
    held = next(iter(cloud.made(EAST)))
    stranger = Image(
        id=ImageId("img-stranger"), name="other", size_mb=1, text=held.text.replace("src", "xyz")
    )
    stranger.text = stranger.text.replace("call=call", "call=unknown")
    cloud.world.add_image(EAST, stranger)
    night = await operator.night(copies_of(3, EAST))
    assert night.schedule.strangers() == ((EAST, "img-stranger"),)


async def test_a_ready_copy_that_is_gone_in_the_end_is_reported() -> None:
    """It was ready and somebody deleted it before the run ended: not green."""
    cloud = Cloud(images=30)
    operator = Operator(cloud, Limits(region_copies=10))

    class Vandal:
        """Delete the first copy that becomes ready."""

        done = False

        def event(self, _: object, changes: Sequence[Change]) -> None:
            ready = [c for c in changes if c.after is State.READY and c.image]
            if ready and not self.done and ready[0].image:
                self.done = True
                cloud.world.remove(now(), EAST, ready[0].image)

    night = await operator.night(copies_of(30, EAST), watchers=[Vandal()])
    assert night.exit_code == 3
    assert [s.reason for s in night.schedule.standings() if s.state is State.FAILED] == [Reason.VANISHED]
    assert (await operator.night(copies_of(30, EAST))).verdict == "ok"
