"""The same night twice: under a policy in virtual time, and under the real program over HTTP.

`script` is held against `sdk_script.py` on the official SDK, `ours` (and `relay`) against `orchestrator
run` as a process; both meet the simulator's own server around the night's cloud, so many times
faster. Chance is not the same in both (jitter, which thread comes first), so the policy is played
with many draws of it: what really happened must lie in the range of these, a margin wider.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPConnection
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from orchestrator.core.model import Copy, ImageId, Region
from orchestrator.simulator.books import Books, BooksDict
from orchestrator.simulator.worldfile import DEMO_KEY, DEMO_SECRET
from tests.bench.cells import Key
from tests.bench.figures import EPOCH, Figures, Stage, read_off
from tests.bench.nights import KINDS, LATENCY_S, ORIGIN, Night
from tests.bench.policies import Noticed
from tests.e2e.processes import PROGRAM, Running, scratch_environment, until

SPEED = 120
"""A copy of ten minutes takes five seconds; a request of 5 ms counts as 0.6 s."""

ROUND_S = 600.0
"""What a copy of the usual size takes: makespans are compared in these."""

PAIRED = (
    ("script", Key("uniform", 3, 100)),
    ("script", Key("lognormal", 3, 30)),
    ("ours", Key("uniform", 3, 100)),
    ("ours", Key("lognormal", 3, 30)),
)
"""Which policies are held against reality, in which nights."""

_SCRIPT = Path(__file__).with_name("sdk_script.py")
_LONGEST_S = 600.0

_SPANS_S = {
    "POLL_INTERVAL": 30.0,
    "BACKOFF_INITIAL": 1.0,
    "BACKOFF_MAX": 300.0,
    "QUOTA_INTERVAL": 900.0,
    "SETTLE_TIME": 900.0,
    "COPY_TIMEOUT": 6 * 3600.0,
}
"""The settings that are times, with their defaults."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One policy in one night: its figures in virtual time, one for each draw, and the real program's."""

    key: Key
    models: Sequence[Figures]
    real: Figures

    def span(self, figure: str) -> tuple[float, float, float]:
        """Return the least, the median and the most of a figure over the draws."""
        values = sorted(float(getattr(each, figure)) for each in self.models)
        return values[0], median(values), values[-1]


@dataclass(frozen=True, slots=True)
class Margin:
    """How far outside of the model's range a real figure may lie: a share, or `least` where that is more."""

    figure: str
    share: float
    least: float

    def holds(self, pair: Pair) -> bool:
        """Compare one pair."""
        low, _, high = pair.span(self.figure)
        real = float(getattr(pair.real, self.figure))
        return (
            min(low - self.least, low * (1 - self.share))
            <= real
            <= max(high + self.least, high * (1 + self.share))
        )


MARGINS = (
    Margin("makespan_s", 0.10, 0.1 * ROUND_S),
    Margin("calls", 0.10, 0.5),
    Margin("polls", 0.10, 1.0),
    Margin("missing", 0.10, 10.0),
)

_DRAWS = 20


def has_sdk() -> bool:
    """Tell whether the official SDK is installed (`make test-oracle` does that)."""
    return find_spec("jdcloud_sdk") is not None


def pairs() -> Iterator[Pair]:
    """Hold every pair that can be: those of the script need the SDK."""
    for policy, key in PAIRED:
        if policy != "script" or has_sdk():
            yield pair(policy, key, 1)


def pair(policy: str, key: Key, seed: int, speed: int = SPEED) -> Pair:
    """Run one night for real, then under the model, whose requests take as long as the real ones did."""
    night = Night(KINDS[key.kind], key.regions, key.images, seed)
    real, latency_s = _real(policy, night, speed)
    return Pair(key, [Stage(night, latency_s).play(policy, luck) for luck in range(_DRAWS)], real)


def _real(policy: str, night: Night, speed: int) -> tuple[Figures, float]:
    """Run the real program; its figures, and how long a request took in the night's time."""
    with TemporaryDirectory(prefix="night-") as name:
        folder = Path(name)
        cloud = _serve(night, speed, folder)
        try:
            url = until(lambda: _address(cloud), "the cloud to listen")
            run = _run_script if policy == "script" else _run_program
            report = run(night, speed, url, folder)
            books = _books(url)
        finally:
            cloud.end()
    shown = {copy: EPOCH + (at - report.began) * speed for copy, at in report.ready.items()}
    real = read_off(night, policy, shown, _slowed(books, report.began, speed))
    return real, report.latency_s * speed


def _serve(night: Night, speed: int, folder: Path) -> Running:
    """Start the night's cloud in a process of its own."""
    options = {"kind": night.kind.name, "destinations": night.regions, "images": night.images}
    options |= {"seed": night.seed, "speed": speed}
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


