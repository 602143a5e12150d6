"""`orchestrator plan` as a user has it: a screen, exit codes, a file to run, an error without keys."""

from __future__ import annotations

import json
import os

from tests.e2e.support import EAST, SOUTH, Cloud, MakeHome, calls_for, check_once, copies_of, images, made


def test_a_plan_is_looked_at_saved_and_run(cloud: Cloud, make_home: MakeHome) -> None:
    """Nothing is sent before the run; the run of the file makes each copy once; then all is there."""
    home, sources = make_home(cloud), cloud.take(4)
    plan, wanted = home.plan(sources, EAST, SOUTH), copies_of(sources, EAST, SOUTH)
    done = home.call("plan", plan, "--out", "tonight.json", "--detailed-exitcode")
    assert done.code == 2, done.err
    assert "plan.yaml: 8 copies wanted: 8 to copy" in done.out
    assert "orchestrator run tonight.json" in done.err
    assert (home.folder / "tonight.json").stat().st_mode & 0o777 == 0o600
    assert not made(cloud.books(), sources)
    assert not home.state.exists()
    ran = home.call("run", "tonight.json", "--json")
    assert (ran.code, ran.json["counts"]["ready"]) == (0, 8), ran.err
    check_once(cloud, wanted)
    after = home.call("plan", plan, "--detailed-exitcode", "--json")
    assert (after.code, after.json["counts"]) == (0, {"skip-ready": 8})
    assert home.call("run", "tonight.json").code == 0
    check_once(cloud, wanted)


def test_a_saved_plan_of_another_text_is_refused(cloud: Cloud, make_home: MakeHome) -> None:
    """A byte more in the plan: exit 2, the file is named, no call; a spoilt file is no plan either."""
    home, sources = make_home(cloud), cloud.take(2)
    plan = home.plan(sources, EAST)
    assert home.call("plan", plan, "--out", "tonight.json").code == 0
    with (home.folder / plan).open("a", encoding="utf-8") as file:
        file.write("# a word\n")
    done = home.call("run", "tonight.json")
    assert (done.code, done.out) == (2, "")
    assert f"{home.folder / plan} or a list that it names was changed" in done.err
    saved = home.folder / "tonight.json"
    saved.write_text(saved.read_text(encoding="utf-8").replace(EAST, SOUTH), encoding="utf-8")
    spoilt = home.call("run", "tonight.json")
    assert (spoilt.code, "not as it was written" in spoilt.err) == (2, True)
    less = home.call("run", "tonight.json", "--limit", "1")
    assert less.code == 2
    assert calls_for(cloud.books(), sources) == 0


def test_errors_are_one_where_two_means_something_to_do(cloud: Cloud, make_home: MakeHome) -> None:
    """With --detailed-exitcode an unknown option, no plan and a bad setting exit 1; without it, 2."""
    home = make_home(cloud)
    plan = home.plan(images(1), EAST)
    for words in (
        ["--nonsense"],
        ["none.yaml"],
        [plan, "--set", "workers=none"],
        [plan, "--offline", "--all"],
    ):
        assert home.call("plan", *words).code == 2, words
        done = home.call("plan", *words, "--detailed-exitcode")
        assert (done.code, done.out) == (1, ""), words
        assert "Traceback" not in done.err


def test_without_credentials_the_error_names_offline(make_home: MakeHome) -> None:
    """It says what is missing and that --offline needs none; that one then shows the chunks."""
    home = make_home()
    plan = home.plan(images(12), EAST)
    for name in ("JDCLOUD_ACCESS_KEY", "JDCLOUD_SECRET_KEY"):
        home.environ.pop(name, None)
    done = home.call("plan", plan)
    assert (done.code, "plan --offline" in done.err) == (2, True), done.err
    shown = json.loads(home.call("plan", plan, "--offline", "--json").out)
    assert [len(chunk["images"]) for chunk in shown["chunks"]] == [10, 2]
    assert (shown["version"], shown["offline"]) == (1, True)
    assert not home.state.exists()


def test_a_plan_from_a_pipe_is_read_whole(cloud: Cloud, make_home: MakeHome) -> None:
    """Whether it is a saved one is asked of files only: a pipe gives its words once."""
    home = make_home(cloud)
    plan = home.folder / home.plan(images(12), EAST)
    pipe = home.folder / "pipe.yaml"
    os.mkfifo(pipe)
    running = home.start("run", "pipe.yaml", "--only", "img-none")
    pipe.write_bytes(plan.read_bytes())
    done = running.wait()
    assert (done.code, "the plan does not name it" in done.err) == (2, True), done.err
