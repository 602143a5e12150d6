"""Every colour in which words are written can be read, by day and by night."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import orchestrator.report

STYLE = (Path(orchestrator.report.__file__).parent / "templates" / "report.css").read_text(encoding="utf-8")
WRITTEN = ("ink", "soft", "accent", "ready", "failed", "doubtful", "calling", "copying")
READABLE = 4.5
"""The least contrast of normal text that the web's accessibility guidelines (WCAG 2.1, 1.4.3) ask for."""


def colours(which: int) -> dict[str, str]:
    """Read the colours of an appearance: 0 is light, 1 is dark, 2 is paper."""
    blocks = re.findall(r":root \{(.*?)\}", STYLE, re.S)
    assert len(blocks) == 3
    return dict(re.findall(r"--(\w+): #(\w{3,6})[;\s}]", blocks[which] + ";"))


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour, as the guidelines define it."""
    whole = colour if len(colour) == 6 else "".join(2 * digit for digit in colour)
    parts = [int(whole[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("which", [0, 1, 2], ids=["light", "dark", "paper"])
@pytest.mark.parametrize("ground", ["page", "card", "wash"])
def test_words_stand_out_from_their_ground(which: int, ground: str) -> None:
    """Words of every colour can be read on page, card and shaded row."""
    known = {"accent": "0b57a4", **colours(which)}
    faint = {name: contrast(known[name], known[ground]) for name in WRITTEN}
    assert {name: ratio for name, ratio in faint.items() if ratio < READABLE} == {}


def test_contrast_is_that_of_the_guidelines() -> None:
    """Black on white is 21, a colour on itself is 1, and the guidelines' own example grey is 4.54."""
    assert [round(contrast(a, b), 2) for a, b in (("000", "fff"), ("fff", "fff"), ("767676", "fff"))] == [
        21,
        1,
        4.54,
    ]
