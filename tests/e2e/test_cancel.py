"""`orchestrator cancel` ends a real run, and `why` and `status --check` tell of it before and after."""

from __future__ import annotations

from tests.e2e.processes import until
from tests.e2e.support import MakeHome


def test_cancel_ends_a_simulated_night(make_home: MakeHome) -> None:
    """The run ends with 143 and no new call; what goes on is counted; a second cancel finds nothing."""
    home = make_home()
    run = home.start("run", "--simulate", "--json")
    state = home.state / "simulated"

    def under_way() -> bool:
        assert run.alive, run.err
        if not (state / "ledger.db").exists():
            return False
        shape = home.call("status", "--simulate", "--json")
        return shape.code == 0 and "copying" in {copy["state"] for copy in shape.json["copies"]}

    until(under_way, "copies to be under way")
    done = home.call("cancel", "--simulate")
    assert done.code == 0, done.err
    assert "was asked to stop: nothing more is submitted." in done.out
    ended = run.wait()
    assert (ended.code, ended.json["verdict"]) == (143, "interrupted")
    going = sum(copy["state"] == "copying" for copy in ended.json["copies"])
    assert f"{going} cop" in done.out
    assert "go on there; the next run adopts" in done.out.replace("goes", "go")
    left = next(copy for copy in ended.json["copies"] if copy["state"] in ("waiting", "copying"))
    why = home.call("why", left["source_image"], left["destination_region"], "--simulate")
    assert f"so run {ended.json['run']} left it" in why.out
    probe = home.call("status", "--simulate", "--check")
    assert (probe.code, probe.out.startswith("WARNING - ")) == (1, True)
    again = home.call("cancel", "--simulate")
    assert (again.code, "nothing to cancel" in again.out) == (0, True)
