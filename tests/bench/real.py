"""A night for real: a program as a process, over HTTP, against a night's cloud that is many times faster.

`script` is `sdk_script.py` on the official SDK, `ours` and `relay` are `orchestrator run`. Compares nothing.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPConnection
from importlib.util import find_spec
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

from orchestrator.core.model import Copy, ImageId, Region
from orchestrator.simulator.books import Books, BooksDict
from orchestrator.simulator.worldfile import DEMO_KEY, DEMO_SECRET
from tests.bench.figures import EPOCH, Figures, read_off
from tests.bench.nights import ORIGIN, Night
from tests.bench.ours import limits
from tests.bench.policies import Noticed
from tests.e2e.processes import PROGRAM, Running, scratch_environment, until

_SCRIPT = Path(__file__).with_name("sdk_script.py")
_LONGEST_S = 600.0


def has_sdk() -> bool:
    """Tell whether the official SDK is installed (`make test-oracle` does that)."""
    return find_spec("jdcloud_sdk") is not None


def run_real(policy: str, night: Night) -> tuple[Figures, float]:
    """Run the real program; its figures, and how many seconds a request took in the mean."""
    with TemporaryDirectory(prefix="night-") as name:
        folder = Path(name)
        cloud = _serve(night, folder)
        try:
            url = until(lambda: _address(cloud), "the cloud to listen")
            if policy == "script":
                report = _run_script(night, url, folder)
            else:
                report = _run_program(night, url, folder, relay=policy == "relay")
            books = _books(url)
        finally:
            cloud.end()
    shown = {copy: EPOCH + at - report.began for copy, at in report.ready.items()}
    return read_off(night, policy, shown, _moved(books, report.began)), report.latency_s


def _serve(night: Night, folder: Path) -> Running:
    """Start the night's cloud in a process of its own."""
    options = {"kind": night.kind.name, "destinations": night.regions, "images": night.images}
    options |= {"seed": night.seed, "speed": night.speed}
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    home = folder / "cloud"
    home.mkdir()
    here = str(Path(__file__).parent.parent.parent)
    environ = scratch_environment(home, {"PYTHONPATH": here})
    return Running([sys.executable, "-m", "tests.bench.served", *words], folder=home, environ=environ)


def _address(cloud: Running) -> str | None:
    """Read where it listens, once it says so."""
    if not cloud.alive:
        raise RuntimeError(f"the cloud has ended: {cloud.err}")
    first, newline, _ = cloud.out.partition("\n")
    return first.split()[-1] if newline else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """When a program began and noticed each copy (real epoch seconds); how long a request took it."""

    began: float
    ready: Noticed
    latency_s: float


def _run_script(night: Night, url: str, folder: Path) -> Report:
    """Run the script on the official SDK."""
    images = folder / "images.txt"
    images.write_text("\n".join(night.sources), encoding="utf-8")
    where = ["--endpoint", url.removeprefix("http://"), "--scheme", "http", "--origin", ORIGIN]
    to = [word for region in night.destinations for word in ("--to", region)]
    paced = ["--images", str(images), "--faster", str(night.speed)]
    command = [sys.executable, str(_SCRIPT), *where, *to, *paced]
    environ = scratch_environment(folder, {"ACCESS_KEY": DEMO_KEY, "SECRET_KEY": DEMO_SECRET})
    out = _ended(Running(command, folder=folder, environ=environ)).out
    first, *said, last = map(json.loads, out.splitlines())
    ready = {Copy(ImageId(s["source"]), ORIGIN, Region(s["region"])): float(s["at"]) for s in said}
    return Report(began=first["began"], ready=ready, latency_s=last["took_s"] / last["requests"])


def _run_program(night: Night, url: str, folder: Path, *, relay: bool) -> Report:
    """Run `orchestrator run`, with every span of its settings divided by the speed."""
    plan = folder / "plan.yaml"
    plan.write_text(_plan(night, relay=relay), encoding="utf-8")
    environ = scratch_environment(folder, _settings(night, url))
    command = [*PROGRAM, "run", "--no-progress", "-q", str(plan)]
    _ended(Running(command, folder=folder, environ=environ))
    return _read_log(folder / "state" / "orchestrator" / "logs" / "latest")


def _plan(night: Night, *, relay: bool) -> str:
    """Write the night's plan."""
    head = ["version: 1", *(["relay: true"] if relay else []), "replications:", "  - name: all"]
    where = [f"    source: {ORIGIN}", f"    destinations: [{', '.join(night.destinations)}]", "    images:"]
    return "\n".join([*head, *where, *(f"      - {source}" for source in night.sources)]) + "\n"


def _settings(night: Night, url: str) -> dict[str, str]:
    """Say what is not as it is by default: access, and every time in the cloud's pace."""
    paced = limits(night.speed)
    spans_s = {
        "POLL_INTERVAL": paced.poll_interval_s,
        "BACKOFF_INITIAL": paced.backoff_initial_s,
        "BACKOFF_MAX": paced.backoff_max_s,
        "QUOTA_INTERVAL": paced.quota_interval_s,
        "SETTLE_TIME": paced.settle_s,
        "COPY_TIMEOUT": paced.copy_timeout_s,
    }
    return {
        "JDCLOUD_ACCESS_KEY": DEMO_KEY,
        "JDCLOUD_SECRET_KEY": DEMO_SECRET,
        "ORCHESTRATOR_VM_ENDPOINT": url,
        "ORCHESTRATOR_EXTRA_REGIONS": ",".join(night.destinations),
        "ORCHESTRATOR_REQUESTS_PER_MINUTE": str(paced.requests_per_minute),
        **{f"ORCHESTRATOR_{name}": f"{span_s:.6f}s" for name, span_s in spans_s.items()},
    }


def _read_log(log: Path) -> Report:
    """Read the beginning of a run, its ready copies and how long its calls took out of the progress log."""
    began, ready, sent, took_s = 0.0, Noticed(), dict[str, float](), list[float]()
    for line in map(json.loads, log.read_text(encoding="utf-8").splitlines()):
        at = datetime.fromisoformat(line["ts"]).timestamp()
        if line["event"] == "run.begun":
            began = at
        elif line["event"] == "copy.ready":
            copy = Copy(ImageId(line["source_image"]), ORIGIN, Region(line["destination_region"]))
            ready.setdefault(copy, at)
        elif line["event"] == "call.sent":
            sent[line["call"]] = at
        elif line["event"] in ("call.accepted", "call.refused"):
            took_s.append(at - sent[line["call"]])
    return Report(began=began, ready=ready, latency_s=mean(took_s))


def _ended(running: Running) -> Running:
    """Wait for a program's end; end it when that does not come."""
    try:
        running.wait(_LONGEST_S)
    finally:
        running.end()
    return running


def _books(url: str) -> BooksDict:
    """Ask the cloud for its own account."""
    connection = HTTPConnection(url.removeprefix("http://"), timeout=30)
    try:
        connection.request("GET", "/_simulator/books")
        books: BooksDict = json.loads(connection.getresponse().read())
        return books
    finally:
        connection.close()


def _moved(said: BooksDict, began: float) -> Books:
    """Move the books to the time in which nights begin."""
    books = Books(requests=Counter(said["requests"]), violations=said["violations"])
    books.peaks = Counter({Region(region): count for region, count in said["peak_in_flight"].items()})
    for entry in said["copies"]:
        if entry["ended"] is not None:
            entry["ended"] += EPOCH - began
        books.copies.append(entry)
    return books
