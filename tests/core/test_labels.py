"""Names and descriptions of copies: they fit, they are allowed, and the mark survives them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.labels import DESCRIPTION_MAX, NAME_MAX, description_of, name_of, template_fault
from orchestrator.core.marks import read_mark

FIELDS = {"source_name": "golden", "source_image": "img-a", "source_region": "cn-north-1", "date": "20261124"}
MARK = "orchestrator/1 ledger=abc call=xyz from=cn-north-1 of=img-a"


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{source_name}-dr", "golden-dr"),
        ("{source_name}-{date}", "golden-20261124"),
        ("{source_region}.{source_name}", "cn-north-1.golden"),
        ("镜像_{source_name}", "镜像_golden"),
        ("{source_name}-{source_region}-{date}-x", "golden-cn-north-1-20261124-x"),
    ],
)
def test_a_template_is_filled(template: str, name: str) -> None:
    """Fields give way to what they name."""
    assert template_fault(template, is_name=True) is None
    assert name_of(template, FIELDS) == name


@given(st.text(max_size=80), st.sampled_from(["{source_name}-{date}", "a-{source_name}", "{source_image}"]))
def test_every_name_is_one_that_the_cloud_takes(source: str, template: str) -> None:
    """1 to 32 allowed characters whatever the source is called; what follows its name is never cut."""
    name = name_of(template, FIELDS | {"source_name": source})
    assert 1 <= len(name) <= NAME_MAX
    assert template_fault(name, is_name=True) is None
    assert template != "{source_name}-{date}" or name.endswith("-20261124")


@given(st.text(max_size=300))
def test_the_mark_survives_every_description(words: str) -> None:
    """A later rebuild reads the mark out of what people read, and it fits."""
    text = description_of(words.replace("{", "(").replace("}", ")"), MARK, FIELDS)
    assert len(text) <= DESCRIPTION_MAX
    assert read_mark(text) == read_mark(MARK)
