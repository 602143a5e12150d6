"""A person's word: it settles a doubtful copy, and nothing else."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from orchestrator.core.limits import Limits
from orchestrator.core.messages import Begun, Called, Lost, Planned
from orchestrator.core.model import CallId, Copy, ImageId, Region, RunId, State
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule import Schedule
from orchestrator.errors import UsageError
from orchestrator.ledger.sqlite import Ledger
from orchestrator.machine import Machine
from orchestrator.runs.settling import settle

RUN, EAST = RunId("r1"), Region("cn-east-2")
COPY = Copy(ImageId("img-a"), Region("cn-north-1"), EAST)
MACHINE = Machine(wall=lambda: 2000.0, chance=Random(1), host="here", environ={})


def doubtful_ledger(folder: Path) -> None:
    """Write a ledger in which one call was lost."""
    schedule = Schedule(Limits())
    with Ledger.open(folder, ids=lambda: "ledgerledger", now=1.0) as ledger:
        ledger.take_epoch()
        ledger.begin_run(RUN, plan="p", started_at=1000.0, wanted=[COPY])
        call = CallId("c1")
        for event in (
            Begun(at=1000.0, run=RUN),
            Planned(at=1000.0, copies=(COPY,)),
            Called(at=1001.0, call=call, copies=(COPY,)),
            Lost(at=1002.0, call=call, reason=Reason.TIMEOUT),
        ):
            ledger.record(event, schedule.apply(event), run=RUN)


def state_after(folder: Path) -> tuple[State, ImageId | None]:
    """Replay the ledger and tell where the copy stands."""
    schedule = Schedule(Limits())
    with Ledger.open(folder, ids=lambda: "unused", now=1.0) as ledger:
        schedule.recover(ledger.events())
    track = schedule.register.tracks[COPY]
    return track.state, track.image


@pytest.mark.parametrize(
    ("made", "found", "expected"),
    [
        (True, ImageId("img-z"), (State.READY, ImageId("img-z"))),
        (True, None, (State.READY, None)),
        (False, None, (State.WAITING, None)),
    ],
)
def test_the_word_is_kept(
    tmp_path: Path, made: bool, found: ImageId | None, expected: tuple[State, ImageId | None]
) -> None:
    """What the person said is in the ledger, and a replay believes it."""
    doubtful_ledger(tmp_path)
    assert settle(tmp_path, COPY.source, EAST, made=made, found=found, machine=MACHINE) == COPY
    assert state_after(tmp_path) == expected


def test_only_doubt_can_be_settled(tmp_path: Path) -> None:
    """A copy that is not doubtful, or not known, is refused with what is known of it."""
    doubtful_ledger(tmp_path)
    with pytest.raises(UsageError, match="not known"):
        settle(tmp_path, ImageId("img-b"), EAST, made=False, found=None, machine=MACHINE)
    settle(tmp_path, COPY.source, EAST, made=False, found=None, machine=MACHINE)
    with pytest.raises(UsageError, match="cn-north-1: waiting"):
        settle(tmp_path, COPY.source, EAST, made=True, found=None, machine=MACHINE)


@pytest.mark.parametrize(
    "found", ["", "..", "../x", "img-", "img-A", "img-b\n", "img-b?x=1", "ｉmg-b", "img-" + "b" * 33]
)
def test_what_is_no_image_id_is_refused(tmp_path: Path, found: str) -> None:
    """It would become part of a request's path; nothing is written."""
    doubtful_ledger(tmp_path)
    before = (tmp_path / "ledger.db").read_bytes()
    with pytest.raises(UsageError, match="is no image id"):
        settle(tmp_path, COPY.source, EAST, made=True, found=ImageId(found), machine=MACHINE)
    assert (tmp_path / "ledger.db").read_bytes() == before
