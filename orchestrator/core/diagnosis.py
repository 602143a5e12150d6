"""What `doctor` finds: findings, and what they come to together. It looks at nothing itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.core.verdict import EXIT_INCOMPLETE, EXIT_OK


class Level(StrEnum):
    """How bad a finding is; stable words of `doctor --json`."""

    OK = "ok"
    WARN = "warn"  # a run works, but something is not as it should be
    FAIL = "fail"  # a run would stop, or leave something undone


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One check's outcome. `where` is a region or a host; `mend` the step that helps, if any."""

    check: str
    level: Level
    found: str
    mend: str = ""
    where: str = ""


def ok(check: str, found: str, *, where: str = "") -> Finding:
    """Make the finding of a check that found nothing wrong."""
    return Finding(check=check, level=Level.OK, found=found, where=where)


def warn(check: str, found: str, mend: str, *, where: str = "") -> Finding:
    """Make the finding of something that is not as it should be."""
    return Finding(check=check, level=Level.WARN, found=found, mend=mend, where=where)


def fail(check: str, found: str, mend: str, *, where: str = "") -> Finding:
    """Make the finding of something that would stop a run, or leave copies undone."""
    return Finding(check=check, level=Level.FAIL, found=found, mend=mend, where=where)


def worst(findings: Iterable[Finding]) -> Level:
    """Return the worst level among some findings."""
    levels = {finding.level for finding in findings}
    return next((level for level in (Level.FAIL, Level.WARN) if level in levels), Level.OK)


def exit_code(findings: Iterable[Finding]) -> int:
    """Return the exit code of `doctor`: 0 when nothing fails, else 3."""
    return EXIT_INCOMPLETE if worst(findings) is Level.FAIL else EXIT_OK
