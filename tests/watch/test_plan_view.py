"""What `plan` prints: trouble first, a thousand copies on one screen, each when asked, nothing that acts."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.core.diff import CODES, Basis, Code, Diff, Effect, Effort, Need, Row, SourceLook
from orchestrator.core.model import Copy, ImageId, Region, RunId, Sighting
from orchestrator.core.plan import preview
from orchestrator.watch.plan_json import diff_json
from orchestrator.watch.plan_view import plan_lines

NORTH, EAST, SOUTH = map(Region, ("cn-north-1", "cn-east-2", "cn-south-1"))
PAGE = (Path(__file__).parents[2] / "docs" / "plan-diff.md").read_text(encoding="utf-8")


def row(number: int, code: Code, *, to: Region = EAST, detail: str = "") -> Row:
    return Row(Copy(ImageId(f"img-{number:04}"), NORTH, to), code, detail)


def diff(*rows: Row, needs: tuple[Need, ...] = (), sources: tuple[SourceLook, ...] = ()) -> Diff:
    chunks = preview(r.copy for r in rows if CODES[r.code].effect is Effect.SENDS)
    effort = Effort(chunks=chunks, moved_mb=20480, unsized=1, takes_s=7800, basis=Basis.ASSUMED)
    return Diff(
        plan="plans/nightly.yaml", digest="abc", looked_at=0.0, rows=rows, sources=sources, needs=needs,
        effort=effort,
    )  # fmt: skip


def test_trouble_comes_first_and_the_cost_last() -> None:
    """Blocked, decided by the run, to copy, under way, there; then quotas, sources and what it takes."""
    need = Need(region=EAST, images=12, snapshots=18, free_images=9, free_snapshots=40, fit=9)
    source = SourceLook(ImageId("img-0001"), NORTH, Sighting(image=ImageId("img-0001"), status="ready"), True)
    full = "9 of 12 fit in cn-east-2, images are 3 short"
    lines = plan_lines(
        diff(
            row(1, Code.SKIP_READY), row(2, Code.COPY_MISSING), row(3, Code.COPY_MISSING, to=SOUTH),
            row(4, Code.WATCH_ON), row(5, Code.SETTLE_DOUBT), row(6, Code.BLOCKED_QUOTA, detail=full),
            row(7, Code.BLOCKED_QUOTA, detail=full), row(8, Code.BLOCKED_ENCRYPTED),
            row(8, Code.BLOCKED_ENCRYPTED, to=SOUTH),
            needs=(need,), sources=(source, replace(source, sighting=None)),
        )
    )  # fmt: skip
    assert lines == [
        "plans/nightly.yaml: 9 copies wanted: 4 blocked, 1 decided by the run, 2 to copy, 1 under way,"
        " 1 there",
        "blocked: 2 copies, images with encrypted snapshots cannot be copied (blocked-encrypted)",
        "  img-0008 to cn-east-2, cn-south-1",
        "  what to do: make an unencrypted image or take it out of the plan",
        "blocked: 2 copies, the destination's quotas have no room for it; deferred until there is"
        " (blocked-quota)",
        "  2 to cn-east-2: 9 of 12 fit in cn-east-2, images are 3 short",
        "  what to do: delete what is not needed there or ask for a higher quota",
        "decided by the run: 1 copy, an earlier call was lost; made again only when listings show for"
        " SETTLE_TIME that it made nothing (settle-doubt)",
        "  img-0005 to cn-east-2",
        "to copy: 2 copies, not there yet (copy-missing)",
        "  1 to cn-east-2, 1 to cn-south-1",
        "under way: 1 copy, under way already, and in the ledger (watch-on)",
        "  1 to cn-east-2",
        "there: 1 copy, there already, and in the ledger (skip-ready)",
        "  1 to cn-east-2",
        "quota: cn-east-2 needs 12 images, 18 snapshots; free 9, 40: 9 of 12 fit",
        "sources: 1 looked at, 1 not shown",
        "in all: 2 copies in 2 calls, 20.0 GB to move and 1 copy of unknown size, about 2 h 10 min"
        " (assumed: no copy was ever seen to end)",
    ]


def test_a_thousand_copies_fit_a_screen() -> None:
    """A third of them blocked, each source by itself: forty lines say it, and how to see the rest."""
    kinds = (Code.BLOCKED_STATUS, Code.COPY_MISSING, Code.SKIP_READY)
    many = diff(*(row(number, kinds[number % 3]) for number in range(1000)))
    lines = plan_lines(many)
    assert len(lines) <= 40
    assert "  and 324 more images; --all names every copy" in lines
    listed = plan_lines(many, every=True)
    assert sum("img-" in line for line in listed) == 1000


def test_nothing_to_send_and_what_was_not_read() -> None:
    """No cost is made up; a region without an answer makes the whole incomplete; a run is named."""
    silent = replace(diff(row(1, Code.UNREAD_REGION)), running=RunId("r1"))
    lines = plan_lines(silent)
    assert lines[1].startswith("note: run r1 is going on")
    assert "in all: nothing is sure to be sent; the run decides on 1 copy" in lines
    assert plan_lines(diff(row(1, Code.SKIP_READY)))[-1] == "in all: nothing is to be sent"
    assert lines[-1].startswith("incomplete: ")
    need = Need(region=EAST, images=1, snapshots=1, free_images=None, free_snapshots=3, fit=1)
    blind = diff(row(1, Code.COPY_MISSING), needs=(need,))
    assert "quota: cn-east-2 needs 1 image, 1 snapshot; free unknown, 3" in plan_lines(blind)
    assert blind.unread


def test_a_source_that_is_not_shown_costs_a_call() -> None:
    """The call that tells what it is counts, one for each source, whether or not there is more to send."""
    hidden = row(1, Code.SOURCE_MISSING), row(1, Code.SOURCE_MISSING, to=SOUTH)
    assert plan_lines(diff(*hidden))[-1] == "in all: 1 call for 1 source not shown"
    assert plan_lines(diff(*hidden, row(2, Code.SOURCE_MISSING)))[-1].endswith(
        ": 2 calls for 2 sources not shown"
    )
    last = plan_lines(diff(*hidden, row(2, Code.COPY_MISSING)))[-1]
    assert last.startswith("in all: 1 copy in 1 call, ")
    assert last.endswith("; besides 1 call for 1 source not shown")


def test_foreign_words_are_made_harmless() -> None:
    """Names of images and the cloud's words reach neither terminal nor JSON as they are."""
    evil = "\x1b[2J\u202e\ud800"
    image = Sighting(image=ImageId("img-0001"), status=evil, name=evil, root_device=evil)
    bad = diff(
        row(1, Code.BLOCKED_OTHER, detail=evil), sources=(SourceLook(image.image, NORTH, image, True),)
    )
    for every in (False, True):
        assert all(line.isprintable() for line in plan_lines(bad, every=every))
    assert "\x1b" not in diff_json(bad)
    assert json.loads(diff_json(bad))["sources"][0]["name"].encode()


