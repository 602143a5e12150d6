"""Listings that lie: what they leave out is never believed to be absent, and none goes on for ever."""

from __future__ import annotations

import pytest

from orchestrator.cloud.jdcloud import JdCloud
from orchestrator.core.messages import Listed
from orchestrator.core.model import PAGE_SIZE, ImageId, State
from orchestrator.core.reasons import Reason
from orchestrator.simulator.things import Image
from tests.contract.driving import Driver
from tests.contract.lying import Liar, Lie, Reply, always, changed, lying, raw, told
from tests.contract.ways import access
from tests.nights import EAST, Cloud, check_books, copies_of, image_id

pytestmark = pytest.mark.looptime

KNOWN, LATE = copies_of(2, EAST)


async def doubt(driver: Driver, cloud: Cloud, *lies: Lie) -> None:
    """Make one copy, let others fill pages after it; lose the answer to the next call while listings lie."""
    async with lying(cloud, Liar({})) as url, JdCloud(access(url)) as port:
        driver.cloud = port
        assert await driver.run([KNOWN]) == ("ok", 0)
    for number in range(250):
        cloud.world.add_image(EAST, Image(ImageId(f"img-other{number:04}"), f"other-{number}", 1024))
    liar = Liar({"copy": [always(raw(500, ""))], "list": lies}, honest=False)
    async with lying(cloud, liar) as url, JdCloud(access(url)) as port:
        driver.cloud = port
        await driver.run([KNOWN, LATE])
    assert liar.told["list"] > 0


def made(cloud: Cloud) -> list[str]:
    """Name the source of each copy that the cloud made."""
    return sorted(copy["source"] for copy in cloud.world.books()["copies"])


def stuck_on_page_one() -> Lie:
    """Show the first page again for every other one."""
    first: list[Reply] = []

    def lie(reply: Reply) -> bytes:
        first.append(reply)
        return told(first[0])

    return lie


SHORT = changed(totalCount=PAGE_SIZE)
"""As many images as the first page shows."""


@pytest.mark.parametrize(
    "lie",
    [
        pytest.param(SHORT, id="total of one page"),
        pytest.param(changed(totalCount=1), id="total of one"),
        pytest.param(stuck_on_page_one(), id="the same page again"),
        pytest.param(changed(totalCount=0, images=None), id="nothing at all"),
        pytest.param(changed(totalCount=PAGE_SIZE, images=[]), id="less than announced"),
    ],
)
async def test_what_a_lying_listing_hides_is_not_made_again(lie: Lie) -> None:
    """The answer to a call is lost, and no listing shows what it made: it is doubted, not repeated."""
    cloud, driver = Cloud(images=2), Driver(Cloud(images=0).port())
    await doubt(driver, cloud, *[lie] * 500)
    check_books(cloud)
    assert made(cloud) in ([image_id(0)], [image_id(0), image_id(1)])
    states = {standing.copy: standing.state for standing in driver.engine.schedule.standings()}
    called = len(made(cloud)) > 1
    assert states[LATE] in ((State.DOUBTFUL, State.COPYING, State.READY) if called else (State.FAILED,))


async def test_a_listing_without_end_ends() -> None:
    """Full pages for ever, each with images never seen before, of a total that never changes: given up."""
    pages = 0

    def lie(reply: Reply) -> bytes:
        nonlocal pages
        pages += 1
        images = [{"imageId": f"img-p{pages}x{number}", "status": "ready"} for number in range(PAGE_SIZE)]
        return told({**reply, "result": {"totalCount": 10**15, "images": images}})

    cloud = Cloud(images=2)
    async with (
        lying(cloud, Liar({"list": [lie] * 20_000}, honest=False)) as url,
        JdCloud(access(url)) as port,
    ):
        driver = Driver(port)
        await driver.run([KNOWN, LATE], deadline_s=3600)
    assert pages < 1000
    reasons = {standing.reason for standing in driver.engine.schedule.standings()}
    assert reasons <= {Reason.UNREADABLE, Reason.UNCONFIRMED}
    assert made(cloud) == []


async def test_a_growing_listing_ends() -> None:
    """A total that is larger on every page starts the listing over, and not for ever."""
    total = 1000

    def lie(reply: Reply) -> bytes:
        nonlocal total
        total += 100
        images = [{"imageId": f"img-t{total}x{number}", "status": "ready"} for number in range(PAGE_SIZE)]
        return told({**reply, "result": {"totalCount": total, "images": images}})

    cloud = Cloud(images=2)
    async with (
        lying(cloud, Liar({"list": [lie] * 20_000}, honest=False)) as url,
        JdCloud(access(url)) as port,
    ):
        driver = Driver(port)
        await driver.run([KNOWN, LATE], deadline_s=6 * 3600)
    assert sum(isinstance(event, Listed) for event in driver.events) < 200
    assert {standing.reason for standing in driver.engine.schedule.standings()} == {Reason.UNCONFIRMED}
    assert made(cloud) == []
