"""The findings of `doctor` in words and as one JSON object; prints nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence

from orchestrator.core.diagnosis import Finding, Level, exit_code, worst
from orchestrator.watch.text import clean, some, well_formed

_WORDS = {Level.OK: "ok  ", Level.WARN: "warn", Level.FAIL: "FAIL"}
_LONG = 2000


def doctor_lines(findings: Sequence[Finding]) -> list[str]:
    """List the findings as they were made, each with the step that mends it, and count them."""
    lines = [line for finding in findings for line in _lines(finding)]
    counts = Counter(finding.level for finding in findings)
    bad = ", ".join(
        (some(counts[Level.WARN], "warning"), some(counts[Level.FAIL], "failure"))
        if worst(findings) is not Level.OK
        else ("nothing is wrong",)
    )
    return [*lines, f"{some(len(findings), 'check')}: {bad}"]


def doctor_json(findings: Sequence[Finding]) -> str:
    """Write the findings as one line of JSON."""
    shape = {
        "verdict": worst(findings).value,
        "exit_code": exit_code(findings),
        "findings": [
            {
                "check": finding.check,
                "where": well_formed(finding.where) or None,
                "level": finding.level.value,
                "found": well_formed(finding.found),
                "mend": well_formed(finding.mend) or None,
            }
            for finding in findings
        ],
    }
    return json.dumps(shape)


def _lines(finding: Finding) -> Iterator[str]:
    """Write one finding; a text of several lines keeps them."""
    where = f" {clean(finding.where)}" if finding.where else ""
    first, *rest = (clean(line, _LONG) for line in finding.found.split("\n"))
    yield f"{_WORDS[finding.level]}  {finding.check}{where}: {first}"
    yield from (f"      {line}" for line in rest)
    if finding.mend:
        yield f"      to mend it: {clean(finding.mend, _LONG)}"
