"""A full disk: no intent on disk, no request; an answer that cannot be kept is found again by its mark."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from orchestrator.core.messages import Called
from orchestrator.core.model import ImageId
from orchestrator.errors import LedgerUnwritable
from orchestrator.ledger.check import check_beside
from orchestrator.ledger.connect import connect_writer
from tests.contract.running import House, reading
from tests.nights import check_books, image_id

pytestmark = pytest.mark.looptime


def fill_disk(patch: pytest.MonkeyPatch, room: int) -> None:
    """Give the ledger's file room for so many pages more, by SQLite's own limit: then it says FULL."""

    def small(path: Path) -> sqlite3.Connection:
        """Open the ledger on that disk."""
        connection = connect_writer(path)
        pages = int(connection.execute("PRAGMA page_count").fetchone()[0])
        connection.execute(f"PRAGMA max_page_count = {pages + room}")
        return connection

    patch.setattr("orchestrator.ledger.sqlite.connect_writer", small)


def intended(house: House) -> set[tuple[ImageId, ...]]:
    """Read which sources the calls on disk carry."""
    with reading(house) as reader:
        calls = [event for event in reader.events() if isinstance(event, Called)]
    return {tuple(copy.source for copy in call.copies) for call in calls}


async def test_a_full_disk_stops_the_run_and_loses_nothing(tmp_path: Path) -> None:
    """Whichever page is the last, whatever is on it: calls that were sent are on disk, exit 1 with advice.

    With room again the next night finishes. What was accepted and could not be written down is
    adopted by its mark: nothing is made twice, and nothing that was made is unknown. The message says that
    nothing was sent only where that is true, else that nothing more was.
    """
    stopped = lost = 0
    said = set[bool]()
    for before, room in ((1, 0), (1, 1), (1, 3), (2, 5), (3, 5), (4, 5), (5, 4)):
        folder = tmp_path / f"{before}-{room}"
        folder.mkdir()
        house = House(folder)
        await house.night(images=[image_id(number) for number in range(before)])
        earlier = len(house.cloud.world.books()["calls"])
        with pytest.MonkeyPatch.context() as patch:
            fill_disk(patch, room)
            try:
                outcome = await house.night()
                fault, code = outcome.fault, outcome.result.exit_code
            except LedgerUnwritable as error:  # not even the run's row has room
                fault, code = error, error.exit_code
        sent = house.cloud.world.books()["calls"]
        assert {tuple(call["sources"]) for call in sent} <= intended(house)
        if fault is None:
            continue
        stopped += 1
        assert code == 1
        assert isinstance(fault, LedgerUnwritable)
        assert "Free space there" in str(fault)
        if len(sent) > earlier:
            assert "nothing more was sent" in str(fault)
            assert str(fault).endswith("The next run finds what was under way.")
        else:
            assert "so nothing was sent: " in str(fault)
        said.add(len(sent) > earlier)
        with reading(house) as reader:
            known = {standing.image for run in reader.runs() for standing in reader.copies(run.run)}
        lost += any(copy["image"] not in known for copy in house.cloud.world.books()["copies"])
        assert (await house.night()).result.exit_code == 0
        check_books(house.cloud)
        assert len(house.cloud.world.books()["copies"]) == 24
        assert check_beside(house.state / "ledger.db").findings == ()
    assert stopped > 3
    assert lost > 0
    assert said == {False, True}
