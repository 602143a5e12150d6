"""What a whole run tells a real server: start, end, exit status, JSON; no trouble there touches the run."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from signal import SIGINT, SIGTERM

import pytest
from aiohttp import web

from orchestrator.core.model import RunId, State
from orchestrator.core.reasons import Reason
from orchestrator.core.verdict import Verdict
from orchestrator.engine.halt import Halt
from orchestrator.errors import LedgerDamaged, LockHeld, Overtaken
from orchestrator.ledger.lock import LockOwner, RunLock
from orchestrator.messages.messenger import LEAVING_S, LIMIT_S, Messenger
from tests.canary import PASSWORD, SECRET
from tests.contract.running import House, Line, later, log_lines
from tests.messages.listening import listening, never, status, taken
from tests.nights import EAST, image_id, now
from tests.watch.samples import result, standing

pytestmark = pytest.mark.looptime


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Make a house with an empty state folder and a cloud of twelve sources."""
    return House(tmp_path)


def unsent(lines: list[Line]) -> list[tuple[str, str]]:
    """Keep kind and trouble of what could not be sent."""
    return [(line["kind"], line["trouble"]) for line in lines if line["event"] == "message.unsent"]


async def test_a_good_night_is_told_from_start_to_end(house: House) -> None:
    """The check hears of the start and of success; the first run of a plan is posted, with what it did."""
    async with listening() as ear:
        house.options = ear.options()
        outcome = await house.night()
    assert ear.pings == ["/start", ""]
    (told,) = ear.posted
    assert ear.types == ["application/json; charset=utf-8"]
    assert (told["run"], told["plan"], told["verdict"], told["exit_code"]) == (
        outcome.result.run, "nightly.yaml", "ok", 0,
    )  # fmt: skip
    assert told["counts"] == {"wanted": 24, "ready": 24, "failed": 0, "pending": 0}
    assert told["text"] == "nightly.yaml: ok: 24 of 24 copies ready. It is the first run of this plan."
    assert unsent(log_lines(outcome.log)) == []
    assert "warning" not in house.shown()


async def test_a_quiet_night_like_the_last_one_is_pinged_and_not_posted(house: House) -> None:
    """On `change` nobody is told twice that all is well; the dead man's switch is told each night."""
    async with listening() as ear:
        house.options = ear.options()
        for _ in range(3):
            await house.night(images=[image_id(0)], destinations=[EAST])
    assert ear.pings == ["/start", ""] * 3
    assert len(ear.posted) == 1


async def test_a_failed_night_is_told_with_its_failures_and_mended_again(house: House) -> None:
    """The ping ends in the exit code; the JSON names what failed; the night that mends it says so."""
    house.cloud.add(4, encrypted=True)
    async with listening() as ear:
        house.options = ear.options()
        await house.night(images=[image_id(0)])
        await house.night(images=[image_id(0), image_id(4)])
        await house.night(images=[image_id(0)])
    assert ear.pings == ["/start", "", "/start", "/3", "/start", ""]
    _, failed, mended = ear.posted
    assert (failed["verdict"], failed["exit_code"], failed["more_failures"]) == ("partial", 3, 0)
    assert {(f["source_image"], f["reason"], f["state"]) for f in failed["failures"]} == {
        (image_id(4), "encrypted", "failed")
    }
    assert len(failed["failures"]) == 2
    assert (failed["change"]["last_verdict"], failed["change"]["newly_failed"]) == ("ok", 2)
    assert (mended["verdict"], mended["change"]["last_verdict"]) == ("ok", "partial")
    assert mended["text"].endswith("The run before: partial.")


@pytest.mark.parametrize(("signal", "code"), [(SIGTERM, 143), (SIGINT, 130)])
async def test_a_run_that_is_stopped_tells_that(house: House, signal: int, code: int) -> None:
    """Its exit status stands in the ping, whichever signal ended it."""
    halt = Halt()
    later(20, lambda: halt.request(signal))
    async with listening() as ear:
        house.options = ear.options()
        await house.night(halt=halt)
    assert ear.pings == ["/start", f"/{code}"]
    assert ear.posted[0]["verdict"] == "interrupted"


async def test_a_query_stays_in_its_place(house: House) -> None:
    """Checks that are told apart by a query get the word before it."""
    async with listening() as ear:
        house.options = {"ping_url": f"{ear.url}/check/?rid=1&x=%2F"}
        await house.night(images=[image_id(0)], destinations=[EAST], deadline_s=5)
    assert ear.heard == ["GET /check/start?rid=1&x=%2F", "GET /check/4?rid=1&x=%2F"]


