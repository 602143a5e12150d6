"""The night that the project is made for: 120 images to three regions, 360 copies, from a cold start."""

from __future__ import annotations

from tests.e2e.support import EAST, EAST1, SOUTH, Cloud, MakeHome, check_once, copies_of, rows


def test_360_copies_each_exactly_once(own_cloud: Cloud, make_home: MakeHome) -> None:
    """By the cloud's own books: each copy once, no source in two regions at a time, no call over ten ids.

    The second run confirms all of them and makes no copy call.
    """
    home, sources = make_home(own_cloud), own_cloud.take(120)
    plan, wanted = home.plan(sources, EAST, EAST1, SOUTH), copies_of(sources, EAST, EAST1, SOUTH)
    first = home.call("run", plan, "--json")
    assert first.code == 0, first.err
    assert first.json["counts"] == {"wanted": 360, "ready": 360, "failed": 0, "pending": 0}
    assert rows(first.json) == {(copy.source, copy.destination, "ready") for copy in wanted}
    check_once(own_cloud, wanted)
    books = own_cloud.books()
    assert len(books["copies"]) == 360
    assert books["peak_destinations_per_source"] == 1
    assert {entry["end"] for entry in books["copies"]} == {"ready"}
    assert books["refused"] == {}
    second = home.call("run", plan, "--json")
    assert (second.code, second.json["counts"]) == (0, first.json["counts"])
    assert own_cloud.books()["calls"] == books["calls"]
