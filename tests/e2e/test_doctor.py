"""`doctor` as a user meets it: exit codes, JSON, where settings came from, and no trace."""

from __future__ import annotations

from tests.canary import SECRET, WRONG
from tests.e2e.support import EAST, SOUTH, Cloud, MakeHome


def test_a_healthy_home(cloud: Cloud, make_home: MakeHome) -> None:
    """After a run with a plan everything is in order; settings are named with their variables."""
    home = make_home(cloud)
    plan = home.plan(cloud.take(2), EAST, SOUTH)
    assert home.call("run", plan).code == 0
    done, words = home.call("doctor", plan, "--json"), home.call("doctor", plan)
    assert (done.code, words.code) == (0, 0)
    assert {finding["level"] for finding in done.json["findings"]} <= {"ok", "warn"}
    settings = next(f["found"] for f in done.json["findings"] if f["check"] == "settings")
    assert "POLL_INTERVAL=0.1 (ORCHESTRATOR_POLL_INTERVAL)" in settings
    assert SECRET not in done.out + words.out


def test_what_fails_is_in_the_exit_code(cloud: Cloud, make_home: MakeHome) -> None:
    """A wrong secret: exit 3, and the finding says what to check."""
    home = make_home(cloud)
    home.environ["JDCLOUD_SECRET_KEY"] = WRONG
    done = home.call("doctor", home.plan(cloud.take(1), EAST))
    assert done.code == 3
    assert "FAIL  credentials" in done.out
    assert "to mend it: Check access key and secret" in done.out
    assert not home.state.exists()


def test_settings_that_cannot_be_used_are_a_finding(make_home: MakeHome) -> None:
    """Somebody asks doctor because something is wrong: the answer is a finding, not only an error."""
    home = make_home(None, ORCHESTRATOR_WORKERS="many")
    done = home.call("doctor", "--json")
    assert done.code == 3
    assert done.json["verdict"] == "fail"
    assert "ORCHESTRATOR_WORKERS" in done.json["findings"][0]["found"]


def test_a_bad_plan_is_refused_as_everywhere(make_home: MakeHome) -> None:
    """Exit 2 and the place."""
    home = make_home()
    (home.folder / "bad.yaml").write_text("version: 7\n")
    done = home.call("doctor", "bad.yaml")
    assert (done.code, done.out) == (2, "")
    assert "bad.yaml:1" in done.err
