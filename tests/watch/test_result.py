"""The JSON object of `run --json`: exactly the promised shape, and back."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from orchestrator.core.model import ImageId, State
from orchestrator.core.reasons import Reason
from orchestrator.core.verdict import Part, Verdict
from orchestrator.watch.result import Running, parts_from_json, result_from_json, result_json
from tests.watch.samples import COPY_OF_A, EAST, NIGHT, RUN, result, standing

READY = standing(State.READY, Reason.COPIED, image=COPY_OF_A)
FAILED = standing(State.FAILED, Reason.NOT_FOUND, source="img-b", detail='no "such"\nimage 镜像')


def test_the_object_is_exactly_the_promised_one() -> None:
    """Keys, order, words, times and nulls are those that docs and issue promise, on one line."""
    text = result_json(result(READY, FAILED))
    assert "\n" not in text
    assert text.isascii()
    shape = json.loads(text)
    assert list(shape) == [
        "run", "plan", "verdict", "exit_code", "started_at", "finished_at", "counts", "calls", "copies",
    ]  # fmt: skip
    assert shape == {
        "run": "r1",
        "plan": "config/plans/nightly.yaml",
        "verdict": "partial",
        "exit_code": 3,
        "started_at": "2026-11-23T03:12:07.000Z",
        "finished_at": "2026-11-23T04:12:07.250Z",
        "counts": {"wanted": 2, "ready": 1, "failed": 1, "pending": 0},
        "calls": {"copyImages": 36, "describeImages": 120},
        "copies": [
            {
                "source_region": "cn-north-1",
                "source_image": "img-a",
                "destination_region": "cn-east-2",
                "destination_image": "img-y",
                "state": "ready",
                "reason": "copied",
                "detail": "",
            },
            {
                "source_region": "cn-north-1",
                "source_image": "img-b",
                "destination_region": "cn-east-2",
                "destination_image": None,
                "state": "failed",
                "reason": "not-found",
                "detail": 'no "such"\nimage 镜像',
            },
        ],
    }


def test_a_relayed_copy_says_what_it_is_made_of() -> None:
    """The source stays the original; `via` and `carrier` are there for relayed copies only."""
    relayed = standing(State.READY, Reason.COPIED, image=COPY_OF_A, carrier=ImageId("img-x"))
    plain, one = json.loads(result_json(result(READY, relayed)))["copies"]
    assert one == {**plain, "via": "cn-south-1", "carrier": "img-x"}


@pytest.mark.parametrize("verdict", Verdict)
def test_a_result_survives_the_way_there_and_back(verdict: Verdict) -> None:
    """What is stored of a run is what `status RUN` shows: every verdict, state and reason."""
    way = ImageId("img-x")
    copies = [standing(state, reason, detail="d", carrier=way) for state in State for reason in Reason]
    whole = result(READY, *copies, verdict=verdict, exit_code=4)
    assert result_from_json(result_json(whole)) == whole


def test_the_parts_of_a_plan_are_told_and_read_back() -> None:
    """By replication and destination, in a key of their own; without any there is no such key."""
    parts = (
        Part(replication="golden", destination=EAST, planned=2, ready=1),
        Part(replication="镜像", destination=EAST, planned=1, ready=1),
    )
    whole = replace(result(READY, FAILED), parts=parts)
    shape = json.loads(result_json(whole))
    assert shape["replications"][0] == {
        "replication": "golden", "destination_region": "cn-east-2", "planned": 2, "ready": 1,
    }  # fmt: skip
    assert result_from_json(result_json(whole)) == whole
    assert parts_from_json(result_json(whole)) == parts
    assert "replications" not in json.loads(result_json(result(READY)))
    assert [part.whole for part in parts] == [False, True]


@pytest.mark.parametrize("parts", [(), (Part(replication="a", destination=EAST, planned=1, ready=1),)])
def test_parts_are_not_mistaken_for_words(parts: tuple[Part, ...]) -> None:
    """A name or a detail that looks like the key of the parts is no part of any."""
    trick = ', "replications": [{"replication": "x"}]}'
    whole = replace(result(standing(State.FAILED, Reason.NOT_FOUND, detail=trick)), plan=trick, parts=parts)
    assert parts_from_json(result_json(whole)) == parts


def test_a_running_run_has_no_end() -> None:
    """While a run goes on its verdict is `running`, and exit code and end are null."""
    whole = result(READY)
    running = Running(
        run=RUN, plan="p", started_at=NIGHT, counts=whole.counts, calls=whole.calls, copies=whole.copies
    )  # fmt: skip
    shape = json.loads(result_json(running))
    assert list(shape) == list(json.loads(result_json(whole)))
    assert (shape["verdict"], shape["exit_code"], shape["finished_at"]) == ("running", None, None)
    assert shape["copies"][0]["destination_image"] == "img-y"


def test_half_a_letter_from_the_cloud_does_not_spoil_the_object() -> None:
    """A lone surrogate becomes a mark, so that every JSON reader accepts the object."""
    text = result_json(result(standing(State.FAILED, Reason.COPY_ERROR, detail="a\ud800b")))
    assert result_from_json(text).copies[0].detail == "a?b"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        result_json(result(READY)).replace("partial", "fine"),
        result_json(result(READY)).replace('"copied"', '"copy"'),
        result_json(result(READY)).replace("2026-11-23T03:12:07.000Z", "yesterday"),
        result_json(result(READY)).replace("2026-11-23T03:12:07.000Z", "2026-11-23T03:12:07"),
        result_json(result(READY))[:-1],
    ],
)
def test_what_is_no_result_is_refused(text: str) -> None:
    """A damaged or foreign object is a ValueError, not a strange result."""
    with pytest.raises(ValueError):  # noqa: PT011 - pydantic's and our own words both are ValueErrors
        result_from_json(text)


def test_a_missing_image_stays_missing() -> None:
    """A copy without a destination image comes back without one."""
    first, second = result_from_json(result_json(result(READY, FAILED))).copies
    assert (first.image, second.image) == (ImageId("img-y"), None)
