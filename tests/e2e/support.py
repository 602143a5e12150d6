"""A user's empty home with the program in it, and a simulated cloud in another process; no test is here."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from orchestrator.core.model import PAGE_SIZE, Copy, ImageId, Region
from orchestrator.simulator.books import BooksDict
from tests.canary import SECRET, holds
from tests.e2e.processes import PROGRAM, Done, Running, scratch_environment, until

NORTH, EAST, EAST1, SOUTH = map(Region, ("cn-north-1", "cn-east-2", "cn-east-1", "cn-south-1"))

KEY = "AKENDTOEND"

SETTINGS = {
    "ORCHESTRATOR_POLL_INTERVAL": "100ms",
    "ORCHESTRATOR_SETTLE_TIME": "1s",
    "ORCHESTRATOR_BACKOFF_INITIAL": "50ms",
    "ORCHESTRATOR_BACKOFF_MAX": "300ms",
    "ORCHESTRATOR_QUOTA_INTERVAL": "300ms",
    "ORCHESTRATOR_REQUEST_TIMEOUT": "10s",
    "ORCHESTRATOR_REQUESTS_PER_MINUTE": "100000",
    "ORCHESTRATOR_REGION_COPIES": "200",
}
"""What is minutes on a real night takes fractions of a second here."""

IMAGES = 1000

WORLD = f"""\
keys: {{{KEY}: {SECRET}}}
rate_per_minute: 100000
regions:
  {NORTH}:
    quota: {{images: 2000, snapshots: 2000}}
    populate: {{count: {IMAGES}, prefix: img-bulk, size_mb: 10240}}
  {EAST}: {{quota: {{images: 1000, snapshots: 1000}}}}
  {EAST1}: {{quota: {{images: 1000, snapshots: 1000}}}}
  {SOUTH}: {{quota: {{images: 1000, snapshots: 1000}}}}