def test_json_has_a_version_and_every_copy() -> None:
    """Stable keys; a source that could not be asked for is neither shown nor not."""
    need = Need(region=EAST, images=1, snapshots=2, free_images=None, free_snapshots=3, fit=1)
    unread = SourceLook(ImageId("img-0001"), NORTH, None, False)
    found = json.loads(diff_json(diff(row(1, Code.COPY_MISSING), needs=(need,), sources=(unread,))))
    assert list(found) == [
        "version", "offline", "plan", "digest", "looked_at", "complete", "running", "wanted", "counts",
        "copies", "sources", "destinations", "chunks", "moved_mb", "copies_of_unknown_size", "takes_s",
        "basis", "reads",
    ]  # fmt: skip
    assert (found["version"], found["counts"]) == (1, {"copy-missing": 1})
    assert found["copies"] == [
        {
            "source_region": NORTH,
            "source_image": "img-0001",
            "destination_region": EAST,
            "destination_image": None,
            "code": "copy-missing",
            "effect": "sends",
            "detail": "",
        }
    ]
    assert found["sources"] == [{"region": NORTH, "image": "img-0001", "shown": None}]
    assert found["destinations"][0]["free"] == {"images": None, "snapshots": 3}


# --- codes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", list(Code))
def test_every_code_has_a_meaning_and_the_first_word_of_its_effect(code: Code) -> None:
    """Who reads only the code must not be misled: blocked is never sent, copy and recopy always are."""
    meaning, first = CODES[code], code.value.partition("-")[0]
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", code.value)
    assert code.name == code.value.replace("-", "_").upper()
    assert meaning.says
    assert not meaning.says.endswith(".")
    effects = {
        "copy": Effect.SENDS, "recopy": Effect.SENDS, "skip": Effect.DONE, "blocked": Effect.STOPS,
        "watch": Effect.FOLLOWS, "settle": Effect.DECIDES, "unread": Effect.DECIDES,
    }  # fmt: skip
    assert effects.get(first, meaning.effect) is meaning.effect
    assert meaning.advice or meaning.effect is not Effect.STOPS


def test_the_page_has_every_code_with_its_words() -> None:
    """docs/plan-diff.md shows the table as it is, and the effects."""
    rows = {cells[0]: cells for cells in re.findall(r"^\| `([a-z-]+)` \| (.+?) \| (.*?) \|$", PAGE, re.M)}
    assert list(rows) == [code.value for code in Code]
    for code in Code:
        meaning = CODES[code]
        assert rows[code.value][1:] == (meaning.effect.name.lower(), says(code))
    for effect in Effect:
        assert f"- **{effect.name.lower()}**: {effect.value}" in PAGE


def says(code: Code) -> str:
    """Write a code's meaning as the page does."""
    meaning = CODES[code]
    return f"{meaning.says}; what to do: {meaning.advice}" if meaning.advice else meaning.says


def test_exit_codes_are_those_of_terraform_when_asked() -> None:
    """0 all there, 2 something is not, be it for the run or for a person; without the flag 0 either way."""
    there, missing, blocked = (
        diff(row(1, code)) for code in (Code.SKIP_READY, Code.COPY_MISSING, Code.BLOCKED_STATUS)
    )
    assert [each.exit_code(detailed=True) for each in (there, missing, blocked)] == [0, 2, 2]
    assert [each.exit_code(detailed=False) for each in (there, missing, blocked)] == [0, 0, 0]
