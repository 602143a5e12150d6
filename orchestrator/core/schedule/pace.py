"""How fast requests may leave: a token bucket for the access key, and one for each API.

Pure: time is an argument. It knows no request; who is to be served next is `agenda`'s affair.
"""

from __future__ import annotations

from math import inf

from orchestrator.core.schedule.allowance import Allowances

_EPSILON = 1e-4
"""Of a request: epoch seconds as floats are no finer than a few tenths of a microsecond."""


class Pace:
    """Allow a number of requests a minute, spread evenly, with a burst of about one second's worth.

    The documented limit is counted per minute and per access key (official gateway error page).
    A bucket as large as a whole minute would let twice the limit through in some minutes, so
    the burst is small and is taken off the rate.
    """

    __slots__ = ("_burst", "_filled_at", "_rate_s", "_tokens")

    def __init__(self, per_minute: int) -> None:
        self._burst = max(1.0, per_minute / 60)
        self._rate_s = max(per_minute - self._burst, per_minute / 2) / 60
        self._tokens = self._burst
        self._filled_at = 0.0

    def _fill(self, now: float) -> None:
        """Add what has dripped in since the last time; a clock that stands still adds nothing."""
        if now > self._filled_at:  # asked many times in one moment
            self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._rate_s)
            self._filled_at = now

    def ready(self, now: float) -> bool:
        """Tell whether one request may leave now."""
        self._fill(now)
        return self._tokens >= 1 - _EPSILON

    def take(self, now: float) -> None:
        """Count one request that leaves now."""
        self._fill(now)
        self._tokens -= 1

    def next_at(self, now: float) -> float:
        """Return when the next request may leave, which may be now."""
        self._fill(now)
        return now + max(0.0, (1 - self._tokens) / self._rate_s)


class Traffic:
    """The buckets that every request goes through, whether it calls or reads.

    The gateway counts by access key and by API (official gateway error page: role:ak, role:api), so
    a request takes one from the key's bucket and one from its API's. What the cloud was found to take
    beyond that is in `allowances`.
    """

    __slots__ = ("_api_per_minute", "_apis", "_key", "allowances")

    def __init__(self, per_minute: int, api_per_minute: int | None = None) -> None:
        self._key = Pace(per_minute)
        self._api_per_minute = per_minute if api_per_minute is None else min(api_per_minute, per_minute)
        self._apis: dict[str, Pace] = {}
        self.allowances = Allowances(per_minute, self._api_per_minute)

    def _of(self, api: str) -> Pace:
        """Return an API's bucket, full on first mention."""
        if api not in self._apis:
            self._apis[api] = Pace(self._api_per_minute)
        return self._apis[api]

    def ready(self, api: str, now: float) -> bool:
        """Tell whether one request to this API may leave now."""
        return self._key.ready(now) and self._of(api).ready(now) and self.allowances.ready(api, now)

    def any_ready(self, now: float) -> bool:
        """Tell whether a request to some API may leave now, as far as the key goes."""
        return self._key.ready(now)

    def take(self, api: str, now: float) -> None:
        """Count one request to this API that leaves now."""
        self._key.take(now)
        self._of(api).take(now)
        self.allowances.sent(api, now)

    def next_at(self, now: float) -> float:
        """Return when a request that may not leave now may; `inf` when all may."""
        paces = (self._key, *self._apis.values())
        paced_at = min([pace.next_at(now) for pace in paces if not pace.ready(now)], default=inf)
        return min(paced_at, self.allowances.next_at(now))
