"""Keys that end in the middle of a night: others are found, or nothing more is sent. In virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from orchestrator.app import Machine, Orchestrator, Outcome, Wish
from orchestrator.cloud.jdcloud import JdCloud
from orchestrator.core.messages import Accepted, Event, List, Listed, Refused, Unanswered
from orchestrator.core.reasons import Reason
from orchestrator.core.verdict import Verdict
from orchestrator.errors import Overtaken
from orchestrator.settings.credentials import Credentials, load_credentials
from orchestrator.settings.keyring import CHANGES_MAX, Keyring
from orchestrator.settings.secret import Secret
from orchestrator.simulator.gate import Caller, Gate, Incoming
from orchestrator.simulator.server import LINE_MAX, make_app
from orchestrator.simulator.world import World
from tests.contract.running import House, later, plan_of, reading, sent
from tests.contract.ways import CALL, access, chunk
from tests.nights import EAST, SOUTH, check_books, image_id, now
from tests.simulator.worlds import add, make_world

pytestmark = pytest.mark.looptime


def pair(number: int) -> dict[str, str]:
    """Name the key and the secret of the n-th hour, as the gate knows them."""
    return {f"AKHOUR{number}": f"secret-of-hour-{number}"}


def keys(number: int) -> Credentials:
    """Give the same as credentials."""
    ((name, secret),) = pair(number).items()
    return Credentials(name, Secret(secret), Secret(f"token-of-hour-{number}"))


class Turning(Gate):
    """A gate at which the keys change in the moment in which the first call arrives."""

    def __init__(self, renter: Renter) -> None:
        super().__init__(pair(1))
        self._renter: Renter | None = renter

    def check(self, request: Incoming, at: float, *, refuses_replays: bool = True) -> Caller:
        """Let a request in."""
        if request.method == "POST" and self._renter is not None:
            self.replace(pair(2))
            self._renter.write(2)
            self._renter = None
        return super().check(request, at, refuses_replays=refuses_replays)


class Renter:
    """An account whose keys change: the gate knows them by `open`, the files hold what `write` put there."""

    def __init__(self, folder: Path, *, images: int = 12) -> None:
        self.house = House(folder)
        self.gate = Gate(pair(1))
        self.folder = folder
        self.images = images
        self.write(1)

    def open(self, number: int) -> None:
        """Let the keys of this hour in, and no others."""
        self.gate.replace(pair(number))

    def write(self, number: int) -> None:
        """Put the keys of this hour into the three files, one after the other."""
        new = keys(number)
        token = new.session_token or Secret("")
        texts = {"key": new.access_key, "secret": new.secret_key.reveal(), "token": token.reveal()}
        for name, text in texts.items():
            path = self.folder / name
            path.write_text(f"{text}\n", encoding="ascii")
            path.chmod(0o600)

    def load(self) -> Credentials:
        """Read the three files as the program does."""
        names = (("ACCESS_KEY", "key"), ("SECRET_KEY", "secret"), ("SESSION_TOKEN", "token"))
        environ = {f"JDCLOUD_{name}_FILE": str(self.folder / file) for name, file in names}
        return load_credentials(environ=environ, home=self.folder, profile=None, warn=print)

    async def night(self, reread: Callable[[], Credentials] | None = None) -> Outcome:
        """Run the plan once."""
        house = self.house
        machine = Machine(
            wall=now, monotonic=asyncio.get_running_loop().time, chance=house.chance, host="h", environ={}
        )
        wish = Wish(plan=plan_of(tuple(map(image_id, range(self.images))), EAST, SOUTH))
        async with (
            gated(house.cloud.world, self.gate) as url,
            Orchestrator(
                house.settings(url),
                self.load(),
                reread=reread or self.load,
                machine=machine,
                screen=house.screen,
            ) as orchestrator,
        ):
            return await orchestrator.run(wish)

    def events(self) -> list[Event]:
        """Read what the ledger holds."""
        with reading(self.house) as reader:
            return list(reader.events())

    def met(self, reason: Reason) -> int:
        """Count the answers of one reason."""
        return sum(getattr(event, "reason", None) is reason for event in self.events())

    def shown(self) -> bytes:
        """Give everything that a night leaves behind: ledger, logs, screen."""
        files = (path for path in self.house.state.rglob("*") if path.is_file())
        return b"".join(path.read_bytes() for path in files) + self.house.shown().encode()


@asynccontextmanager
async def gated(world: World, gate: Gate) -> AsyncIterator[str]:
    """Serve a world behind a gate."""
    server = TestServer(make_app(world, keys={}, clock=now, gate=gate))
    await server.start_server(max_line_size=LINE_MAX)
    try:
        yield str(server.make_url("")).rstrip("/")
    finally:
        await server.close()


@pytest.fixture
def renter(tmp_path: Path) -> Renter:
    """Rent keys for the first hour."""
    return Renter(tmp_path)


@pytest.mark.parametrize("at_s", [0.0, 0.01, 0.02, 0.03, 0.05, 1.0, 30.0, 70.0, 100.0])
async def test_renewed_keys_carry_the_night_to_its_end(renter: Renter, at_s: float) -> None:
    """Whenever the keys change, everything is ready, nothing twice, and no attempt is counted for it."""

    def change() -> None:
        renter.open(2)
        renter.write(2)

    later(at_s, change)
    outcome = await renter.night()
    assert (outcome.result.verdict, outcome.result.exit_code) == (Verdict.OK, 0)
    assert 1 <= renter.met(Reason.KEYS_CHANGED) <= 8, "what was under way at that moment"
    assert renter.met(Reason.CREDENTIALS) == 0
    check_books(renter.house.cloud)


async def test_a_refused_call_is_made_again_as_a_new_one(renter: Renter) -> None:
    """A call that meets old keys is refused, made nothing, and its copies travel in another call."""
    renter.gate = Turning(renter)
    outcome = await renter.night()
    assert outcome.result.exit_code == 0
    refused = [event for event in renter.events() if isinstance(event, Refused)]
    assert {event.reason for event in refused} == {Reason.KEYS_CHANGED}
    assert len({event.call for event in refused}) == len(refused)
    check_books(renter.house.cloud)


async def test_unchanged_keys_end_it(renter: Renter) -> None:
    """The files hold the same keys still: exit 77 after what was under way, and nothing more is sent."""
    requests: list[int] = []

    def end() -> None:
        renter.gate.replace({})
        requests.append(sent(renter.house))

    later(30, end)
    outcome = await renter.night()
    assert (outcome.result.verdict, outcome.result.exit_code) == (Verdict.CREDENTIALS, 77)
    assert sent(renter.house) == requests[0], "no request was let in"
    assert renter.house.cloud.world.record.refused.total() <= 2, "one look per region at most"
    assert renter.met(Reason.KEYS_CHANGED) == 0
    assert "tried again" not in renter.house.shown()


async def test_keys_of_every_hour_are_masked(renter: Renter) -> None:
    """Three changes in one night; no secret or token of any hour is in the ledger, a log or on the screen."""
    for number, at_s in ((2, 20.0), (3, 40.0), (4, 60.0)):
        later(at_s, partial(renter.open, number))
        later(at_s, partial(renter.write, number))
    outcome = await renter.night()
    assert outcome.result.exit_code == 0
    left = renter.shown()
    for number in (1, 2, 3, 4):
        assert f"-of-hour-{number}".encode() not in left
    assert b"keys-changed" in left


async def test_a_source_that_invents_keys_makes_no_flood(renter: Renter) -> None:
    """Other keys at every reading, all of them wrong: some tries, then exit 77."""
    numbers = count(5)
    pairs = (number for number in numbers for _ in range(2))
    later(30, lambda: renter.gate.replace({}))
    outcome = await renter.night(reread=lambda: keys(next(pairs)))
    assert outcome.result.exit_code == 77
    assert renter.house.cloud.world.record.refused.total() <= CHANGES_MAX + 4


# --- the client alone -----------------------------------------------------------------------------


async def test_requests_under_way_share_one_renewal() -> None:
    """Twenty reads signed with the old keys are refused together: the source is read for one of them."""
    world, gate, readings = make_world(), Gate(pair(2)), list[int]()

    def reread() -> Credentials:
        readings.append(1)
        return keys(2)

    ring = Keyring(keys(1), reread)
    async with gated(world, gate) as url:
        mine = replace(access(url), keys=ring.keys, renew=ring.renew)
        async with JdCloud(mine) as cloud:
            answers = await asyncio.gather(*(cloud.list(List(EAST, 1)) for _ in range(20)))
            assert reasons(answers) == {Reason.KEYS_CHANGED}
            assert len(readings) == 2, "one reading, and one more to see that it agrees"
            assert isinstance(await cloud.list(List(EAST, 1)), Listed)


async def test_a_call_refused_with_old_keys_made_nothing() -> None:
    """The call is Refused and the client does not send it again; sent anew, it is accepted."""
    world, gate = make_world(), Gate(pair(2))
    add(world, "img-a1")
    ring = Keyring(keys(1), lambda: keys(2))
    async with (
        gated(world, gate) as url,
        JdCloud(replace(access(url), keys=ring.keys, renew=ring.renew)) as cloud,
    ):
        refused = await cloud.copy(CALL, chunk("img-a1"), None)
        assert isinstance(refused, Refused)
        assert refused.reason is Reason.KEYS_CHANGED
        assert world.books()["calls"] == []
        assert isinstance(await cloud.copy(CALL, chunk("img-a1"), None), Accepted)


async def test_a_call_is_asked_for_when_its_connection_stands() -> None:
    """Who was overtaken while the connection was being made sends nothing; reads are not asked for."""
    world, gate, asked = make_world(), Gate(pair(1)), list[int]()

    def ask() -> None:
        asked.append(1)
        raise Overtaken

    async with (
        gated(world, gate) as url,
        JdCloud(replace(access(url), keys=keys(1), before_call=ask)) as cloud,
    ):
        assert isinstance(await cloud.list(List(EAST, 1)), Listed)
        assert asked == []
        with pytest.raises(Overtaken):
            await cloud.copy(CALL, chunk("img-a1"), None)
    assert asked == [1]
    assert world.books()["calls"] == []


def reasons(answers: Iterable[Listed | Unanswered]) -> set[Reason]:
    """Collect why reads were not answered; none may have been."""
    return {Reason.QUEUED if isinstance(answer, Listed) else answer.reason for answer in answers}
