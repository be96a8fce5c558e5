"""A picture of the years to come: how many records become eligible each month. Pure.

It is drawn as SVG without any script. What it shows stands in its title and
description too, and in the table beside it, for whoever does not see it.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from app.retention.effects import Month, Simulation

WIDTH, HEIGHT = 960, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 10, 20, 48
_FILLS = {"eligible": "#1f5a96", "held": "#b25d00"}
_TEXT = 'fill="currentColor" font-family="system-ui, sans-serif" font-size="13"'


def draw(found: Simulation) -> str:
    """The picture as an SVG document."""
    most = max([one.eligible + one.held for one in found.months], default=0)
    top = ceiling(most)
    inner = WIDTH - _LEFT - _RIGHT
    step = inner / max(1, len(found.months))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="years-title years-desc">',
        '<title id="years-title">Records that become eligible, month by month</title>',
        f'<desc id="years-desc">{escape(said(found))}</desc>',
    ]
    for number in range(5):
        value = top * number // 4
        y = _y(value, top)
        parts.append(
            f'<line stroke="#999" stroke-opacity="0.4" x1="{_LEFT}" y1="{y:.1f}" x2="{WIDTH - _RIGHT}" y2="{y:.1f}"/>'
        )
        parts.append(f'<text {_TEXT} x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:,}</text>')
    parts += [
        bar for number, one in enumerate(found.months) for bar in _bars(one, _LEFT + number * step, step, top)
    ]
    parts.append(
        f'<line stroke="currentColor" x1="{_LEFT}" y1="{_y(0, top):.1f}" x2="{WIDTH - _RIGHT}" y2="{_y(0, top):.1f}"/>'
    )
    parts += _years(found.months, step)
    parts += _legend(held=any(one.held for one in found.months))
    return "\n".join([*parts, "</svg>"]) + "\n"


def said(found: Simulation) -> str:
    """What the picture shows, in words."""
    whole = sum(one.eligible for one in found.months)
    busiest = max(found.months, key=lambda one: one.eligible, default=None)
    words = f"Of {found.records:,} records {found.already.eligible:,} are eligible already and {whole:,} more become so within {len(found.months)} months from {found.start}, if nothing else happens."
    if busiest is not None and busiest.eligible:
        words += f" Most in {busiest.month}: {busiest.eligible:,}."
    if covered := found.already.held + sum(one.held for one in found.months):
        words += f" The hold would keep {covered:,} that their schedule would let go."
    return words


def ceiling(most: int) -> int:
    """The number at the top of the scale: the next of 4, 8, 20, 40, 80, 200, …, so that its quarters are whole."""
    top = 4
    steps = (2.0, 2.5, 2.0)
    number = 0
    while top < most:
        top = int(top * steps[number % 3])
        number += 1
    return top


def _bars(one: Month, x: float, step: float, top: int) -> list[str]:
    bars = []
    base = 0
    width = max(step - 1, 1)
    for name, count in (("eligible", one.eligible), ("held", one.held)):
        if count:
            upper, lower = _y(base + count, top), _y(base, top)
            words = f"{one.month}: {count:,} {name}"
            bars.append(
                f'<rect fill="{_FILLS[name]}" x="{x:.1f}" y="{upper:.1f}" width="{width:.1f}" height="{lower - upper:.1f}"><title>{words}</title></rect>'
            )
        base += count
    return bars


def _years(months: Sequence[Month], step: float) -> list[str]:
    """The year at each January that has room for it."""
    return [
        f'<text {_TEXT} x="{_LEFT + number * step:.1f}" y="{HEIGHT - _BOTTOM + 18}">{one.month[:4]}</text>'
        for number, one in enumerate(months)
        if one.month.endswith("-01") and number + 4 <= len(months)
    ]


def _legend(*, held: bool) -> list[str]:
    y = HEIGHT - 12
    told = [
        f'<rect fill="{_FILLS["eligible"]}" x="{_LEFT}" y="{y - 10}" width="12" height="12"/>',
        f'<text {_TEXT} x="{_LEFT + 18}" y="{y}">become eligible</text>',
    ]
    if held:
        told += [
            f'<rect fill="{_FILLS["held"]}" x="{_LEFT + 150}" y="{y - 10}" width="12" height="12"/>',
            f'<text {_TEXT} x="{_LEFT + 168}" y="{y}">would be kept by the hold</text>',
        ]
    return told


def _y(value: int, top: int) -> float:
    return _TOP + (HEIGHT - _TOP - _BOTTOM) * (1 - value / top)
