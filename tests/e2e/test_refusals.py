"""What stops a run before it harms: a bad plan, bad options, refused credentials. Each with its exit code."""

from __future__ import annotations

import pytest

from tests.canary import SECRET, WRONG
from tests.e2e.support import EAST, Cloud, MakeHome, calls_for, images

BAD_PLAN = """\
version: 1
replications:
  - name: golden
    source: cn-north-1
    destinations: [cn-east-2, cn-north-1]
    images: [img-ok, IMG-wrong]
    color: red
"""


def requests(cloud: Cloud) -> tuple[dict[str, int], dict[str, int]]:
    """Count everything that has reached the cloud's gateway."""
    books = cloud.books()
    return books["requests"], books["refused"]


def test_a_bad_plan_never_reaches_the_cloud(cloud: Cloud, make_home: MakeHome) -> None:
    """Every complaint at once, each file:line:column; exit 2, no JSON, no request, no state folder."""
    home, before = make_home(cloud), requests(cloud)
    (home.folder / "bad.yaml").write_text(BAD_PLAN, encoding="utf-8")
    for verb in (["run", "bad.yaml", "--json"], ["plan", "bad.yaml"], ["validate", "bad.yaml"]):
        done = home.call(*verb)
        assert (done.code, done.out) == (2, ""), verb
        places = [line.split(" ")[0] for line in done.err.splitlines()]
        assert places == ["bad.yaml:5:31:", "bad.yaml:6:22:", "bad.yaml:7:5:"], done.err
    assert requests(cloud) == before
    assert not home.state.exists()


def test_validate_names_the_good_and_the_bad(make_home: MakeHome) -> None:
    """Of several plans the good ones are named on stdout and every complaint on stderr; exit 2."""
    home = make_home()
    (home.folder / "bad.yaml").write_text(BAD_PLAN, encoding="utf-8")
    done = home.call("validate", home.plan(images(2), EAST, name="good.yaml"), "bad.yaml", "none.yaml")
    assert done.code == 2
    assert done.out.splitlines() == ["good.yaml: ok, 1 replication, 2 copies"]
    assert {line.split(":")[0] for line in done.err.splitlines()} == {"bad.yaml", "none.yaml"}


def test_a_wrong_secret_stops_at_the_first_request(cloud: Cloud, make_home: MakeHome) -> None:
    """The first signed request goes alone: one 401, then nothing; exit 77, and --json tells the verdict."""
    home, sources = make_home(cloud, JDCLOUD_SECRET_KEY=WRONG), cloud.take(3)
    admitted, refused = requests(cloud)
    done = home.call("run", home.plan(sources, EAST), "--json")
    assert done.code == 77, done.err
    assert (done.json["verdict"], done.json["exit_code"]) == ("credentials", 77)
    assert done.json["counts"] == {"wanted": 3, "ready": 0, "failed": 0, "pending": 3}
    assert requests(cloud)[0] == admitted
    assert sum(requests(cloud)[1].values()) == sum(refused.values()) + 1
    assert calls_for(cloud.books(), sources) == 0
    home.environ["JDCLOUD_SECRET_KEY"] = SECRET
    assert home.call("run", "plan.yaml").code == 0, "the next night, with the right one, goes on from there"


@pytest.mark.parametrize(
    ("variables", "arguments", "says"),
    [
        ({"JDCLOUD_SECRET_KEY": ""}, [], "JDCLOUD_SECRET_KEY is not set"),
        ({"ORCHESTRATOR_WORKRES": "3"}, [], "ORCHESTRATOR_WORKERS"),
        ({"ORCHESTRATOR_POLL_INTERVAL": "soon"}, [], "ORCHESTRATOR_POLL_INTERVAL"),
        ({}, ["--config", "nowhere.toml"], "nowhere.toml"),
        ({}, ["--deadline", "25:99"], "--deadline"),
        ({}, ["--lock-wait", "soon"], "--lock-wait"),
        ({}, ["--limit", "0"], "--limit"),
        ({}, ["--profile", "night"], ".jdc/config"),
        ({}, ["--colour"], "--colour"),
    ],
)
def test_what_a_person_must_mend_exits_2(
    variables: dict[str, str], arguments: list[str], says: str, make_home: MakeHome
) -> None:
    """Settings, options and missing credentials: exit 2, a sentence that names the place, no traceback."""
    home = make_home(None, **variables)
    done = home.call("run", home.plan(images(1), EAST), "--json", *arguments)
    assert (done.code, done.out) == (2, ""), done.err
    assert says in done.err
    assert "a fault of our own" not in done.err
    assert "Traceback" not in done.err


def test_nobody_listens(make_home: MakeHome) -> None:
    """Where no cloud answers, nothing was made and nobody claims so: exit 4 at the deadline, all pending."""
    home = make_home(None, ORCHESTRATOR_VM_ENDPOINT="http://127.0.0.1:9")
    done = home.call("run", home.plan(images(2), EAST), "--json", "--deadline", "500ms")
    assert (done.code, done.json["counts"]["pending"]) == (4, 2), done.err
    assert home.call("log").code == 0
