"""The log that docs/reading-the-log.md walks through is one that a run wrote, to the letter."""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml

from orchestrator.core.reasons import MEANINGS
from orchestrator.watch.log_view import render
from orchestrator.watch.names import every_name
from tests.docs.reference import DOCS

LOG = (Path(__file__).parent / "bad-night.jsonl").read_text(encoding="utf-8").splitlines()
PAGE = (DOCS / "reading-the-log.md").read_text(encoding="utf-8")
CONFIG = DOCS.parent / "config"


def test_every_line_shown_is_a_line_of_that_night() -> None:
    """What the page shows as log is what `orchestrator log` makes of the recorded night, in its order."""
    shown = [
        line for block in re.findall(r"^```log\n(.*?)^```", PAGE, re.M | re.S) for line in block.splitlines()
    ]
    rest = iter([render(line) for line in LOG])
    assert len(shown) > 20
    assert [line for line in shown if line not in rest] == []


def test_the_recorded_night_speaks_the_language_of_today() -> None:
    """Its events, levels and reasons exist; a record of an older form is to be made again."""
    for fields in map(json.loads, LOG):
        assert fields["event"] in every_name()
        if "reason" in fields:
            assert fields["reason"] in {reason.value for reason in MEANINGS}


def test_the_summary_is_made_of_meanings() -> None:
    """The groups of `status` that the page shows bear the words of today's reasons."""
    says = {f"{meaning.says} ({reason.value})" for reason, meaning in MEANINGS.items()}
    groups = re.findall(r"^(?:failed|waiting): \d+ cop(?:y|ies), (.*)$", PAGE, re.M)
    assert len(groups) == 4
    assert [group for group in groups if group not in says] == []


def test_the_night_can_be_played() -> None:
    """The world and the plan that the page names are the ones of the record: images and regions fit."""
    world = yaml.safe_load((CONFIG / "simulator" / "bad-night.yaml").read_text(encoding="utf-8"))
    (replication,) = yaml.safe_load((CONFIG / "plans" / "bad-night.yaml").read_text(encoding="utf-8"))[
        "replications"
    ]
    there = {image["id"] for image in world["regions"][replication["source"]]["images"]}
    assert set(replication["images"]) - there == {"img-m5s0000032"}
    planned = next(json.loads(line) for line in LOG if '"run.planned"' in line)
    assert planned["copies"] == len(replication["images"]) * len(replication["destinations"])
