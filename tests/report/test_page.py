"""The page is one file that needs nothing else and in which foreign words stay words."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from orchestrator.core.model import Region, State
from orchestrator.core.reasons import MEANINGS, Reason
from orchestrator.core.verdict import Overview, Shortage
from orchestrator.report.page import report_html
from orchestrator.report.payload import SPELLS_MAX, payload
from orchestrator.report.story import Spell, Story
from tests.nights import EAST
from tests.report.nights import HOSTILE
from tests.report.samples import big_story, copy_story, quota, some_upkeep
from tests.watch.samples import NIGHT

VOID = {"meta", "br", "input", "rect", "path"}


class Outline(HTMLParser):
    """Reads a page: its elements with their attributes, and the text of each kind of element."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in {*self.open[-1:]}:
            self.texts.setdefault(tag, []).append(data)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        """Give the attributes of every element of a name."""
        return [attributes for name, attributes in self.elements if name == tag]


def small_story() -> Story:
    """Make a story of 30 copies, six of them with hostile names."""
    return big_story(30)


def without_data(page: str) -> str:
    """Leave out of a page what it says of the copies: what is left is ours."""
    return re.sub(r'<script type="application/json" id="data">[^<]*</script>', "", page)


def test_elements_are_balanced_and_ids_are_unique() -> None:
    """Every element is closed in its place, every id is there once, every anchor leads somewhere."""
    outline = Outline(report_html(small_story()))
    assert outline.open == []
    ids = [str(attributes["id"]) for _, attributes in outline.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    anchors = [str(attributes["href"]) for attributes in outline.named("a")]
    assert {anchor.removeprefix("#") for anchor in anchors} <= set(ids)


def test_nothing_outside_the_file_is_referred_to() -> None:
    """No address, no import, no source, no form target: the file opens offline as it does online."""
    page = report_html(replace(big_story(0), copies=(copy_story(1), copy_story(7))))
    for reference in ("http:", "https:", "//", "@import", "src=", "<link", "<img", "<iframe", "action="):
        assert reference not in without_data(page), reference
    assert set(re.findall(r"url\(([^)]*)\)", page)) == {"#hatch", "#dots"}


def test_the_policy_lets_nothing_in_but_our_own_script_and_style() -> None:
    """The content security policy forbids everything, except the one script and style by their hashes."""
    page = report_html(small_story())
    outline = Outline(page)
    (policy,) = [m["content"] for m in outline.named("meta") if m.get("http-equiv")]
    style, script = (
        "sha256-"
        + b64encode(sha256(re.findall(f"<{tag}>(.*?)</{tag}>", page, re.S)[0].encode()).digest()).decode()
        for tag in ("style", "script")
    )
    assert page.endswith("</script>\n</body>\n</html>\n")
    assert policy == (
        f"default-src 'none'; style-src '{style}'; script-src '{script}'; base-uri 'none'; form-action 'none'"
    )
    assert not any(name.startswith("on") or name == "style" for _, a in outline.elements for name in a)


@pytest.mark.parametrize("text", [*HOSTILE, "\ud800 half", "\u2028&amp;<!--", "]]>"])
def test_foreign_words_stay_words(text: str) -> None:
    """A name, id, plan or message of any kind adds no element, and no character acts on the page."""
    copy = copy_story(7, name=text, text=text)
    plain = replace(small_story(), copies=(copy_story(7, name="x", text="x"),))
    page = report_html(replace(plain, copies=(copy,), plan=text, sentence=text))
    assert [tag for tag, _ in Outline(page).elements] == [
        tag for tag, _ in Outline(report_html(plain)).elements
    ]
    assert all(letter.isprintable() or letter == "\n" for letter in page)
    page.encode()


def test_the_data_is_json_that_html_cannot_misread() -> None:
    """The data stands in ASCII without < > &, and holds each copy once, those first that failed."""
    text = payload(small_story())
    assert text.isascii()
    assert not set("<>&") & set(text)
    data = json.loads(text)
    assert len(data["copies"]) == 30
    states = [data["states"][copy[2]] for copy in data["copies"]]
    assert states == sorted(
        states, key=["failed", "doubtful", "waiting", "calling", "copying", "ready"].index
    )
    assert {data["images"][copy[0]][1] for copy in data["copies"]} >= {HOSTILE[0]}


def test_ten_thousand_copies_are_less_than_six_megabytes() -> None:
    """A large night is a file that a mail takes."""
    assert 500_000 < len(report_html(big_story(10_000)).encode()) < 6_000_000


def test_a_stormy_copy_keeps_its_first_and_its_latest_spells() -> None:
    """A copy that was tried a thousand times costs no more than forty spells, the first and the last ones."""
    copy = copy_story(1)
    turns = [Spell((State.CALLING, State.WAITING)[n % 2], NIGHT + n, Reason.BUSY) for n in range(1000)]
    story = replace(small_story(), copies=(replace(copy, spells=tuple(turns)),))
    spells = json.loads(payload(story))["copies"][0][7]
    assert len(spells) == 3 * SPELLS_MAX
    assert (spells[1], spells[-2]) == (0, 999)


def test_failures_come_first_with_what_to_do() -> None:
    """What failed stands before what waits, grouped by reason, each with its meaning, advice and places."""
    page = report_html(big_story(200))
    meaning = MEANINGS[Reason.COPY_ERROR]
    assert page.index(meaning.says) < page.index(meaning.advice) < page.index('id="pending"')
    assert page.index('id="pending"') < page.index(MEANINGS[Reason.QUOTA_IMAGE].advice)
    assert "4 copies: the copy ended in status error" in page


def test_deferred_copies_have_numbers() -> None:
    """A destination without room says how many fit, by how much it is short, and how many are deferred."""
    lacks = Shortage(wanted=52, deferred=15, short={"snapshots": 12})
    overview = Overview(region=EAST, states={State.WAITING: 15}, shortage=lacks)
    page = report_html(replace(small_story(), overviews=(overview,), quotas=(quota(EAST, used=4, needed=3),)))
    assert "37 of 52 fit, snapshots are 12 short; 15 deferred" in page
    assert "2 short" in page


def test_no_state_is_told_by_colour_alone() -> None:
    """Every state has a sign and a word beside its colour."""
    page = report_html(small_story())
    for word in ("failed", "in doubt", "waiting", "calling", "copying", "ready"):
        assert re.search(rf'<span aria-hidden="true">[^<]</span> {word}</span>', page), word


def test_readers_of_every_kind_find_their_way() -> None:
    """There are a language, landmarks, a heading for each part, heads for tables, a word without scripts."""
    outline = Outline(report_html(small_story()))
    assert outline.named("html")[0]["lang"] == "en"
    assert all(len(outline.named(tag)) == 1 for tag in ("main", "header", "footer", "nav", "h1", "noscript"))
    parts = [section["aria-labelledby"] for section in outline.named("section")]
    assert parts == [heading["id"] for heading in outline.named("h2")]
    assert len(outline.named("table")) == len(outline.named("caption")) == len(outline.named("thead"))
    assert all(head.get("scope") in ("col", "row") for head in outline.named("th"))
    drawn = [svg for svg in outline.named("svg") if svg.get("aria-hidden") != "true"]
    assert drawn == []


def test_times_are_utc_and_can_be_read_by_programs() -> None:
    """Each time is written in UTC and carries its exact form, from which the reader's own zone is shown."""
    page = report_html(small_story())
    assert '<time datetime="2026-11-23T03:12:07.000Z">2026-11-23 03:12:07Z</time>' in page


def test_upkeep_is_told_with_what_went_wrong_first() -> None:
    """What differs from its source and what could not be deleted stand first, with reason and advice."""
    page = report_html(replace(small_story(), upkeep=tuple(some_upkeep(HOSTILE[0]))))
    parts = (
        "Copies that are not like their source: 1", "size", "Old copies that could not be deleted: 1",
        MEANINGS[Reason.SHARED].advice, "Old copies deleted on purpose: 1", "Copies that got their name: 1",
        "1 copy was compared", "golden-*",
    )  # fmt: skip
    found = [page.index(part, page.index('id="upkeep"')) for part in parts]
    assert found == sorted(found)
    assert HOSTILE[0] not in page
    assert Outline(page).open == []
    assert 'id="upkeep"' not in report_html(small_story())


def test_an_empty_and_an_endless_story_have_a_page() -> None:
    """A run that wanted nothing, one that goes on and one without events are reported on as well."""
    empty = replace(
        big_story(0), copies=(), calls=(), quotas=(), traffic=None, earlier=(), sentence="ok: 0 of 0"
    )
    assert "The run wanted no copies." in report_html(empty)
    running = replace(small_story(), verdict="running", exit_code=None, finished_at=None)
    assert "The run goes on." in report_html(running)
    gone = replace(empty, whole=False)
    assert "compacted away" in report_html(gone)


def test_a_region_may_have_any_name() -> None:
    """What a plan calls a region is foreign too."""
    copy = copy_story(7, to=Region("<b>cn</b>"))
    assert "<b>cn" not in report_html(replace(small_story(), copies=(copy,)))
