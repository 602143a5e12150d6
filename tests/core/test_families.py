"""Families: builds of one image group together, different images never do."""

from __future__ import annotations

import re

import pytest

from orchestrator.core.families import family_of


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("golden-ubuntu-20261124", "golden-ubuntu"),
        ("golden-ubuntu-2026.11.24", "golden-ubuntu"),
        ("golden-ubuntu-2026-11-24-0300", "golden-ubuntu"),
        ("golden_ubuntu_20261124T0300Z", "golden_ubuntu"),
        ("web-v1.2.3", "web"),
        ("web-1.2.3-rc4", "web"),
        ("web-build77", "web"),
        ("golden", "golden"),
        ("golden-a", "golden-a"),
        ("20261124", "20261124"),
        ("", ""),
        ("镜像-20261124", "镜像"),
    ],
)
def test_what_varies_from_build_to_build_is_cut_off(name: str, family: str) -> None:
    """Dates, times, versions and build numbers at the end go; words stay."""
    assert family_of(name) == family


@pytest.mark.parametrize(
    ("pattern", "family"),
    [
        (r"^golden-(\w+)-(\w+)", "ubuntu-22"),
        (r"^golden-\w+", "golden-ubuntu"),
        (r"^(?:golden)-(\d*)", "golden-"),
        (r"^silver", "golden-ubuntu-22-lts"),
        (r"", "golden-ubuntu-22-lts-7"),
    ],
)
def test_a_pattern_says_how_names_group(pattern: str, family: str) -> None:
    """Its groups are the family, or the whole match; a name that it misses is treated as without it."""
    assert family_of("golden-ubuntu-22-lts-7", re.compile(pattern)) == family


def test_no_name_takes_for_ever() -> None:
    """A name made to mislead the rule (ten thousand digits that end in a letter) is read like any other."""
    name = "1" * 10_000 + "x"
    assert family_of(name) == name
