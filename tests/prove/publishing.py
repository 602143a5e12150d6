"""Writes a proof down: the figures as JSON, and as tables between two marks of docs/reliability.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.prove import fingerprint
from tests.prove.fingerprint import Fingerprint
from tests.prove.rows import Row, rows_of
from tests.prove.running import Ran

BEGIN, END = "<!-- figures: written by make prove -->", "<!-- end of figures -->"
NONE = "No figures yet: `make prove` writes them here."


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A whole run of every machine: when, of what, on what, and what came out, task by task."""

    date: str
    commit: str
    machine: str
    minutes: float
    command: str
    tasks: list[dict[str, object]]
    code: Fingerprint


def task_of(ran: Ran) -> dict[str, object]:
    """Keep of a task what is published."""
    figures = {name: value for name, value in ran.figures.items() if name != "command"}
    about = {"name": ran.task.name, "group": ran.task.group, "command": ran.command}
    return {**about, "spent_s": round(ran.spent_s), "figures": figures}


def to_json(proof: Proof) -> str:
    """Write a proof as JSON, one task and one file a line."""
    head = {name: getattr(proof, name) for name in ("date", "commit", "machine", "minutes", "command")}
    lines = [f'  "{name}": {json.dumps(value)},' for name, value in head.items()]
    tasks = ",\n".join(f"    {json.dumps(task)}" for task in proof.tasks)
    code = ",\n".join(f'    "{file}": "{lines}"' for file, lines in proof.code.items())
    return "\n".join(("{", *lines, f'  "tasks": [\n{tasks}\n  ],', f'  "code": {{\n{code}\n  }}', "}")) + "\n"


def from_json(text: str) -> Proof:
    """Read a proof back."""
    return Proof(**json.loads(text))


def block(proof: Proof | None) -> str:
    """Write what stands between the marks."""
    if proof is None:
        return f"{BEGIN}\n{NONE}\n{END}"
    rows = [row for task in proof.tasks for row in _rows(task)]
    commands = [f"| {task['name']} | `{task['command']}` | {task['spent_s']} |" for task in proof.tasks]
    return "\n".join(
        (
            BEGIN,
            f"Measured on {proof.date} at commit {proof.commit}, {proof.machine}; `{proof.command}`,",
            f"{proof.minutes:g} minutes.",
            "",
            *_table(rows),
            "",
            "| machine | command | seconds |",
            "|---|---|---|",
            *commands,
            "",
            f"The code that was measured: {len(proof.code)} files, digest",
            f"`{fingerprint.digest(proof.code)}`.",
            END,
        )
    )


def _rows(task: dict[str, object]) -> list[Row]:
    """Read a task's lines of the table."""
    name, group, figures = task["name"], task["group"], task["figures"]
    assert isinstance(name, str)
    assert isinstance(group, str)
    assert isinstance(figures, dict)
    return rows_of(name, group, figures)


def _table(rows: Sequence[Row]) -> list[str]:
    """Lay the table out."""
    head = ["| machine | what it did | broken promises | what the zero says (95 %) |", "|---|---|---|---|"]
    return [*head, *(f"| {row.machine} | {row.did} | {row.broken} | {row.bound} |" for row in rows)]


def put_in(document: str, text: str) -> str:
    """Replace what stands between the marks of a document; ValueError where they are missing."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the document has no {BEGIN} ... {END}")
    return before + text + after


def publish(proof: Proof, document: Path) -> None:
    """Write a proof into a document, and as JSON beside it."""
    document.write_text(put_in(document.read_text(encoding="utf-8"), block(proof)), encoding="utf-8")
    document.with_suffix(".json").write_text(to_json(proof), encoding="utf-8")
