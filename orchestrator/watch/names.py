"""The vocabulary of the progress log: every event name with its level and fields, as data; writes nothing.

`docs/log.md` lists the same and a test compares the two. Names and fields are for ever: they
are only added.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from orchestrator.core.model import State

SCHEMA = 1
"""The version of the log's lines; it grows when a field changes its meaning, never when one is added."""

Level = Literal["debug", "info", "warning", "error"]
NoteName = Literal[
    "run.started", "run.settings", "run.heartbeat", "run.signal", "run.finished", "copies.deferred",
    "message.unsent", "report.failed", "library", "log.gap",
]  # fmt: skip

ALWAYS: dict[str, str] = {
    "schema": "version of the line's form, 1",
    "ts": "UTC time in ISO form with milliseconds and Z",
    "level": "debug, info, warning or error",
    "event": "one of the names below",
    "run": "id of the run",
    "copy": "the copy, `IMAGE SOURCE>DESTINATION`, or null",
    "call": "id of the copyImages call, or null",
    "request": "the cloud's request id, or null",
}
"""The keys of every line, in their order."""

FIELDS: dict[str, str] = {
    "asked": "how many images were asked for",
    "calls": "requests made, by API method",
    "carrier": "id of the image that the copy is made of, where that is not the original",
    "carriers": "ids of the images that the call names, in the order of `images`, where it is relayed",
    "copies": "how many copies",
    "counts": "wanted, ready, failed and pending copies",
    "deferred": "how many copies wait because the quotas have no room for them",
    "destination_image": "id of the image in the destination",
    "destination_region": "region the copies appear in",
    "destinations": "the destination regions",
    "detail": "what the cloud or the network said, clipped",
    "differs": "in what the copy is not like its source",
    "error": "what went wrong with the log itself, or with the report",
    "exception": "exception with its frames, never with local variables",
    "exit_code": "exit code of the run",
    "fit": "how many of the copies wanted there fit into the quotas",
    "found": "how many of the images asked for exist",
    "free": "how many more fit",
    "images": "image ids; `SOURCE>COPY` where both are known",
    "kind": "which message: metrics, ping, webhook or notify",
    "limit": "the quota",
    "logger": "name of the library's logger",
    "lost_lines": "how many lines could not be written",
    "marked": "whether the call carries our mark in its description",
    "message": "what the library said",
    "missing": "ids of the images that were asked for and not shown",
    "name": "the name it was to get",
    "page": "number of the listing's page, from 1",
    "pid": "process id",
    "plan": "path of the plan",
    "read": "what was read: inspect, list, survey, look or check",
    "reason": "stable code, see reasons.md",
    "replication": "name of the replication in the plan",
    "resource": "what is counted: image or snapshot",
    "selector": "what the plan selects by",
    "settings": "the settings in force, without secrets",
    "short": "by how much each quota falls short of all copies, by resource",
    "shown": "how many images the page showed",
    "signal": "name of the signal",
    "sources": "how many different source images",
    "source_image": "id of the source image",
    "source_region": "region of the source image; of a call, the region it is sent to",
    "started_at": "when the run began",
    "statuses": "how many images have which status",
    "status": "the image's status in the cloud's word; `absent` when it does not exist",
    "took_s": "seconds the run took",
    "total": "how many images the region has",
    "trouble": "why a message could not be sent; it names no URL",
    "until": "when it is tried again, UTC",
    "used": "how much of the quota is used",
    "via": "region of the carrier, or carriers",
    "verdict": "ok, partial, failed, deadline, interrupted or credentials",
    "version": "version of the program",
    "wait_s": "seconds until it is tried again",
}
"""Every other field and what it holds."""


class Entry(NamedTuple):
    """One event of the log: its level in words, its own fields, and when it is written."""

    level: str
    fields: tuple[str, ...]
    when: str


_COPY = ("source_image", "source_region", "destination_region", "destination_image", "reason", "detail",
         "via", "carrier", "wait_s", "until")  # fmt: skip
_READ = "info; debug when it changed nothing"

