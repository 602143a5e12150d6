"""The history of runs as text for Prometheus's textfile collector; it writes no file and asks no clock.

Everything is a gauge: the numbers are those of one run, not of a process that counts on. What a
run that failed must not overwrite, the last success, comes from the ledger.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from orchestrator.core.model import State
from orchestrator.core.verdict import Result, Verdict
from orchestrator.watch.history import History, PlanHistory
from orchestrator.watch.text import clean

PREFIX = "jdcloud_replication_"
EVERYWHERE = "state_dir"
"""The label that every metric has: the same series must not stand in the files of two ledgers."""

_NAME_MAX = 4096  # as long as a path may be


class Metric(NamedTuple):
    """One metric: its labels, and what it tells."""

    labels: tuple[str, ...]
    says: str


METRICS: dict[str, Metric] = {
    "build_info": Metric(("version",), "Always 1; the label says which version of the program wrote this."),
    "last_run_open": Metric(("plan",), "1 from the start of the newest run until its end, else 0."),
    "last_run_start_timestamp_seconds": Metric(("plan",), "When the newest run began."),
    "last_run_end_timestamp_seconds": Metric(("plan",), "When the newest run that ended did so."),
    "last_run_duration_seconds": Metric(("plan",), "How long the newest run that ended took."),
    "last_run_exit_code": Metric(("plan",), "Exit code of the newest run that ended."),
    "last_run_verdict": Metric(
        ("plan", "verdict"), "1 for the verdict of the newest run that ended, 0 for the others."
    ),
    "last_success_timestamp_seconds": Metric(
        ("plan",),
        "When the last run ended in which everything that the plan wanted was seen ready; 0 for never.",
    ),
    "part_last_success_timestamp_seconds": Metric(
        ("plan", "replication", "destination"),
        "When the last run ended that saw all of one replication ready in one destination; 0 for never.",
    ),
    "copies": Metric(("plan", "destination", "state"), "Copies in each state when the last run ended."),
    "failed_copies": Metric(("plan", "reason"), "Copies that the last run gave up, by reason."),
    "run_api_calls": Metric(("plan", "api"), "Requests that the last run made, by API."),
    "quota_limit": Metric(("region", "resource"), "How much of a resource a region's quota allows."),
    "quota_used": Metric(("region", "resource"), "How much of the quota was used when it was last read."),
    "quota_read_timestamp_seconds": Metric(("region", "resource"), "When the quota was last read."),
}
"""Name without its prefix -> own labels and HELP; docs/monitoring.md repeats them, and a test compares."""


class Sample(NamedTuple):
    """One value: the metric's name without its prefix, the labels' values in order."""

    name: str
    labels: tuple[str, ...]
    value: float


def metrics_text(history: History, *, version: str, state_dir: str) -> bytes:
    """Write everything in Prometheus's text format, UTF-8. `state_dir` tells several ledgers apart."""
    from prometheus_client import CollectorRegistry, Gauge, generate_latest

    registry = CollectorRegistry()
    gauges = {
        name: Gauge(PREFIX + name, metric.says, (EVERYWHERE, *metric.labels), registry=registry)
        for name, metric in METRICS.items()
    }
    for sample in samples(history, version=version):
        labels = (clean(label, _NAME_MAX) for label in (state_dir, *sample.labels))
        gauges[sample.name].labels(*labels).set(sample.value)
    return generate_latest(registry)


def samples(history: History, *, version: str) -> Iterator[Sample]:
    """Give every value; what is not known is left out."""
    yield Sample("build_info", (version,), 1)
    for plan in history.plans:
        yield from _plan_samples(plan)
    for quota in history.quotas:
        where = (quota.region, quota.resource.value)
        yield Sample("quota_limit", where, quota.limit)
        yield Sample("quota_used", where, quota.used)
        yield Sample("quota_read_timestamp_seconds", where, quota.at)


def _plan_samples(plan: PlanHistory) -> Iterator[Sample]:
    """Give the values of one plan. Before its first run has ended nobody can say that it never succeeded."""
    yield Sample("last_run_open", (plan.plan,), plan.open)
    yield Sample("last_run_start_timestamp_seconds", (plan.plan,), plan.started_at)
    if plan.last is None:
        return
    yield Sample("last_success_timestamp_seconds", (plan.plan,), plan.success_at or 0)
    for (replication, region), at in plan.part_success_at.items():
        yield Sample("part_last_success_timestamp_seconds", (plan.plan, replication, region), at or 0)
    yield from _run_samples(plan.plan, plan.last)


def _run_samples(plan: str, run: Result) -> Iterator[Sample]:
    """Give the values of one run that ended."""
    yield Sample("last_run_end_timestamp_seconds", (plan,), run.finished_at)
    yield Sample("last_run_duration_seconds", (plan,), run.finished_at - run.started_at)
    yield Sample("last_run_exit_code", (plan,), run.exit_code)
    for verdict in Verdict:
        yield Sample("last_run_verdict", (plan, verdict.value), verdict is run.verdict)
    counted = Counter((standing.copy.destination, standing.state) for standing in run.copies)
    for region in sorted({standing.copy.destination for standing in run.copies}):
        for state in State:
            yield Sample("copies", (plan, region, state.value), counted[region, state])
    failed = Counter(standing.reason for standing in run.copies if standing.state is State.FAILED)
    for reason, number in sorted(failed.items()):
        yield Sample("failed_copies", (plan, reason.value), number)
    for api, number in sorted(run.calls.items()):
        yield Sample("run_api_calls", (plan, api), number)
