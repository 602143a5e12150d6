"""The share of the torture that fits into every test run: a few kills, and the proof that it sees bugs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.core.limits import Limits
from orchestrator.core.messages import Planned
from orchestrator.core.model import Copy, ImageId, Region
from orchestrator.simulator.books import Books, BooksDict
from orchestrator.simulator.checks import CopyRequest
from orchestrator.simulator.things import Task
from orchestrator.simulator.traits import Fate
from tests.e2e.support import EAST, NORTH
from tests.ledger.samples import NOW, begun, copy, fill
from tests.ledger.tampering import tamper
from tests.torture.audit import Damage, check_books, check_ledger
from tests.torture.driver import HARMLESS, play
from tests.torture.rounds import Moment, draw
from tests.torture.tally import Tally

KILLS = (Moment(0, 0.25), Moment(12, 0.02), Moment(3, 0.0), Moment(25, 0.01))


@pytest.mark.long
def test_killed_again_and_again_each_copy_is_made_once(tmp_path: Path) -> None:
    """Killed with -9 up to four times, with answers lost beside: each copy once, each recorded, no damage."""
    drawn = draw(1)
    tally = play(replace(drawn, images=drawn.images[:8], moments=KILLS), tmp_path)
    assert tally.complaints == []
    assert (tally.copies, tally.duplicates, tally.missing, tally.unrecorded) == (
        len(drawn.destinations) * 8,
        0,
        0,
        0,
    )
    assert tally.kills >= 2
    assert tally.checks > tally.kills


def test_without_the_protection_duplicates_show(tmp_path: Path) -> None:
    """The same driver on the same weather sees duplicates when a lost answer is taken for a refusal.

    The one kill comes before the first call: that call's answer is lost for certain, and sent again at once.
    """
    drawn = draw(1)
    early = replace(drawn, images=drawn.images[:8], moments=HARMLESS)
    tally = play(early, tmp_path, unprotected=True)
    assert tally.kills == 1
    assert tally.duplicates > 0
    assert "made more than once" in "\n".join(tally.complaints)


def test_the_check_after_a_kill_sees_damage(tmp_path: Path) -> None:
    """A whole ledger passes; one that is gone, too short, cut or at odds with its projection does not."""
    events = (begun(1), Planned(at=NOW, copies=(copy(1), copy(2))))
    fill(tmp_path, events)
    assert check_ledger(tmp_path, events[:1], Limits()) == events
    with pytest.raises(Damage, match="not all are there: 2 now"):
        check_ledger(tmp_path, (*events, begun(9)), Limits())
    with pytest.raises(Damage, match="not all are there: 0 now"):
        check_ledger(tmp_path / "elsewhere", events, Limits())
    tamper(tmp_path, lambda connection: connection.execute("UPDATE copies SET state = 'ready'"))
    with pytest.raises(Damage, match="the projection says something else than the events of 2 copies"):
        check_ledger(tmp_path, events, Limits())
    file = tmp_path / "ledger.db"
    file.write_bytes(file.read_bytes()[:-5000])
    with pytest.raises(Damage, match="integrity_check"):
        check_ledger(tmp_path, events, Limits())


def test_the_books_are_held_against_plan_and_ledger(tmp_path: Path) -> None:
    """What the books have and the plan or the ledger have not is counted, each thing by its name."""
    drawn, tally = draw(1), Tally()
    fill(tmp_path, ())
    check_books(drawn, books_of(drawn.images[0], EAST, EAST), tmp_path, tally)
    assert (tally.copies, tally.duplicates, tally.unrecorded) == (2, 1, 2)
    assert tally.missing == len(drawn.wanted - {Copy(drawn.images[0], NORTH, EAST)})
    told = {complaint.partition(":")[0] for complaint in tally.complaints}
    assert told >= {"made more than once", "never made", "made and not recorded", "calls without an intent"}


def books_of(source: ImageId, *destinations: Region) -> BooksDict:
    """Keep the books of a cloud that made one copy per call, without being asked by anybody we know."""
    books = Books()
    for number, destination in enumerate(destinations):
        made = ImageId(f"img-made{number}")
        task = Task(
            number,
            source,
            NORTH,
            destination,
            made,
            due_s=1.0,
            fate=Fate.READY,
            holds=True,
            root=(NORTH, source),
        )
        books.called(
            0.0,
            CopyRequest(origin=NORTH, destination=destination, sources=(source,)),
            "accepted",
            ((source, made),),
        )
        books.began(0.0, task, [])
    return books.as_dict()
