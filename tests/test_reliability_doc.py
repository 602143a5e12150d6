"""The published figures: what stands in docs/reliability.md was measured, and of this program."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.prove import fingerprint
from tests.prove.fingerprint import MARGIN, PARTS, code_lines, digest, drifts, take
from tests.prove.groups import GROUPS
from tests.prove.publishing import BEGIN, END, Proof, block, from_json, publish, put_in, to_json

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "docs" / "reliability.md"
FIGURES = DOCUMENT.with_suffix(".json")
TEXT = DOCUMENT.read_text(encoding="utf-8")

PROOF = Proof(
    date="2026-11-23 12:00 UTC", commit="0123456789ab", machine="Python 3.11.7", minutes=12.5,
    command="python -m tests.prove",
    tasks=[
        {
            "name": "recovery", "group": "recovery", "command": "python -m tests.recovery", "spent_s": 9,
            "figures": {
                "lives": 2000, "runs": 4000, "steps": 9, "events": 9, "kills": 9, "killed_within_a_write": 1,
                "taken_over": 1, "violations": 0,
            },
        }
    ],
    code={"orchestrator/core/model.py": "0123abcd"},
)  # fmt: skip


def published() -> Proof | None:
    """Read what was measured last, if anything was."""
    return from_json(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else None


def test_the_figures_in_the_document_are_those_that_were_measured() -> None:
    """Nobody edits a figure: what stands between the marks is what the JSON beside it gives."""
    assert put_in(TEXT, block(published())) == TEXT


def test_the_figures_describe_this_program() -> None:
    """Figures whose code has moved on by more than a small share are out of date: run `make prove`."""
    proof = published()
    if proof is not None:
        stale = [str(drift) for drift in drifts(proof.code, take(ROOT)) if drift.too_far]
        assert stale == [], "run `make prove` again"


def test_the_document_says_the_margin_and_names_every_machine() -> None:
    """The prose keeps up: the share of lines that may change, and each group of the proof."""
    assert f"more than {MARGIN:.0%} of".replace("%", " %") in " ".join(TEXT.split())
    assert set(re.findall(r"^- \*\*(\w+)\*\* \(`", TEXT, re.M)) == set(GROUPS)


def test_every_part_of_the_code_is_there() -> None:
    """What the figures are said to describe exists, so that no rename takes it out of sight."""
    assert [place for places in PARTS.values() for place in places if not (ROOT / place).exists()] == []


# --- the check itself -----------------------------------------------------------------------------


def tree(root: Path, **files: str) -> fingerprint.Fingerprint:
    """Write files of the core and fingerprint them."""
    folder = root / "orchestrator" / "core"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    for place in (place for places in PARTS.values() for place in places):
        if place.endswith(".py"):
            (root / place).touch()
    return take(root)


def test_changed_lines_are_counted_and_moved_ones_are_not(tmp_path: Path) -> None:
    """A change, wherever it is, counts by its lines; comments, docstrings and new homes do not."""
    code = [f"x{number} = {number}" for number in range(100)]
    then = tree(tmp_path, one="\n".join(code), two="")
    moved = tree(tmp_path, one="\n".join(code[:50]), two='"""Say why."""\n\n# moved\n' + "\n".join(code[50:]))
    assert drifts(then, moved)[0].changed == 0
    assert not drifts(then, moved)[0].too_far
    few = tree(tmp_path, one="\n".join(["y = 1", *code[1:50]]))
    assert (drifts(then, few)[0].changed, drifts(then, few)[0].too_far) == (1, False)
    many = tree(tmp_path, one="\n".join(["y = 1"] * 4 + code[4:50]))
    assert drifts(then, many)[0].too_far
    assert "orchestrator/core/one.py" in str(drifts(then, many)[0])
    assert len({digest(each) for each in (then, moved, few, many)}) == 4


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('"""A text."""\n\nx = 1  # why\n# a comment\n', ["x = 1  # why"]),
        ('def f():\n    """Say.\n\n    More.\n    """\n    return "a"\n', ["def f():", 'return "a"']),
    ],
)
def test_only_code_counts(text: str, lines: list[str]) -> None:
    """Blank lines, comments and docstrings are no code."""
    assert list(code_lines(text)) == lines


def test_a_proof_reads_back_and_is_put_between_the_marks(tmp_path: Path) -> None:
    """What is published reads back as it was, replaces what stood there, and carries digest and bound."""
    document = tmp_path / "page.md"
    document.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    publish(PROOF, document)
    publish(PROOF, document)
    text = document.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert text.count("2,000 lives") == 1
    assert "under 0.15 % of such lives" in text
    assert digest(PROOF.code) in text
    assert from_json(document.with_suffix(".json").read_text()) == PROOF
    with pytest.raises(ValueError, match="has no"):
        put_in("nothing", block(PROOF))


def test_an_edited_figure_is_noticed() -> None:
    """A figure that somebody made nicer is not what the JSON gives."""
    page = put_in(TEXT, block(PROOF))
    nicer = replace(PROOF, tasks=[{**PROOF.tasks[0], "spent_s": 8}])
    assert put_in(page, block(from_json(to_json(PROOF)))) == page
    assert put_in(page, block(nicer)) != page