async def test_a_damaged_ledger_is_told_of_though_no_run_began(house: House) -> None:
    """What only a person can mend must be heard even where there is neither run nor log."""
    await house.night(images=[image_id(0)], destinations=[EAST])
    (house.state / "ledger.db").write_bytes(b"no ledger at all" * 500)
    async with listening() as ear:
        house.options = ear.options()
        with pytest.raises(LedgerDamaged):
            await house.night()
    assert ear.pings == ["/65"]
    (told,) = ear.posted
    assert (told["run"], told["exit_code"], told["counts"]) == (None, 65, None)
    assert "is damaged" in told["fault"]


async def test_who_finds_the_lock_held_tells_nothing(house: House) -> None:
    """The run that holds it speaks for both; a failure now would be a false alarm."""
    house.state.mkdir(mode=0o700)
    owner = LockOwner(run=RunId("r"), pid=1, host="elsewhere", started_at=now())
    async with listening() as ear:
        house.options = ear.options()
        with RunLock.attempt(house.state, owner=owner), pytest.raises(LockHeld):
            await house.night()
    assert ear.heard == []


async def test_who_was_overtaken_tells_nothing(house: House) -> None:
    """The other run goes on and may long have told success; the end of this one is not the plan's."""
    async with listening() as ear:
        result = (await house.night(images=[image_id(0)], destinations=[EAST])).result
        house.options = ear.options(metrics_file=house.folder / "m.prom")
        settings = house.settings("http://127.0.0.1:1")
        messenger = Messenger(settings, clock=now, environ={})
        notes: list[str] = []
        await messenger.ended(
            result, fault=Overtaken(), halt=Halt(), note=lambda name, _level, /, **_more: notes.append(name)
        )
    assert (ear.heard, notes, messenger.troubles) == ([], [], [])
    assert not (house.folder / "m.prom").exists()


async def test_a_secret_in_the_words_of_the_cloud_is_masked(house: House) -> None:
    """Whatever an answer echoes: what is posted holds none of this run's secrets."""
    failed = standing(State.FAILED, Reason.COPY_ERROR, detail=f"signed with {SECRET}")
    async with listening() as ear:
        house.options = ear.options()
        settings = house.settings("http://127.0.0.1:1")
        messenger = Messenger(settings, clock=now, environ={}, secrets=[SECRET])
        await messenger.ended(
            result(failed), fault=None, halt=Halt(), note=lambda _name, _level, /, **_more: None
        )
    assert [failure["detail"] for failure in ear.posted[0]["failures"]] == ["signed with ***"]


# --- trouble on the other side --------------------------------------------------------------------

BAD = {
    "slow": (never, "no answer within 10 s", 3),
    "redirecting": (status(302, Location="/elsewhere"), "the answer is a redirect (302)", 1),
    "refusing": (status(404), "the answer is 404", 1),
    "failing": (status(503), "the answer is 503", 3),
    "throttling": (status(429), "the answer is 429", 3),
}


@pytest.mark.parametrize("kind", BAD)
async def test_a_server_in_trouble_never_touches_the_run(house: House, kind: str) -> None:
    """The outcome is that of a run without messages, LIMIT_S later at most; each message is missed once."""
    answer, trouble, tries = BAD[kind]
    async with listening(answer) as ear:
        house.options = ear.options()
        outcome = await house.night()
        ended = now()
    assert (outcome.result.verdict, outcome.result.exit_code, outcome.fault) == (Verdict.OK, 0, None)
    assert ended - outcome.result.finished_at < LIMIT_S + 1
    lines = log_lines(outcome.log)
    assert {told for told, _ in unsent(lines)} == {"ping", "webhook"}
    assert all(said.startswith(trouble) for _, said in unsent(lines))
    assert len(unsent(lines)) == 2, "the same trouble of the same kind is told once"
    assert lines[-1]["event"] == "run.finished"
    assert ear.heard.count(f"POST /hook/{PASSWORD}") == tries
    assert not any("elsewhere" in one for one in ear.heard)
    assert house.shown().count("warning: ") == 2


