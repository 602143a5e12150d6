"""Nights one after another: the first copies, the second finds nothing to do, a deleted copy comes back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.e2e.support import (
    EAST,
    NORTH,
    SOUTH,
    Cloud,
    Home,
    MakeHome,
    calls_for,
    check_once,
    copies_of,
    images,
    made,
    rows,
)

RESULT_KEYS = [
    "run", "plan", "verdict", "exit_code", "started_at", "finished_at", "counts", "calls", "copies",
    "replications",
]  # fmt: skip
COPY_KEYS = [
    "source_region", "source_image", "destination_region", "destination_image", "state", "reason", "detail",
]  # fmt: skip


def first_night(home: Home, plan: str, *options: str) -> Any:
    """Run a plan that must succeed, and return its result."""
    done = home.call("run", plan, "--json", *options)
    assert done.code == 0, done.err
    return done.json


def test_the_first_night_makes_every_copy(cloud: Cloud, make_home: MakeHome) -> None:
    """Exit 0; stdout is one JSON object of the promised shape and nothing else; the books agree with it."""
    home, sources = make_home(cloud), cloud.take(4)
    result = first_night(home, home.plan(sources, EAST, SOUTH))
    assert list(result) == RESULT_KEYS
    assert (result["plan"], result["verdict"], result["exit_code"]) == ("plan.yaml", "ok", 0)
    assert result["counts"] == {"wanted": 8, "ready": 8, "failed": 0, "pending": 0}
    assert datetime.fromisoformat(result["started_at"]) < datetime.fromisoformat(result["finished_at"])
    assert {tuple(row) for row in result["copies"]} == {tuple(COPY_KEYS)}
    assert {row["source_region"] for row in result["copies"]} == {NORTH}
    check_once(cloud, copies_of(sources, EAST, SOUTH))
    books = cloud.books()
    assert result["calls"]["copyImages"] == calls_for(books, sources)
    assert {(row["source_image"], row["destination_image"]) for row in result["copies"]} == {
        (entry["source"], entry["image"]) for entry in books["copies"] if entry["source"] in sources
    }


def test_a_second_night_calls_nothing(cloud: Cloud, make_home: MakeHome) -> None:
    """What is ready is confirmed by listing and not copied again: exit 0, no copyImages call."""
    home, sources = make_home(cloud), cloud.take(3)
    plan = home.plan(sources, EAST)
    first_night(home, plan)
    before = cloud.books()["requests"]
    result = first_night(home, plan)
    after = cloud.books()["requests"]
    assert after["copyImages"] == before["copyImages"]
    assert after["describeImages"] > before["describeImages"]
    assert "copyImages" not in result["calls"]
    assert {row["reason"] for row in result["copies"]} == {"confirmed"}
    check_once(cloud, copies_of(sources, EAST))


def test_a_deleted_copy_is_made_again(cloud: Cloud, make_home: MakeHome) -> None:
    """A ledger that says ready is not believed against the cloud; only what is gone is copied."""
    home, sources = make_home(cloud), cloud.take(3)
    plan = home.plan(sources, EAST)
    victim = first_night(home, plan)["copies"][1]
    cloud.delete(EAST, victim["destination_image"])
    result = first_night(home, plan)
    again = {row["source_image"]: row for row in result["copies"]}
    assert again[victim["source_image"]]["destination_image"] != victim["destination_image"]
    assert sorted(made(cloud.books(), sources).values()) == [1, 1, 2]
    assert result["calls"]["copyImages"] == 1


def test_narrowing_leaves_the_rest_alone(cloud: Cloud, make_home: MakeHome) -> None:
    """--only and --destination copy what they name, and the plan's other copies stay unmade."""
    home, sources = make_home(cloud), cloud.take(4)
    plan = home.plan(sources, EAST, SOUTH)
    result = first_night(home, plan, "--only", sources[2], "--destination", SOUTH)
    assert rows(result) == {(sources[2], SOUTH, "ready")}
    check_once(cloud, copies_of(sources[2:3], SOUTH))
    first_night(home, plan, "--only", sources[0], "--only", sources[1])
    assert set(made(cloud.books(), sources)) == copies_of(sources[:2], EAST, SOUTH) | copies_of(
        sources[2:3], SOUTH
    )


