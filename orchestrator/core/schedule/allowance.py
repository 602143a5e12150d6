"""How many requests a minute the cloud takes: learned from refusals, where it takes fewer than are allowed.

The gateway counts the requests of the last minute, by access key and by API, and refuses the rest
(official gateway error page). So what went through in the minute before a throttle is what it takes,
and the next place is free when the oldest of those is a minute old. Pure; it sends nothing, and what
was learned ends with the run: limits of that kind are not known to last.

One throttle may be chance, or about a moment. Several in a row, with pauses between them, are about
the minute; once that is known, one throttle of a minute that was nearly full is believed at once.
"""

from __future__ import annotations

from collections import deque
from math import inf

_MINUTE_S = 60.0
"""The time in which the gateway counts requests (official introduction, "per minute")."""

_ROW = 3
"""Throttles in a row, each after a pause, that are no chance any more."""

_FEWEST = 5
"""A throttle after fewer requests in a minute is about something else: the documented limit is 1,000."""

_NEARLY = 0.75
"""The share of a known allowance from which on a throttle is about the minute."""

_GROWTH = 0.1
"""By how much an allowance grows, at least by one request, when so many went through in full minutes."""


class Allowance:
    """What one counter of the gateway takes in a minute, at most `limit`; `most` is None while that holds."""

    __slots__ = ("_grown", "_limit", "_row", "_sent", "_taken", "most")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken = deque[float]()  # when the answers came, within the last minute, to what was counted
        self._sent = deque[float]()  # what was sent within it and has no answer yet
        self._row = self._grown = 0
        self.most: int | None = None

    def _forget(self, now: float) -> None:
        """Drop what is older than a minute; a request that is never answered blocks nothing for longer."""
        for times in (self._taken, self._sent):
            while times and times[0] <= now - _MINUTE_S:
                times.popleft()

    def sent(self, now: float) -> None:
        """Note a request that leaves now."""
        self._sent.append(now)

    def uncounted(self) -> None:
        """Note that a request that was sent counts no more: it was answered, or never left."""
        if self._sent:
            self._sent.popleft()

    def lost(self, at: float) -> None:
        """Note a request without an answer: it may have been counted, and proves nothing."""
        self.uncounted()
        self._forget(at)
        self._taken.append(at)

    def took(self, at: float) -> None:
        """Note a request that went through."""
        self.lost(at)
        self._row = 0
        if self.most is not None:
            self._grow(max(self.most, len(self._taken)))

    def _grow(self, most: int) -> None:
        """Let more through when full minutes passed well; what is no bound any more is forgotten."""
        self._grown += len(self._taken) >= most
        if self._grown >= most:
            self._grown = 0
            most += max(1, round(most * _GROWTH))
        self.most = most if most < self._limit else None

    def refused(self, at: float, *, again: bool) -> None:
        """Note a throttle; `again` when a pause lay between it and the one before."""
        believed = self._believes(at, again=again)
        self.uncounted()
        self._row += again
        if believed:
            self.most, self._grown = len(self._taken), 0

    def _believes(self, at: float, *, again: bool) -> bool:
        """Tell whether one more throttle now is about the requests of the last minute."""
        self._forget(at)
        nearly = self.most is not None and len(self._taken) >= _NEARLY * self.most
        return len(self._taken) >= _FEWEST and (nearly or self._row + again >= _ROW)

    def relief_at(self, at: float, *, again: bool) -> float:
        """Return when a request is taken again after one more throttle now; `at` where nobody knows."""
        return self._taken[0] + _MINUTE_S if self._believes(at, again=again) else at

    def ready(self, now: float) -> bool:
        """Tell whether one more request would be taken now; after a throttle one alone finds out."""
        if self.most is None and not self._row:
            return True
        self._forget(now)
        if self._row:
            return not self._sent
        return self.most is None or len(self._taken) + len(self._sent) < self.most

    def next_at(self, now: float) -> float:
        """Return when the oldest request of a full minute leaves it, which may be now."""
        if self.ready(now):
            return now
        return min(times[0] + _MINUTE_S for times in (self._taken, self._sent) if times)


class Allowances:
    """What the counters of the gateway take: one for the access key, and one for each API."""

    __slots__ = ("_api_limit", "_apis", "_key")

    def __init__(self, limit: int, api_limit: int) -> None:
        self._api_limit = api_limit
        self._key = Allowance(limit)
        self._apis: dict[str, Allowance] = {}

    def _both(self, api: str) -> tuple[Allowance, Allowance]:
        """Return the counters that a request to this API is counted by."""
        if api not in self._apis:
            self._apis[api] = Allowance(self._api_limit)
        return self._key, self._apis[api]

    def most(self, api: str) -> int | None:
        """Return how many requests a minute the cloud was found to take; None where that is no bound."""
        return min((each.most for each in self._both(api) if each.most is not None), default=None)

    def ready(self, api: str, now: float) -> bool:
        """Tell whether one more request to this API would be taken now."""
        return all(each.ready(now) for each in self._both(api))

    def next_at(self, now: float) -> float:
        """Return when a request that would not be taken now may be; `inf` when all would."""
        full = (each for each in (self._key, *self._apis.values()) if not each.ready(now))
        return min((each.next_at(now) for each in full), default=inf)

    def sent(self, api: str, now: float) -> None:
        """Note a request that leaves now."""
        for each in self._both(api):
            each.sent(now)

    def unsent(self, api: str) -> None:
        """Note that a request never left."""
        for each in self._both(api):
            each.uncounted()

    def lost(self, api: str, at: float) -> None:
        """Note a request without an answer."""
        for each in self._both(api):
            each.lost(at)

    def took(self, api: str, at: float) -> None:
        """Note a request that went through."""
        for each in self._both(api):
            each.took(at)

    def refused(self, api: str, at: float, *, alone: bool, again: bool) -> None:
        """Note a throttle of the key, or of this API `alone`; `again` after a pause."""
        key, own = self._both(api)
        counter, other = (own, key) if alone else (key, own)
        counter.refused(at, again=again)
        other.uncounted()

    def relief_at(self, api: str, at: float, *, alone: bool, again: bool) -> float:
        """Return when a request is taken again after one more throttle now; `at` where nobody knows."""
        return self._both(api)[alone].relief_at(at, again=again)
