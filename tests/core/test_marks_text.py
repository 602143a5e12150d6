"""Source ids in the platform's own text, in whatever language it is written."""

from __future__ import annotations

import pytest

from orchestrator.core.marks import platform_source


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Copied from cn-north-1 img-abc123.", "img-abc123"),
        ("从cn-north-1的img-abc123复制", "img-abc123"),
        ("镜像img-abc123（华北-北京）", "img-abc123"),
        ("img-abc123, again img-abc123", "img-abc123"),
        ("img-abc123 and img-other", None),
        ("myimg-abc123", None),
        ("img-" + "a" * 33, None),
        ("no id at all", None),
    ],
)
def test_one_id_is_found_in_any_language(text: str, expected: str | None) -> None:
    """The only id counts, also between Chinese characters; two ids, or a longer word, mean nothing."""
    assert platform_source(text) == expected
