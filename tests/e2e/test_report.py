"""A report of a real run: while it goes on, and the one that it leaves."""

from __future__ import annotations

from tests.e2e.support import EAST, Cloud, MakeHome


def test_a_run_is_reported_on_while_it_goes_on_and_at_its_end(cloud: Cloud, make_home: MakeHome) -> None:
    """During a run the report says so and where its copies stand; at its end one lies in REPORT_DIR."""
    home = make_home(cloud, ORCHESTRATOR_REPORT_DIR="reports")
    plan = home.plan(cloud.take(3), EAST)
    cloud.hold(EAST)
    running = home.held(plan)
    told = home.call("report", "--json").json
    assert (told["verdict"], told["finished_at"], told["counts"]["wanted"]) == ("running", None, 3)
    assert told["sentence"].startswith("running: 0 of 3 copies ready, 3 not done")
    assert [call["answer"] for call in told["calls"]] == ["accepted"]
    page = home.call("report", "--html", "-").out
    assert "The run goes on." in page
    cloud.calm()
    assert running.wait().code == 0
    left = {path.name for path in (home.folder / "reports").iterdir()}
    assert left == {f"{told['run']}.html", f"{told['run']}.json", "latest.html"}
    ended = home.call("report", "--json").json
    assert (ended["verdict"], ended["counts"]["ready"]) == ("ok", 3)
