"""The documentation of the log and of the reasons says what the tables in the code say."""

from __future__ import annotations

from pathlib import Path

from orchestrator.core.reasons import MEANINGS, Nature, Reason
from orchestrator.watch.names import ALWAYS, FIELDS, every_name
from orchestrator.watch.words import SENTENCES

DOCS = Path(__file__).parents[2] / "docs"


def table(*rows: tuple[str, ...]) -> str:
    """Write a Markdown table; the first row is its head."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def coded(names: tuple[str, ...]) -> str:
    """Write names as code."""
    return ", ".join(f"`{name}`" for name in names)


def log_tables() -> tuple[str, str, str]:
    """Write the three tables of docs/log.md: keys, events, fields."""
    keys = [(f"`{key}`", says) for key, says in ALWAYS.items()]
    names = [(f"`{n}`", e.level, coded(e.fields), e.when) for n, e in every_name().items()]
    fields = [(f"`{field}`", says) for field, says in sorted(FIELDS.items())]
    return (
        table(("key", "holds"), *keys),
        table(("event", "level", "fields", "written when"), *names),
        table(("field", "holds"), *fields),
    )


def reasons_table() -> str:
    """Write the table of docs/reasons.md."""
    rows = [(f"`{code.value}`", m.nature.value, m.says, m.advice or "–") for code, m in MEANINGS.items()]
    return table(("code", "nature", "what it means", "what to do"), *rows)


def test_the_log_is_documented_whole() -> None:
    """docs/log.md lists every event, key and field, each with the words of the code."""
    text = (DOCS / "log.md").read_text(encoding="utf-8")
    for expected in log_tables():
        assert expected in text, f"put this table into docs/log.md:\n{expected}"


def test_the_reasons_are_documented_whole() -> None:
    """docs/reasons.md lists every code with its nature, its meaning and what to do."""
    text = (DOCS / "reasons.md").read_text(encoding="utf-8")
    assert reasons_table() in text, f"put this table into docs/reasons.md:\n{reasons_table()}"
    for nature in Nature:
        assert f"\n| {nature.value} | " in text, (
            f"docs/reasons.md does not say what happens for {nature.value}"
        )


def test_every_reason_has_a_meaning() -> None:
    """No code is without a sentence."""
    assert set(MEANINGS) == set(Reason)


def test_every_field_of_every_event_is_explained_and_none_is_left_over() -> None:
    """The fields that events name and the fields that are explained are the same."""
    used = {field for entry in every_name().values() for field in entry.fields}
    assert used == set(FIELDS)


def test_every_event_has_a_sentence() -> None:
    """`orchestrator log` has words for every name of the log, and for no other."""
    assert set(SENTENCES) == set(every_name())
