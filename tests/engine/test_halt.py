"""The wish to stop: the first signal stops, the second leaves, and each is heard."""

from __future__ import annotations

from signal import SIGHUP, SIGINT, SIGTERM

from orchestrator.engine.halt import Halt


def test_nobody_asked_yet() -> None:
    """A run begins without a wish to stop, and asking needs no listener."""
    halt = Halt()
    assert (halt.requested, halt.at_once, halt.signal) == (False, False, None)
    halt.request(SIGTERM)
    assert halt.requested


def test_the_first_signal_stops_and_names_the_exit_code() -> None:
    """It is kept whatever comes after it: 143 stays 143."""
    halt = Halt()
    halt.request(SIGTERM)
    assert (halt.signal, halt.at_once) == (SIGTERM, False)
    halt.request(SIGINT)
    assert halt.signal == SIGTERM


def test_the_second_signal_leaves_at_once() -> None:
    """The same signal or another one, and a third changes nothing."""
    for second in (SIGTERM, SIGINT, SIGHUP):
        halt = Halt()
        halt.request(SIGTERM)
        halt.request(second)
        assert halt.at_once
        halt.request(second)
        assert halt.at_once


def test_every_request_is_heard() -> None:
    """The listener is told each time, and finds the wish already noted."""
    halt = Halt()
    heard: list[tuple[bool, bool]] = []
    halt.listener = lambda: heard.append((halt.requested, halt.at_once))
    halt.request(SIGTERM)
    halt.request(SIGTERM)
    assert heard == [(True, False), (True, True)]


def test_a_signal_is_news_once() -> None:
    """Who tells of it asks; nobody tells of it twice, and before it there is nothing to tell."""
    halt = Halt()
    assert halt.news() is None
    halt.request(SIGTERM)
    halt.request(SIGINT)
    assert [halt.news(), halt.news()] == [SIGTERM, None]
