"""What the page of results says, and that the README says the same."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench import headline, pictures
from tests.bench.__main__ import BENCHMARKS, RESULTS, main
from tests.bench.cells import Cell, Key, fingerprint
from tests.bench.figures import POLICIES, Figures
from tests.bench.paired import MARGINS, Pair, lines, together
from tests.bench.recorded import HELD
from tests.bench.table import Origin, Results, page

README = Path(__file__).parent.parent.parent / "README.md"
ORIGIN = Origin(date="2026-01-02", commit="abc", command="python -m tests.bench", seeds="seed 1", minutes=1.0)
SOME = Figures(
    policy="script", makespan_s=1000.0, bound=1.5, calls=2.0, polls=19.3, delay=0.02,
    missing=3, left_out=0.1, broken=0, peak=20,
)  # fmt: skip


def cell(images: int, bound: float = 1.5) -> Cell:
    """Make a cell in which every policy has the same figures, but for the bound of ours."""
    made = Cell(Key("uniform", 3, images))
    figures = [replace(SOME, policy=policy) for policy in POLICIES]
    made.add(1, [replace(each, bound=bound) if each.policy in HELD else each for each in figures])
    return made


def test_the_page_names_what_was_not_measured() -> None:
    """A night that was asked for and not measured is named with its command: no line is cut in silence."""
    whole = page(Results(cells=[cell(100)]), ORIGIN)
    part = page(Results(cells=[cell(100)], skipped=["slow, seed 4: `replay`"]), ORIGIN)
    assert "Not measured" not in whole
    assert "**Not measured, the time was over:**\n- slow, seed 4: `replay`" in part


def test_nights_that_the_time_did_not_allow_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With no time at all every night that was asked for is named, and nothing counts as measured."""
    wish = "--sizes 10 20 --kinds slow quotas --destinations 3 --seeds 2 --seconds 0"
    monkeypatch.setattr("sys.argv", ["bench", *wish.split()])
    assert main() == 1
    said = capsys.readouterr().out
    replays = re.findall(r"--kinds (\w+) --destinations 3 --sizes (\d+) --seed (\d)`", said)
    assert sorted(replays) == [
        (k, n, s) for k in ("quotas", "slow") for n in ("10", "20") for s in ("1", "2")
    ]


def test_the_page_carries_command_seeds_and_hash() -> None:
    """Whoever reads the page can make it again, and see whether it is the same."""
    cells = [cell(100)]
    text = page(Results(cells=cells), ORIGIN)
    assert all(said in text for said in (ORIGIN.command, ORIGIN.seeds, ORIGIN.commit, fingerprint(cells)))


def test_the_hash_is_that_of_every_figure() -> None:
    """Equal figures have one hash, whatever their order; a change in the sixth digit makes another."""
    one, two = cell(100), cell(1000)
    assert fingerprint([one, two]) == fingerprint([two, one]) == fingerprint([cell(1000), cell(100)])
    assert fingerprint([one]) != fingerprint([cell(100, bound=1.50001)])
    assert fingerprint([one]) == fingerprint([cell(100, bound=1.5000001)])


def test_the_headline_has_a_row_for_each_policy_and_both_sizes() -> None:
    """The block can be cut out of the page as it was put in, and names 100 images, then 1,000."""
    cells = [cell(100, bound=1.01), cell(1000, bound=1.02)]
    block = headline.block(cells)
    assert headline.cut_out(page(Results(cells=cells), ORIGIN)) == block
    assert len(block.splitlines()) == 4 + len(POLICIES)
    assert "| orchestrator | 1.01 · 1.02 |" in block
    assert headline.cut_out("no block") is None


def test_what_people_write_beside_the_figures_is_on_the_page() -> None:
    """Notes, the cost curve and plots have their places."""
    text = page(Results(cells=[cell(100)], notes="Because.", costs="## Cost", plots=["x.svg"]), ORIGIN)
    assert text.index("Because.") < text.index("## Night by night") < text.index("![x](x.svg)")
    assert "## Cost" in text


def test_each_picture_shows_every_size_of_the_most_destinations() -> None:
    """One picture for each kind, one line for each policy but the one that is off the scale."""
    three, five, fewer = cell(100, 1.1), cell(1000, 1.2), Cell(Key("uniform", 2, 100), cell(100).nights)
    ((title, drawn),) = pictures.charts([fewer, three, five]).values()
    assert title == "uniform, 3 destinations"
    assert set(drawn) == set(POLICIES) - {"strict"}
    assert drawn["ours"] == [(100.0, 1.1), (1000.0, 1.2)]


def test_a_real_figure_outside_of_every_draw_is_said_to_be_so() -> None:
    """Within the range of the draws, or a margin outside of it, model and reality count as one."""
    draws = [replace(SOME, makespan_s=1000.0), replace(SOME, makespan_s=1400.0)]
    near, far = (Pair(Key("uniform", 3, 100), draws, replace(SOME, makespan_s=s)) for s in (1530.0, 1600.0))
    assert (together(near), together(far)) == (True, False)
    assert ["**no**" in line for line in lines([near, far])[2:]] == [False, True]
    assert {margin.figure for margin in MARGINS} == {"makespan_s", "calls", "polls", "missing"}


def test_the_readme_shows_the_headline_of_the_results() -> None:
    """The README's table is the one of benchmarks/results.md, to the letter."""
    shown = headline.cut_out(README.read_text(encoding="utf-8"))
    if shown is None:
        pytest.skip("the README has no headline yet: python -m tests.bench --headline prints it")
    assert shown == headline.cut_out(RESULTS.read_text(encoding="utf-8"))


def test_the_page_links_to_what_is_there() -> None:
    """Every relative link of the results leads to a file, and to a heading where it names one."""
    for target in re.findall(r"\]\(([^)]+)\)", page(Results(cells=[cell(100)]), ORIGIN)):
        path, _, heading = target.partition("#")
        text = (BENCHMARKS / path).read_text(encoding="utf-8")
        assert f"## {heading.replace('-', ' ')}" in text.lower()
