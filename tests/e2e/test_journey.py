"""The way of a person with no account, from `init` to `prune`; and what only looks sends reads only."""

from __future__ import annotations

import json
import re
from http.client import HTTPConnection

from tests.e2e.processes import Done, Running, until
from tests.e2e.support import EAST, KEY, NORTH, SOUTH, Cloud, Home, MakeHome

EXPORT = re.compile(r"^\s*export (\w+)=(\S+)$", re.MULTILINE)


def good(done: Done, code: int = 0) -> Done:
    """Hold a command to its exit code, and its output to having no traceback."""
    assert done.code == code, done
    assert "Traceback" not in done.out + done.err
    return done


def requests(url: str) -> dict[str, int]:
    """Ask a simulator what it was asked, by operation."""
    connection = HTTPConnection(url.removeprefix("http://"), timeout=10)
    try:
        connection.request("GET", "/_simulator/books")
        counted: dict[str, int] = json.loads(connection.getresponse().read())["requests"]
    finally:
        connection.close()
    return counted


def paste(home: Home, simulator: Running) -> str:
    """Paste the export lines that the simulator printed, and return its URL."""
    exports: dict[str, str] = until(
        lambda: dict(EXPORT.findall(simulator.out)) if "SECRET" in simulator.out else None, "exports"
    )
    assert len(exports) == 4
    home.environ |= exports
    url: str = exports["ORCHESTRATOR_VM_ENDPOINT"]
    return url


def writes(url: str) -> dict[str, int]:
    """Count the requests that change something."""
    return {name: n for name, n in requests(url).items() if not name.startswith("describe")}


def test_a_person_with_no_account(make_home: MakeHome) -> None:
    """Each step works the first time, in this order, with exit code 0, and says what it should."""
    home = make_home()
    begun = good(home.call("init", "."))
    assert begun.out.splitlines()[-1].startswith("next: orchestrator rehearse nightly.yaml")
    good(home.call("validate", "nightly.yaml"))
    rehearsed = good(home.call("rehearse", "nightly.yaml"))
    assert "\nok: 4 of 4 copies ready; the night takes " in rehearsed.out, rehearsed.out

    simulator = home.start("simulator", "--plan", "nightly.yaml", "--port", "0", "--speed", "6000")
    url = paste(home, simulator)
    planned = good(home.call("plan", "nightly.yaml"))
    assert "copy-missing" in planned.out
    assert good(home.call("plan", "nightly.yaml", "--detailed-exitcode"), 2)
    assert writes(url) == {}

    ran = good(home.call("run", "nightly.yaml"))
    assert "4 of 4 copies ready" in ran.err, ran.err
    assert writes(url).keys() == {"copyImages"}
    status = good(home.call("status"))
    assert "4 of 4 copies ready" in status.out
    assert "freshness" in status.out
    assert good(home.call("status", "--check")).out.startswith("OK - nightly.yaml: 4 of 4 ready")
    good(home.call("report", "--html", "night.html"))
    page = (home.folder / "night.html").read_text(encoding="utf-8")
    assert page.lstrip().lower().startswith("<!doctype html>")
    assert "golden-" in page

    check_pruning(home, url)


def check_pruning(home: Home, url: str) -> None:
    """Keep one build from now on: the older two are shown, then go, and are not made again."""
    plan = home.folder / "nightly.yaml"
    plan.write_text(plan.read_text(encoding="utf-8").replace("latest: 2", "latest: 1"), encoding="utf-8")
    before = writes(url)
    shown = good(home.call("prune", "nightly.yaml"))
    assert shown.out.splitlines()[-1] == "2 images may go; nothing was deleted. --apply deletes."
    assert writes(url) == before
    refused = good(home.call("prune", "nightly.yaml", "--apply"), 2)
    assert "nobody is there to answer it. Give --yes." in refused.err
    assert writes(url) == before
    done = good(home.call("prune", "nightly.yaml", "--apply", "--yes"))
    assert len([line for line in done.out.splitlines() if line.startswith("deleted: ")]) == 2
    assert writes(url) == {**before, "deleteImage": 2}
    assert good(home.call("prune", "nightly.yaml", "--apply", "--yes")).out.startswith("nothing may go")
    good(home.call("run", "nightly.yaml"))
    good(home.call("plan", "nightly.yaml", "--detailed-exitcode"))
    assert writes(url) == {**before, "deleteImage": 2}


