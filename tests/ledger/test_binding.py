"""A ledger belongs to one endpoint and one account: a run of another stops before any copy call, exit 78."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.core.messages import Begun
from orchestrator.core.model import ImageId, Sighting
from orchestrator.core.reasons import Reason
from orchestrator.errors import LedgerForeign
from orchestrator.ledger.binding import refuse_foreign
from orchestrator.settings.endpoints import endpoint_name
from tests.contract.running import House, reading, sent
from tests.core.schedule.stories import EAST, SOUTH, Story, copies_of
from tests.nights import image_id

pytestmark = pytest.mark.looptime


@pytest.mark.parametrize(
    ("endpoint", "name"),
    [
        ("https://vm.jdcloud-api.com", "vm.jdcloud-api.com"),
        ("https://VM.JDCLOUD-API.COM:8443", "vm.jdcloud-api.com"),
        ("http://127.0.0.1:8700", "localhost"),
        ("http://localhost:1234", "localhost"),
        ("http://[::1]:1234", "localhost"),
    ],
)
def test_an_endpoint_is_its_host(endpoint: str, name: str) -> None:
    """In lower case, without a port; this machine is one, however it is written."""
    assert endpoint_name(endpoint) == name


def test_another_endpoint_is_refused_in_clear_words(tmp_path: Path) -> None:
    """The text says whose the ledger is, what the settings say, and both ways out; an unknown one is any."""
    refuse_foreign(tmp_path, "", "https://vm.jdcloud-api.com")
    refuse_foreign(tmp_path, "vm.jdcloud-api.com", "https://vm.jdcloud-api.com")
    with pytest.raises(LedgerForeign) as refusal:
        refuse_foreign(tmp_path, "vm.jdcloud-api.com", "http://127.0.0.1:8700")
    assert refusal.value.exit_code == 78
    for words in ("belongs to the endpoint vm.jdcloud-api.com", "VM_ENDPOINT is localhost", "STATE_DIR"):
        assert words in str(refusal.value)


async def test_a_simulator_on_another_port_is_the_same(tmp_path: Path) -> None:
    """Each night of these has a port of its own; the ledger goes on."""
    house = House(tmp_path)
    assert [(await house.night()).result.exit_code for _ in range(2)] == [0, 0]
    with reading(house) as reader:
        assert [event.endpoint for event in reader.events() if isinstance(event, Begun)] == ["localhost"] * 2


async def test_another_account_stops_before_any_copy_call(tmp_path: Path) -> None:
    """The second night's new image is another account's: exit 78, both named, nothing copied."""
    house = House(tmp_path)
    await house.night(images=[image_id(0)])
    calls = len(house.cloud.world.books()["calls"])
    house.cloud.add(50, owner="somebody-else")
    before = sent(house)
    outcome = await house.night(images=[image_id(50)])
    assert (outcome.result.exit_code, len(house.cloud.world.books()["calls"])) == (78, calls)
    assert sent(house) > before
    assert "belongs to the account simulator" in str(outcome.fault)
    assert "somebody-else" in str(outcome.fault)
    assert (await house.night(images=[image_id(1)])).result.exit_code == 0


@pytest.mark.parametrize(
    ("source", "owner", "stops"),
    [("private", "b", True), ("self", "b", True), ("shared", "b", False), ("private", "", False),
     ("private", "a", False), ("", "b", False)],
)  # fmt: skip
def test_only_own_images_say_whose_the_account_is(source: str, owner: str, stops: bool) -> None:
    """What is shared with us belongs to somebody else, and an image without an owner says nothing."""
    tale = Story()
    first, second = (ImageId(f"img-src{n:04d}") for n in range(2))
    tale.sources[first] = Sighting(image=first, status="ready", name="x", image_source="private", owner="a")
    tale.sources[second] = Sighting(image=second, status="ready", name="y", image_source=source, owner=owner)
    tale.begin(copies_of(1, EAST))
    tale.accept(*tale.go())
    tale.begin(copies_of(2, SOUTH), run="run2")
    calls = tale.go()
    assert tale.schedule.register.account == "a"
    assert (tale.schedule.stopped is Reason.OTHER_ACCOUNT) is stops
    assert not (stops and calls)
