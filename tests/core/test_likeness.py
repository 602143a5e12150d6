"""Likeness: in what a copy differs from its source, as far as the cloud shows both."""

from __future__ import annotations

import pytest

from orchestrator.core.likeness import differences
from orchestrator.core.model import ImageId, Sighting


def shown(**traits: object) -> Sighting:
    """Show an image of 8 GB with two disks."""
    plain = Sighting(
        image=ImageId("img-a"), status="ready", name="golden", size_mb=8192, snapshots=("s1", "s2"),
        platform="CentOS", architecture="x86_64",
    )  # fmt: skip
    return Sighting(**({field: getattr(plain, field) for field in plain.__slots__} | traits))


@pytest.mark.parametrize(
    ("copy", "says"),
    [
        ({}, ()),
        (
            {"name": "labelled", "text": "words", "created": "2027-01-15 03:00:00", "snapshots": ("x", "y")},
            (),
        ),
        ({"size_mb": 4096}, ("size (4096 there, 8192 at the source)",)),
        ({"snapshots": ("x",)}, ("disks (1 there, 2 at the source)",)),
        ({"encrypted": True}, ("encryption (True there, False at the source)",)),
        ({"platform": "Ubuntu"}, ("platform (Ubuntu there, CentOS at the source)",)),
        ({"architecture": "arm64"}, ("architecture (arm64 there, x86_64 at the source)",)),
        (
            {"size_mb": 1, "platform": "Ubuntu"},
            ("size (1 there, 8192 at the source)", "platform (Ubuntu there, CentOS at the source)"),
        ),
        ({"size_mb": None, "snapshots": (), "platform": "", "architecture": ""}, ()),
    ],
    ids=str,
)
def test_what_differs_is_named(copy: dict[str, object], says: tuple[str, ...]) -> None:
    """Size, disks, encryption, platform, architecture; names, texts, times and ids may differ."""
    assert differences(shown(), shown(**copy)) == says


def test_what_the_source_hides_counts_for_nothing() -> None:
    """A source that is shown without its size says nothing of its copy's."""
    assert differences(shown(size_mb=None, platform=""), shown()) == ()
