"""`orchestrator ledger rebuild` as a process: from a damaged ledger to a night with nothing to do."""

from __future__ import annotations

from tests.e2e.support import EAST, SOUTH, Cloud, MakeHome, calls_for, check_once, copies_of


def test_a_damaged_ledger_is_refused_rebuilt_and_used(cloud: Cloud, make_home: MakeHome) -> None:
    """65, then a rebuild that calls nothing and keeps the old file, then a run that has nothing to do."""
    home, images = make_home(cloud), cloud.take(12)
    plan = home.plan(images, EAST, SOUTH)
    assert home.call("run", plan).code == 0
    ledger = home.state / "ledger.db"
    content = ledger.read_bytes()[:-5000]
    ledger.write_bytes(content)
    assert home.call("run", plan).code == 65
    made = calls_for(cloud.books(), images)
    done = home.call("ledger", "rebuild", plan, "--json")
    assert done.code == 0, done.err
    rebuilt = done.json
    assert (rebuilt["in_place"], rebuilt["inherited"]) == (True, True)
    assert rebuilt["counts"] == {
        "wanted": 24, "ready": 24, "under_way": 0, "failed": 0, "in_doubt": 0, "for_a_person": 0
    }  # fmt: skip
    (kept,) = home.state.glob("ledger.db.damaged-*")
    assert (rebuilt["kept"], kept.read_bytes()) == (str(kept), content)
    assert "rebuilt: 24 wanted, 24 ready" in done.err
    assert home.call("ledger", "rebuild", plan).code == 2
    assert home.call("run", plan).code == 0
    assert calls_for(cloud.books(), images) == made
    check_once(cloud, copies_of(images, EAST, SOUTH))