def test_init_writes_over_nothing(make_home: MakeHome) -> None:
    """A second `init` refuses, names what is there, and leaves it as it is; --force replaces it."""
    home = make_home()
    good(home.call("init", "here"))
    plan = home.folder / "here" / "nightly.yaml"
    plan.write_text("mine", encoding="utf-8")
    refused = good(home.call("init", "here"), 2)
    assert "nightly.yaml" in refused.err
    assert plan.read_text(encoding="utf-8") == "mine"
    good(home.call("init", "here", "--force"))
    assert good(home.call("validate", "here/nightly.yaml"))


RICH = f"""\
version: 1
replications:
- name: golden
  source: {NORTH}
  destinations: [{EAST}, {SOUTH}]
  images: [{{name_regex: '^no such name$', latest: 1, family: '^.*$', at_most: 2000}}, %s]
  keep: {{latest: 1}}
  label: {{name: '{{source_name}}-x'}}
  verify: true
  best_effort: {{fail_after_nights: 3}}
"""


def rich(home: Home, *images: str) -> str:
    """Write a plan with everything in it, whose selector matches nothing."""
    text = RICH % ", ".join(images)
    (home.folder / "rich.yaml").write_text(text, encoding="utf-8")
    return "rich.yaml"


def test_what_only_looks_sends_only_reads(own_cloud: Cloud, make_home: MakeHome) -> None:
    """Looking, rehearsing, asking, reporting, examining: on a plan that asks for everything there is."""
    home = make_home(own_cloud)
    first, second = own_cloud.take(2)
    plan = rich(home, first)
    good(home.call("run", plan))
    before = writes(own_cloud.url)
    assert before.keys() == {"copyImages", "modifyImageAttribute"}
    plan = rich(home, second)
    for arguments in (
        ("plan", plan), ("plan", plan, "--out", "saved.json"), ("rehearse", plan),
        ("rehearse", plan, "--from-cloud"), ("prune", plan), ("status",), ("status", "--check"),
        ("report", "--json"), ("report", "--html", "r.html"), ("doctor", plan),
    ):  # fmt: skip
        done = home.call(*arguments)
        assert done.code in (0, 1, 3), (arguments, done)
        assert "Traceback" not in done.err
        assert writes(own_cloud.url) == before, arguments


def test_prune_says_what_is_left_and_exits_3(own_cloud: Cloud, make_home: MakeHome) -> None:
    """A sub-user who may not delete: each image is named with the reason, and nothing is gone."""
    home = make_home(own_cloud)
    *older, wanted = own_cloud.take(4)
    good(home.call("run", home.plan([*older, wanted], EAST)))
    plan = home.plan([wanted], EAST)
    with (home.folder / plan).open("a", encoding="utf-8") as file:
        file.write("    keep: {latest: 1}\n")
    own_cloud.weather(faults=[{"fault": "forbidden", "on": ["deleteImage"], "chance": 1.0}])
    done = home.call("prune", plan, "--apply", "--yes", "--json")
    going = {image["image"] for image in json.loads(done.out)["images"] if image["goes"]}
    assert going, "of four builds of one moment any may count as the newest, and one is wanted"
    assert done.code == 3, done
    assert set(re.findall(rf"still there: (\S+) in {EAST}", done.err)) == going
    assert "deleted: " not in done.err
    assert writes(own_cloud.url)["deleteImage"] == len(going), "what is refused is not asked for again"
    own_cloud.calm()
    left = good(home.call("prune", plan, "--apply", "--yes"))
    assert set(re.findall(rf"deleted: (\S+) in {EAST}", left.out)) == going
    assert KEY not in done.out + done.err
