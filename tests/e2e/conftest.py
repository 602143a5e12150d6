"""Clouds and homes for the end-to-end tests, torn down whatever happened."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.support import Cloud, Home, MakeHome


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Start one simulator for all tests of this process."""
    common = Cloud(tmp_path_factory.mktemp("simulator") / "cloud")
    yield common
    common.end()


@pytest.fixture
def cloud(simulator: Cloud) -> Iterator[Cloud]:
    """Lend the simulator to one test, and make its weather calm again."""
    yield simulator
    simulator.calm()


@pytest.fixture
def own_cloud(tmp_path: Path) -> Iterator[Cloud]:
    """Start a simulator that nobody else has used, for one test that reads all of its books."""
    own = Cloud(tmp_path / "cloud")
    yield own
    own.end()


@pytest.fixture
def make_home(tmp_path: Path) -> Iterator[MakeHome]:
    """Give a maker of empty homes; what is still running in them is ended."""
    homes: list[Home] = []

    def make(cloud: Cloud | None = None, **variables: str) -> Home:
        homes.append(Home(tmp_path / f"home{len(homes)}", cloud, **variables))
        return homes[-1]

    yield make
    for home in homes:
        home.end()
