"""A story as one HTML file that needs nothing else: no network, no fonts, no other file. Writes nothing.

Imports jinja2; load it only where a page is made. Everything foreign goes through `clean` and is escaped.
"""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from hashlib import sha256
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from orchestrator import __version__
from orchestrator.core.model import Region, State
from orchestrator.core.reasons import MEANINGS
from orchestrator.report.groups import failures, pending
from orchestrator.report.payload import STATES, payload
from orchestrator.report.story import QuotaStory, Story
from orchestrator.report.upkeep import kept
from orchestrator.watch.text import clean, date_text, iso, span

_SCRIPTS = ("model.js", "details.js", "timeline.js", "list.js", "filters.js")
"""The parts of the page's script, in their order."""

WORDS = {
    State.FAILED: ("✕", "failed"),
    State.DOUBTFUL: ("?", "in doubt"),
    State.WAITING: ("…", "waiting"),
    State.CALLING: ("↗", "calling"),
    State.COPYING: ("▸", "copying"),
    State.READY: ("✓", "ready"),
}
"""State -> its sign and its word: nothing on the page is told by colour alone."""


def report_html(story: Story) -> str:
    """Make the page."""
    style, script = _part("report.css"), "\n".join(map(_part, _SCRIPTS))
    template = _environment().get_template("report.html")
    return template.render(
        story=story,
        style=Markup(style),  # noqa: S704  our own file
        script=Markup(script),  # noqa: S704  our own files
        style_hash=_hash(style),
        script_hash=_hash(script),
        data=Markup(payload(story)),  # noqa: S704  made harmless there
        failures=failures(story.copies),
        pending=pending(story.copies),
        destinations=_destinations(story),
        kept=kept(story.upkeep),
        meanings=MEANINGS,
        shortages=[overview for overview in story.overviews if overview.shortage is not None],
        states=STATES,
        words=WORDS,
        version=__version__,
    )


def _environment() -> Environment:
    """Make the environment: everything is escaped, and a misspelt name is an error."""
    environment = Environment(
        loader=PackageLoader("orchestrator.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(clean=clean, when=_when, span=span, bar=quota_bar)
    return environment


def _part(name: str) -> str:
    """Read a file of the package."""
    return (files("orchestrator.report") / "templates" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """Name a text in a content security policy: no other one may act on the page."""
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()


def _when(at: float | None) -> Markup:
    """Write a time in UTC; the page's script can show it in the reader's own zone."""
    if at is None:
        return Markup("–")
    return Markup('<time datetime="{}">{}</time>').format(iso(at) or "", date_text(at))


def _destinations(story: Story) -> list[tuple[Region, Counter[State]]]:
    """Count the copies of each destination by state."""
    counted: dict[Region, Counter[State]] = {}
    for copy in story.copies:
        counted.setdefault(copy.copy.destination, Counter())[copy.standing.state] += 1
    return sorted(counted.items())


def quota_bar(quota: QuotaStory) -> dict[str, float]:
    """Measure the parts of a quota's bar in thousandths of its width; the longest of all fits in."""
    taken = quota.used + quota.made
    whole = max(quota.limit, taken + quota.needed, 1)
    return {
        "used": 1000 * quota.used / whole,
        "taken": 1000 * taken / whole,
        "needed": 1000 * quota.needed / whole,
        "limit": 1000 * quota.limit / whole,
    }