"""
SPEED = 6000
PACE = {"copy_base_s": 300, "copy_per_gb_s": 60, "copy_spread": 0.3, "speed": SPEED}
"""A copy of 10 GB takes about 0.15 s."""

HESITANT = {**PACE, "acceptance_s": 480, "listing_lag_s": 1200}
"""The answer to a call comes 80 ms after its effect, and a copy is invisible for 200 ms."""


class Cloud:
    """`orchestrator simulator` in a process of its own, with a thousand images in cn-north-1.

    Tests share one: each takes images that no other has, and leaves the weather as it was.
    """

    def __init__(self, folder: Path, *, seed: int = 1) -> None:
        folder.mkdir()
        holds(folder / "world.yaml", "the cloud knows its keys").write_text(WORLD, encoding="utf-8")
        options = ["--world", "world.yaml", "--port", "0", "--speed", str(SPEED), "--seed", str(seed)]
        command = [*PROGRAM, "simulator", *options]
        self._running = Running(command, folder=folder, environ=scratch_environment(folder, {}))
        self.url = until(self._address, "the simulator to listen")
        self._taken = 0
        self.calm()

    def _address(self) -> str | None:
        """Read where it listens, once it says so."""
        assert self._running.alive, self._running.err
        first, newline, _ = self._running.out.partition("\n")
        return first.split()[-1] if newline else None

    def take(self, count: int) -> tuple[ImageId, ...]:
        """Hand out images that nobody else has."""
        self._taken += count
        assert self._taken <= IMAGES
        return images(count, after=self._taken - count)

    def books(self) -> BooksDict:
        """Ask for its own account of what it was asked and what it made."""
        books: BooksDict = json.loads(self._ask("GET", "books"))
        return books

    def delete(self, region: str, image: str) -> None:
        """Delete an image behind everybody's back."""
        assert json.loads(self._ask("POST", "delete", {"region": region, "image": image})) == {
            "deleted": True
        }

    def weather(self, **parts: object) -> None:
        """Change faults, fates, switches or pace."""
        assert json.loads(self._ask("POST", "faults", parts)) == {"changed": True}

    def hold(self, *destinations: Region) -> None:
        """Let the next run make its calls and then wait for ever: every look at its copies fails.

        The reads that come before are one of the sources and the listing of each destination, a
        page for every hundred images.
        """
        there = Counter(entry["destination"] for entry in self.books()["copies"])
        first = 2 + sum(max(1, -(-there[region] // PAGE_SIZE)) for region in destinations)
        looks = {"fault": "internal", "on": ["describeImages"], "nth": list(range(first, 3000))}
        self.weather(faults=[looks])

    def calm(self) -> None:
        """Let everything go well and quickly from now on, and let go what is held."""
        self.weather(faults=[], fates={}, pace=PACE)

    def end(self) -> None:
        """Stop it."""
        self._running.end()

    def _ask(self, method: str, what: str, body: object = None) -> bytes:
        """Use one of its own routes, past any proxy that this machine may have."""
        connection = HTTPConnection(self.url.removeprefix("http://"), timeout=10)
        try:
            connection.request(method, f"/_simulator/{what}", None if body is None else json.dumps(body))
            response = connection.getresponse()
            answer = response.read()
        finally:
            connection.close()
        assert response.status == 200, answer
        return answer


class Home:
    """The empty home of a user who has the program, access to one cloud, and nothing else."""

    def __init__(self, folder: Path, cloud: Cloud | None, **variables: str) -> None:
        folder.mkdir()
        self.folder = folder
        self.state = folder / "state" / "orchestrator"
        access = {"JDCLOUD_ACCESS_KEY": KEY, "JDCLOUD_SECRET_KEY": SECRET}
        where = (
            {"ORCHESTRATOR_VM_ENDPOINT": cloud.url, "ORCHESTRATOR_DISK_ENDPOINT": cloud.url} if cloud else {}
        )
        self.environ = scratch_environment(folder, {**SETTINGS, **access, **where, **variables})
        self._started: list[Running] = []

    def plan(self, images: Iterable[ImageId], *destinations: Region, name: str = "plan.yaml") -> str:
        """Write a plan and return its name, to be used as an argument."""
        lines = ["version: 1", "replications:", "  - name: all", f"    source: {NORTH}"]
        lines += [f"    destinations: [{', '.join(destinations)}]", "    images:"]
        lines += [f"      - {image}" for image in images]
        (self.folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        return name

    def start(self, *arguments: str, program: Sequence[str] = PROGRAM) -> Running:
        """Start the program."""
        running = Running([*program, *arguments], folder=self.folder, environ=self.environ)
        self._started.append(running)
        return running

    def call(self, *arguments: str, program: Sequence[str] = PROGRAM) -> Done:
        """Run the program to its end."""
        return self.start(*arguments, program=program).wait()

    def held(self, *arguments: str) -> Running:
        """Start a run on a cloud that holds it, and wait until it has made its calls and is held."""
        running = self.start("run", *arguments)
        until(lambda: not running.alive or "read.unanswered" in self.log_names(), "a run to be held")
        assert running.alive, running.err
        return running

    def log_lines(self) -> list[str]:
        """Read the whole lines of the latest progress log; none where there is no log yet."""
        try:
            text = (self.state / "logs" / "latest").read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        return text[: text.rfind("\n") + 1].splitlines()

    def log_names(self) -> list[str]:
        """Name the events of the latest progress log, in order."""
        return [json.loads(line)["event"] for line in self.log_lines()]

    def end(self) -> None:
        """End whatever still runs."""
        for running in self._started:
            running.end()


MakeHome = Callable[..., Home]


def images(count: int, after: int = 0) -> tuple[ImageId, ...]:
    """Name some of the images of the world."""
    return tuple(ImageId(f"img-bulk{after + number:06}") for number in range(1, count + 1))


def copies_of(sources: Iterable[ImageId], *destinations: Region) -> set[Copy]:
    """Name the copies that a plan of these images and destinations wants."""
    return {Copy(source, NORTH, region) for source in sources for region in destinations}


def made(books: BooksDict, sources: Iterable[ImageId]) -> Counter[Copy]:
    """Count the copies of some images that the cloud made, however they ended."""
    wanted = frozenset(sources)
    entries = (entry for entry in books["copies"] if entry["root"] in wanted)
    return Counter(
        Copy(ImageId(entry["root"]), Region(entry["root_region"]), Region(entry["destination"]))
        for entry in entries
    )


def check_once(cloud: Cloud, wanted: set[Copy]) -> None:
    """Hold the cloud's own books to the main promise: each copy once, one region at a time, ten ids."""
    books = cloud.books()
    assert made(books, {copy.source for copy in wanted}) == Counter(wanted)
    assert not [line for line in books["violations"] if any(copy.source in line for copy in wanted)]
    assert books["largest_call"] <= 10


def calls_for(books: BooksDict, sources: Iterable[ImageId]) -> int:
    """Count the copyImages calls, refused ones too, that named any of some images."""
    wanted = frozenset(sources)
    return sum(not wanted.isdisjoint(call["sources"]) for call in books["calls"])


def rows(result: Any) -> set[tuple[str, str, str]]:
    """Take source, destination and state out of the copies of `run --json`."""
    return {(row["source_image"], row["destination_region"], row["state"]) for row in result["copies"]}