def test_a_limit_takes_the_plan_in_bites(cloud: Cloud, make_home: MakeHome) -> None:
    """--limit 3 copies the first three that are not ready, and the next run the next ones."""
    home, sources = make_home(cloud), cloud.take(5)
    plan = home.plan(sources, EAST)
    assert rows(first_night(home, plan, "--limit", "3")) == {(s, EAST, "ready") for s in sources[:3]}
    assert rows(first_night(home, plan, "--limit", "3")) == {(s, EAST, "ready") for s in sources[3:]}
    check_once(cloud, copies_of(sources, EAST))


def test_a_name_that_the_plan_has_not_is_refused(make_home: MakeHome) -> None:
    """--only and --destination with a slip of the pen exit 2 and name the nearest; nothing is run."""
    home = make_home()
    plan = home.plan(images(2), EAST)
    only = home.call("run", plan, "--json", "--only", "img-bulk00001")
    region = home.call("run", plan, "--json", "--destination", "cn-east-3")
    assert (only.code, only.out, region.code, region.out) == (2, "", 2, "")
    assert "img-bulk000001" in only.err
    assert EAST in region.err


def test_failed_runs_only_what_failed(cloud: Cloud, make_home: MakeHome) -> None:
    """A copy that ends in error exits 3 and names it; once its ruin is gone, --failed makes just that one."""
    home, sources = make_home(cloud), cloud.take(3)
    plan = home.plan(sources, EAST)
    cloud.weather(fates={"error": [sources[1]]})
    done = home.call("run", plan, "--json")
    assert (done.code, done.json["verdict"], done.json["exit_code"]) == (3, "partial", 3)
    assert done.json["counts"] == {"wanted": 3, "ready": 2, "failed": 1, "pending": 0}
    (ruin,) = (row for row in done.json["copies"] if row["state"] == "failed")
    assert (ruin["source_image"], ruin["reason"]) == (sources[1], "copy-error")
    assert sources[1] in done.err
    cloud.weather(fates={})
    cloud.delete(EAST, ruin["destination_image"])
    assert rows(first_night(home, plan, "--failed")) == {(sources[1], EAST, "ready")}
    assert sorted(made(cloud.books(), sources).values()) == [1, 1, 2]


def test_a_deadline_hands_the_rest_over(cloud: Cloud, make_home: MakeHome) -> None:
    """At the deadline the run exits 4 with what is under way; the next one finishes it, each copy once."""
    home, sources = make_home(cloud), cloud.take(2)
    plan = home.plan(sources, EAST, SOUTH)
    cloud.hold(EAST, SOUTH)
    late = home.call("run", plan, "--json", "--deadline", "1s")
    assert (late.code, late.json["verdict"], late.json["exit_code"]) == (4, "deadline", 4)
    assert late.json["counts"] == {"wanted": 4, "ready": 0, "failed": 0, "pending": 4}
    assert "copying" in {row["state"] for row in late.json["copies"]}
    cloud.calm()
    assert first_night(home, plan)["counts"]["ready"] == 4
    check_once(cloud, copies_of(sources, EAST, SOUTH))


def test_a_simulation_never_meets_a_real_night(cloud: Cloud, make_home: MakeHome) -> None:
    """`run --simulate` needs no access, asks the real endpoint nothing, leaves the real ledger as it is."""
    home, sources = make_home(cloud), cloud.take(8)
    plan = home.plan(sources, EAST)
    first_night(home, plan)
    ledger, requests = (home.state / "ledger.db").read_bytes(), cloud.books()["requests"]
    for name in ("JDCLOUD_ACCESS_KEY", "JDCLOUD_SECRET_KEY"):
        del home.environ[name]
    result = first_night(home, plan, "--simulate", "--only", sources[6])  # the smallest that it invents
    assert result["counts"]["ready"] == 1
    assert result["calls"]["copyImages"] >= 1
    assert (home.state / "ledger.db").read_bytes() == ledger
    assert cloud.books()["requests"] == requests
    assert (home.state / "simulated" / "ledger.db").is_file()
    (real,), (played,) = home.call("runs", "--json").json, home.call("runs", "--simulate", "--json").json
    assert played["run"] == result["run"] != real["run"]