EVENTS: dict[str, tuple[str, Entry]] = {
    "begun": ("run.begun", Entry("info", ("plan",), "the ledger holds the new run")),
    "planned": (
        "run.planned",
        Entry("info", ("copies", "sources", "destinations"), "the run wants these copies"),
    ),
    "settled": (
        "doubt.settled",
        Entry(
            "info",
            ("destination_region", "destination_image", "status"),
            "a person said whether a doubtful copy was made",
        ),
    ),
    "ended": ("run.ended", Entry("info", ("verdict", "exit_code"), "the ledger holds the run's end")),
    "remembered": (
        "ledger.compacted",
        Entry("debug", ("copies", "sources", "calls"), "never: a compaction is not part of a run"),
    ),
    "called": (
        "call.sent",
        Entry(
            "info",
            ("copies", "source_region", "destination_region", "images", "marked", "carriers"),
            "a copyImages call is on disk and goes out now",
        ),
    ),
    "selected": (
        "images.selected",
        Entry(
            "info; warning when nothing matched",
            ("replication", "selector", "source_region", "images"),
            "a selector of the plan was resolved",
        ),
    ),
    "pruned": (
        "image.pruned",
        Entry(
            "info; warning when it is still there",
            ("destination_region", "destination_image", "source_image", "reason", "detail"),
            "an old copy was deleted by `prune`, or could not be",
        ),
    ),
    "labelled": (
        "copy.labelled",
        Entry(
            "info; warning when it could not be",
            ("destination_region", "destination_image", "source_image", "name", "reason", "detail"),
            "a copy that is ready got its name and description",
        ),
    ),
    "verified": (
        "copy.verified",
        Entry(
            "info; warning when something differs",
            ("destination_region", "destination_image", "source_image", "differs"),
            "a copy that is ready was compared with its source",
        ),
    ),
    "accepted": ("call.accepted", Entry("info", ("copies", "images"), "the cloud took the call")),
    "refused": (
        "call.refused",
        Entry(
            "info when it is tried again; warning when the reason is a quota, permanent or unknown;"
            " error when credentials or configuration are refused",
            ("reason", "detail", "source_image", "wait_s", "until"),
            "the call surely made nothing; source_image is the image that the answer names",
        ),
    ),
    "lost": ("call.lost", Entry("warning", ("reason", "detail"), "nobody knows what the call made")),
    "inspected": (
        "sources.inspected",
        Entry(_READ, ("source_region", "asked", "found", "missing"), "source images were described"),
    ),
    "listed": (
        "listing.page",
        Entry(_READ, ("destination_region", "page", "total", "shown"), "a page of a region's images"),
    ),
    "surveyed": (
        "quota.read",
        Entry("info", ("destination_region", "resource", "limit", "used", "free"), "a quota was read"),
    ),
    "seen": (
        "look.done",
        Entry(_READ, ("destination_region", "asked", "found", "statuses"), "copies under way were looked at"),
    ),
    "checked": (
        "image.checked",
        Entry(_READ, ("destination_region", "destination_image", "status"), "one image was looked up alone"),
    ),
    "unanswered": (
        "read.unanswered",
        Entry(
            "warning; info when throttled; error when credentials or configuration are refused",
            ("read", "destination_region", "reason", "detail", "wait_s", "until"),
            "a read gave no usable answer; destination_region is the region asked",
        ),
    ),
}
"""Kind of a ledger event -> its name in the log, and the entry."""

COPIES: dict[State, tuple[str, Entry]] = {
    State.WAITING: (
        "copy.waiting",
        Entry(
            "info; debug when it is merely queued; warning when a quota is in the way",
            _COPY,
            "the copy waits; until says when it is tried again",
        ),
    ),
    State.CALLING: ("copy.calling", Entry("info", _COPY, "the copy's call is on disk")),
    State.DOUBTFUL: (
        "copy.doubtful",
        Entry("warning; error when a person must look", _COPY, "nobody knows whether the copy was made"),
    ),
    State.COPYING: ("copy.copying", Entry("info", _COPY, "the cloud is making the copy")),
    State.READY: ("copy.ready", Entry("info", _COPY, "the copy is ready")),
    State.FAILED: ("copy.failed", Entry("error", _COPY, "the copy is given up for this run")),
}
"""State that a copy has now -> the name of the line about its change, and the entry."""

NOTES: dict[NoteName, Entry] = {
    "run.started": Entry("info", ("version", "pid", "plan", "destinations"), "first line of a run"),
    "run.settings": Entry("info", ("settings",), "once, after the start"),
    "run.heartbeat": Entry("info", ("counts", "calls"), "every few minutes"),
    "run.signal": Entry("warning", ("signal",), "the run was asked to stop"),
    "run.finished": Entry(
        "info; warning when not everything is ready",
        ("verdict", "exit_code", "counts", "calls", "started_at", "took_s"),
        "last line of a run",
    ),
    "copies.deferred": Entry(
        "warning; info when all fit again",
        ("destination_region", "deferred", "fit", "short"),
        "the quotas were read, and what fits into them has changed",
    ),
    "message.unsent": Entry(
        "warning", ("kind", "trouble"), "a message could not be sent, or the metrics not written"
    ),
    "report.failed": Entry("warning", ("error",), "the report of the run could not be written"),
    "library": Entry(
        "that of the library", ("logger", "message", "exception"), "a library or Python itself warned"
    ),
    "log.gap": Entry(
        "warning", ("lost_lines", "error"), "the log can be written again after lines were lost"
    ),
}
"""Lines that are not about an event of the ledger."""


def every_name() -> dict[str, Entry]:
    """Give all names of the log with their entries, in the order of the documentation."""
    names = dict([*EVENTS.values(), *COPIES.values()])
    names.update(NOTES.items())
    return names
