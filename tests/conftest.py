"""What every test shares."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import aiohttp
import pytest

from tests.canary_watch import Watch

# looptime's plugin asks for the current loop around synchronous tests; without this line that
# creates one which nobody closes.
asyncio.set_event_loop(None)


_GLIMPSED = ("storm", "walk", "recovery", "mutants", "torture", "fuzz")
"""Folders of the proving machines: `make prove SECONDS=..` runs each of them in CI after the tests."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the machines' own tests to `make test-long`."""
    for item in items:
        if item.path.parent.name in _GLIMPSED:
            item.add_marker(pytest.mark.long)


def pytest_configure(config: pytest.Config) -> None:
    """Search everything that the tests produce for the secrets that they use."""
    config.pluginmanager.register(Watch(), "canary")


_SIGNALS = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}


@pytest.fixture(autouse=True)
def _signals_as_before() -> Iterator[None]:
    """Undo what a verb that was run in this process did to signals: processes started later inherit it."""
    _restore_signals()
    yield
    _restore_signals()


def _restore_signals() -> None:
    """Set the signals to what they were when the tests were collected."""
    for number, handler in _SIGNALS.items():
        if signal.getsignal(number) is not handler:
            signal.signal(number, handler)


class _Response(aiohttp.ClientResponse):
    """Fill in the argument that aioresponses 0.7.9 does not pass to aiohttp 3.14.

    Drop this when aioresponses is mended upstream (pnuckowski/aioresponses#289).
    """

    def __init__(self, *args: Any, stream_writer: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, stream_writer=stream_writer or Mock(output_size=0), **kwargs)


@pytest.fixture(autouse=True)
def _aioresponses_on_aiohttp_314(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aioresponses.core.ClientResponse", _Response)
