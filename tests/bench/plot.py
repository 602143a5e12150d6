"""Line charts as SVG, in colours that can be read on light and dark pages. Numbers in, text out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import ceil, floor, log10

Points = Sequence[tuple[float, float]]

_WIDTH, _HEIGHT = 640, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 20, 46, 70
_COLOURS = ("#2f81f7", "#d29922", "#2da44e", "#cf5fd0", "#e5534b")
"""Each has enough contrast on white and on nearly black."""

_INK = "#7d8590"
_STYLE = f"font-family:system-ui,sans-serif;font-size:12px;fill:{_INK}"


def line_chart(
    lines: Mapping[str, Points], *, title: str, x: str, y: str, log_x: bool = True, log_y: bool = False
) -> str:
    """Draw each named line with its points; `x` and `y` label the axes. Raises ValueError without points.

    An axis that is not logarithmic begins at zero. On a logarithmic one no value may be zero or less.
    """
    points = [point for line in lines.values() for point in line]
    if not points:
        raise ValueError("a chart needs points")
    across = _Axis([point[0] for point in points], _LEFT, _WIDTH - _RIGHT, log=log_x)
    up = _Axis([point[1] for point in points], _HEIGHT - _BOTTOM, _TOP, log=log_y)
    body = [_text(_LEFT, 20, title, "font-weight:600;font-size:14px")]
    body += [*_grid(across, up, x, y), *_drawn(lines, across, up)]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img"'
    return "\n".join([f'{head} style="{_STYLE}">', f"<title>{escape(title)}</title>", *body, "</svg>"]) + "\n"


class _Axis:
    """Places values between two ends of the picture, and says where the ticks are."""

    def __init__(self, values: Sequence[float], begin: float, end: float, *, log: bool) -> None:
        if log and min(values) <= 0:
            raise ValueError("a logarithmic axis has no zero")
        self._begin, self._end, self._log = begin, end, log
        if log:
            low, high = floor(log10(min(values))), ceil(log10(max(values)))
            self.ticks = [10.0**power for power in range(low, max(high, low + 1) + 1)]
        else:
            step = _step(max(*values, 1e-9))
            self.ticks = [step * number for number in range(ceil(max(values) / step - 1e-9) + 1)]

    def place(self, value: float) -> float:
        """Return where a value lies."""
        low, high = self.ticks[0], self.ticks[-1]
        linear = (value - low) / (high - low)
        share = log10(value / low) / log10(high / low) if self._log else linear
        return self._begin + share * (self._end - self._begin)


def _step(most: float) -> float:
    """Choose a round distance of ticks: four to eight of them up to a value."""
    size = 10.0 ** floor(log10(most / 4))
    return next(size * factor for factor in (1, 2, 5, 10) if size * factor * 8 >= most)


def _grid(across: _Axis, up: _Axis, x: str, y: str) -> list[str]:
    """Draw the axes, a faint line per tick, and the labels."""
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    made = [_line(_LEFT, up.place(tick), right, up.place(tick), 0.25) for tick in up.ticks]
    made += [_line(across.place(tick), _TOP, across.place(tick), bottom, 0.25) for tick in across.ticks]
    made += [_line(_LEFT, bottom, right, bottom), _line(_LEFT, _TOP, _LEFT, bottom)]
    middle, end = "text-anchor:middle", "text-anchor:end"
    made += [_text(across.place(tick), bottom + 16, short(tick), middle) for tick in across.ticks]
    made += [_text(_LEFT - 8, up.place(tick) + 4, short(tick), end) for tick in up.ticks]
    made.append(_text((_LEFT + right) / 2, bottom + 34, x, middle))
    made.append(_text(_LEFT, _TOP - 10, y))
    return made


def _drawn(lines: Mapping[str, Points], across: _Axis, up: _Axis) -> list[str]:
    """Draw the lines, their points, and the legend below."""
    made, left = list[str](), float(_LEFT)
    for number, (name, points) in enumerate(lines.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        placed = [(across.place(a), up.place(b)) for a, b in points]
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in placed)
        made.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        made += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"/>' for a, b in placed]
        made.append(f'<rect x="{left:.0f}" y="{_HEIGHT - 22}" width="10" height="10" fill="{colour}"/>')
        made.append(_text(left + 15, _HEIGHT - 13, name))
        left += 30 + 7 * len(name)
    return made


def _line(x1: float, y1: float, x2: float, y2: float, opacity: float = 1.0) -> str:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{_INK}" stroke-opacity="{opacity:g}"/>'


def _text(x: float, y: float, text: str, style: str = "") -> str:
    dressed = f' style="{style}"' if style else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{dressed}>{escape(text)}</text>'


def short(value: float) -> str:
    """Write a number of any size in a few characters: 12k, 1.5M, 0.2."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"
