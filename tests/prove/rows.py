"""What each machine's figures say in the published table: what was done, what broke, how much a zero says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Figures = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    machine: str
    did: str
    broken: str
    bound: str = ""


def rows_of(name: str, group: str, figures: Figures) -> list[Row]:
    """Turn the figures of one task into lines of the table."""
    return _WRITERS[group](name, figures)


def number(figures: Figures, name: str) -> int:
    """Read one figure; KeyError or TypeError where a machine does not say it."""
    value = figures[name]
    if not isinstance(value, int):
        raise TypeError(f"{name} is {value!r} and no number")
    return value


def said(figures: Figures, names: str) -> str:
    """Write figures with their names: `kills checks` as 200 kills, 220 checks."""
    return ", ".join(f"{number(figures, name):,} {name.replace('_', ' ')}" for name in names.split())


def below(cases: int, what: str) -> str:
    """Write the rule of three: none in n independent cases means fewer than 3/n of all, at 95 %."""
    return f"under {300 / cases:.2g} % of {what}" if cases else ""


def _storm(name: str, figures: Figures) -> list[Row]:
    did = said(figures, "nights lives crashes posts copies faults virtual_hours")
    broken = said(figures, "duplicates unrecorded unfinished failed")
    person = f"; {number(figures, 'needs_person'):,} copies left to a person"
    bound = below(number(figures, "nights"), "such nights")
    return [Row(name, did.replace("posts", "copy calls"), broken + person, bound)]


def _walk(name: str, figures: Figures) -> list[Row]:
    did, broken = said(figures, "faults crashes states transitions"), said(figures, "violations")
    if figures["exhausted"]:
        return [Row(f"walk: {name}", did, broken, "every order was walked")]
    layers, whole = figures["by_mishaps"], number(figures, "whole_up_to_mishaps")
    assert isinstance(layers, dict)
    counts = ", ".join(f"{count:,} with {mishaps}" for mishaps, count in layers.items())
    extent = f"whole up to {whole} mishaps" if whole >= 0 else "no part is whole"
    did = f"{did} (by mishaps: {counts}): {extent}, a sample beyond"
    return [Row(f"walk: {name}", did, broken, "nothing more: no independent cases")]


def _torture(name: str, figures: Figures) -> list[Row]:
    did = said(figures, "rounds kills copies")
    if "unprotected" in name:
        return [Row(name, did, f"{number(figures, 'duplicates'):,} duplicates: the harness sees them")]
    did += f", {number(figures, 'checks'):,} ledgers checked"
    broken = said(figures, "duplicates missing unrecorded damaged complaints")
    return [Row(name, did, broken, below(number(figures, "kills"), "such kills"))]


def _fuzz(name: str, figures: Figures) -> list[Row]:
    return [
        Row(
            f"{name}: {group}",
            f"{number(figures, f'{group}_cases'):,} cases",
            f"{number(figures, f'{group}_failed'):,} failed",
            below(number(figures, f"{group}_cases"), "such cases"),
        )
        for group in ("plans", "replies", "ledgers")
    ]


def _recovery(name: str, figures: Figures) -> list[Row]:
    did = said(figures, "lives runs steps events kills killed_within_a_write taken_over")
    return [Row(name, did, said(figures, "violations"), below(number(figures, "lives"), "such lives"))]


def _mutants(name: str, figures: Figures) -> list[Row]:
    bugs = f"{number(figures, 'mutants')} planted bugs, {number(figures, 'caught')} caught"
    did = f"{bugs}; {number(figures, 'controls')} controls without a bug"
    return [Row(name, did, said(figures, "survived crashed controls_failed not_begun"))]


_WRITERS: dict[str, Callable[[str, Figures], list[Row]]] = {
    "storm": _storm,
    "walk": _walk,
    "torture": _torture,
    "fuzz": _fuzz,
    "recovery": _recovery,
    "mutants": _mutants,
}
