"""Requests over time by the cloud's name for them, counted in spans that fit on a page. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict

from orchestrator.core.apis import APIS_OF_READ, COPY_IMAGES, DESCRIBE_IMAGE, DESCRIBE_IMAGES, quota_api
from orchestrator.core.messages import Called, Checked, Event, Inspected, Listed, Seen, Surveyed, Unanswered
from orchestrator.core.model import Resource
from orchestrator.report.story import Traffic

SPANS_MAX = 60
"""Most bars of a chart."""

_SPANS_S = (1, 2, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 86_400)

_RESOURCES = {resource.value: resource for resource in Resource}


def api_of_event(event: Event) -> str | None:
    """Name the API that an event counts for: a call when it is sent, a read when it is answered or not."""
    match event:
        case Called():
            return COPY_IMAGES
        case Inspected() | Listed() | Seen():
            return DESCRIBE_IMAGES
        case Checked():
            return DESCRIBE_IMAGE
        case Surveyed():
            return quota_api(event.resource)
        case Unanswered():
            return _unanswered(event.read)
        case _:
            return None


def _unanswered(read: str) -> str:
    """Name the API of a read without an answer; a word that is not known is taken for the API's own."""
    if read in _RESOURCES:
        return quota_api(_RESOURCES[read])
    return APIS_OF_READ[read][0] if read in APIS_OF_READ else read


class TrafficCount:
    """Counts the requests of a run by the second, and sums them up once its length is known."""

    def __init__(self, started_at: float) -> None:
        self._started_at = started_at
        self._seconds: defaultdict[str, Counter[int]] = defaultdict(Counter)

    def take(self, event: Event) -> None:
        """Count the request that an event tells of, if it does."""
        api = api_of_event(event)
        if api is not None:
            self._seconds[api][max(0, int(event.at - self._started_at))] += 1

    def summed(self, until: float) -> Traffic:
        """Sum up in as many equal spans as the time from the start until then needs."""
        took = max([until - self._started_at, *(max(counts) for counts in self._seconds.values())])
        longest = int(took // SPANS_MAX) + 1
        span = next((span for span in _SPANS_S if took < span * SPANS_MAX), longest)
        number = int(took // span) + 1
        counts = {}
        for api, seconds in sorted(self._seconds.items()):
            bars = [0] * number
            for second, count in seconds.items():
                bars[second // span] += count
            counts[api] = tuple(bars)
        return Traffic(span_s=span, counts=counts)