async def test_a_server_that_is_down_never_touches_the_run(house: House) -> None:
    """Nobody listens there any more: said once for each kind, in words and without the URL."""
    async with listening() as ear:
        house.options = ear.options()
    outcome = await house.night(images=[image_id(0)], destinations=[EAST])
    assert outcome.result.exit_code == 0
    assert unsent(log_lines(outcome.log)) == [("ping", "no connection"), ("webhook", "no connection")]
    assert "ping not sent: no connection" in house.shown()


async def test_nothing_shows_a_url(house: House) -> None:
    """Ledger, log, screen, result of a night whose messages all failed hold no part of the secret paths."""
    async with listening(status(500)) as ear:
        house.options = ear.options(log_level="debug", metrics_file=house.folder / "out" / "m.prom")
        (house.folder / "out").mkdir()
        outcome = await house.night()
    files = [path for path in house.folder.rglob("*") if path.is_file()]
    assert {"m.prom", "ledger.db"} <= {path.name for path in files}
    texts = [path.read_bytes() for path in files] + [house.shown().encode(), repr(outcome).encode()]
    assert not [text for text in texts if PASSWORD.encode() in text]
    assert any(ear.heard), "the URL was in use"
    settings = house.settings("http://127.0.0.1:1")
    assert PASSWORD not in f"{settings!r}{settings.model_dump()}{settings.model_dump_json()}"


async def test_a_signal_ends_the_sending(house: House) -> None:
    """Who presses Ctrl-C while a message hangs does not wait for it; what the run came to stays."""
    halt = Halt()
    async with listening(never) as ear:
        house.options = {"webhook_url": ear.options()["webhook_url"]}
        went = now()
        outcome_at: list[float] = []

        def press() -> None:
            if ear.posted and not halt.requested:
                outcome_at.append(now())
                halt.request(SIGINT)
            elif not halt.requested:
                later(1, press)

        later(1, press)
        outcome = await house.night(halt=halt)
        ended = now()
    assert ended - outcome_at[0] < 1 < outcome_at[0] - went
    assert (outcome.result.verdict, outcome.result.exit_code) == (Verdict.OK, 0)
    ((kind, trouble),) = unsent(log_lines(outcome.log))
    assert (kind, trouble.startswith("the run was asked to leave")) == ("webhook", True)


async def test_a_run_that_was_asked_twice_hardly_waits(house: House) -> None:
    """Leave at once means that: messages get LEAVING_S and one try."""
    halt = Halt()
    for delay_s in (20, 21):
        later(delay_s, lambda: halt.request(SIGTERM))
    async with listening(never) as ear:
        house.options = ear.options()
        outcome = await house.night(halt=halt)
        assert now() - outcome.result.finished_at < LEAVING_S + 1
    assert outcome.result.exit_code == 143
    assert len(ear.posted) == 1


async def slow_start(request: web.Request) -> web.StreamResponse:
    """Answer everything but the ping of a start."""
    return await never(request) if "start" in request.path else await taken(request)


async def test_a_short_run_does_not_wait_for_the_ping_of_its_start(house: House) -> None:
    """The start is told beside the run, not before it, and given up when the run ends first."""
    async with listening(slow_start) as ear:
        house.options = ear.options()
        outcome = await house.night(deadline_s=5)
        assert now() - outcome.result.started_at < 8
    assert ear.pings == ["/start", "/4"]


@pytest.mark.parametrize(("notify_on", "posts"), [("change", 1), ("failure", 0), ("always", 2), ("never", 0)])
async def test_notify_on_chooses_the_nights(house: House, notify_on: str, posts: int) -> None:
    """Of two good nights: the first is a change, none is a failure."""
    async with listening() as ear:
        house.options = ear.options(notify_on=notify_on)
        for _ in range(2):
            await house.night(images=[image_id(0)], destinations=[EAST])
    assert (len(ear.posted), len(ear.pings)) == (posts, 4)


async def test_a_missing_package_is_said_once_and_clearly(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who sets notify_urls without apprise reads what to install, once, in the log and on the screen."""
    monkeypatch.setitem(sys.modules, "apprise", None)
    house.options = {"notify_urls": [f"json://127.0.0.1:1/{PASSWORD}"]}
    outcome = await house.night(images=[image_id(0)], destinations=[EAST])
    ((kind, trouble),) = unsent(log_lines(outcome.log))
    assert (kind, 'pip install "jdcloud-image-orchestrator[notify]"' in trouble) == ("notify", True)
    assert re.search(r"warning: notify not sent: .*pip install", house.shown())