def _run_script(night: Night, speed: int, url: str, folder: Path) -> Report:
    """Run the script on the official SDK."""
    images = folder / "images.txt"
    images.write_text("\n".join(night.sources), encoding="utf-8")
    where = ["--endpoint", url.removeprefix("http://"), "--scheme", "http", "--origin", ORIGIN]
    to = [word for region in night.destinations for word in ("--to", region)]
    command = [sys.executable, str(_SCRIPT), *where, *to, "--images", str(images), "--faster", str(speed)]
    environ = scratch_environment(folder, {"ACCESS_KEY": DEMO_KEY, "SECRET_KEY": DEMO_SECRET})
    out = _ended(Running(command, folder=folder, environ=environ)).out
    first, *said, last = map(json.loads, out.splitlines())
    ready = {Copy(ImageId(s["source"]), ORIGIN, Region(s["region"])): float(s["at"]) for s in said}
    return Report(began=first["began"], ready=ready, latency_s=last["took_s"] / last["requests"])


def _run_program(night: Night, speed: int, url: str, folder: Path) -> Report:
    """Run `orchestrator run`, with every span of its settings divided by the speed."""
    plan = folder / "plan.yaml"
    head = ["version: 1", "replications:", "  - name: all", f"    source: {ORIGIN}"]
    wanted = [f"    destinations: [{', '.join(night.destinations)}]", "    images:"]
    plan.write_text("\n".join([*head, *wanted, *(f"      - {s}" for s in night.sources)]), encoding="utf-8")
    environ = scratch_environment(folder, _settings(night, speed, url))
    command = [*PROGRAM, "run", "--no-progress", "-q", str(plan)]
    _ended(Running(command, folder=folder, environ=environ))
    return _read_log(folder / "state" / "orchestrator" / "logs" / "latest", speed)


def _settings(night: Night, speed: int, url: str) -> dict[str, str]:
    """Say what is not as it is by default: access, and every time in the cloud's pace."""
    return {
        "JDCLOUD_ACCESS_KEY": DEMO_KEY,
        "JDCLOUD_SECRET_KEY": DEMO_SECRET,
        "ORCHESTRATOR_VM_ENDPOINT": url,
        "ORCHESTRATOR_EXTRA_REGIONS": ",".join(night.destinations),
        "ORCHESTRATOR_REQUESTS_PER_MINUTE": str(600 * speed),
        **{f"ORCHESTRATOR_{name}": f"{span_s / speed:.6f}s" for name, span_s in _SPANS_S.items()},
    }


def _read_log(log: Path, speed: int) -> Report:
    """Read the beginning of the run and every ready copy out of its progress log, which times no request."""
    began, ready = 0.0, Noticed()
    for line in map(json.loads, log.read_text(encoding="utf-8").splitlines()):
        at = datetime.fromisoformat(line["ts"]).timestamp()
        if line["event"] == "run.begun":
            began = at
        if line["event"] == "copy.ready":
            copy = Copy(ImageId(line["source_image"]), ORIGIN, Region(line["destination_region"]))
            ready.setdefault(copy, at)
    return Report(began=began, ready=ready, latency_s=LATENCY_S / speed)


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


def _slowed(said: BooksDict, began: float, speed: int) -> Books:
    """Bring the books back to the time of the night."""
    books = Books(requests=Counter(said["requests"]), violations=said["violations"])
    books.peaks = Counter({Region(region): count for region, count in said["peak_in_flight"].items()})
    for entry in said["copies"]:
        if entry["ended"] is not None:
            entry["ended"] = EPOCH + (entry["ended"] - began) * speed
        books.copies.append(entry)
    return books


def lines(held: Iterable[Pair]) -> list[str]:
    """Write the pairs as a table: the model's median and range, then what really happened."""
    said = ["| policy | night | makespan, rounds | calls / minimum | polls per copy | left out | within |"]
    said.append("| --- " * 7 + "|")
    for each in held:
        entries = [
            _entry(each, "makespan_s", "{:.2f}", ROUND_S),
            _entry(each, "calls", "{:.2f}"),
            _entry(each, "polls", "{:.1f}"),
            _entry(each, "missing", "{:,.0f}"),
            "yes" if all(margin.holds(each) for margin in MARGINS) else "no",
        ]
        said.append(f"| {each.real.policy} | {each.key} | {' | '.join(entries)} |")
    return said


def _entry(pair: Pair, figure: str, shape: str, unit: float = 1.0) -> str:
    """Write one figure: median (range) of the model, then the real one."""
    low, middle, high = (shape.format(value / unit) for value in pair.span(figure))
    real = shape.format(float(getattr(pair.real, figure)) / unit)
    return f"{middle} ({low} to {high}) · {real}"
