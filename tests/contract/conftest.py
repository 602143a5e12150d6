"""Every test of the contract that asks for `way` runs both ways."""

from __future__ import annotations

import pytest

from tests.contract.ways import WAYS, Way


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    """Name the way to the world."""
    chosen: Way = request.param
    return chosen
