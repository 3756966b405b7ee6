"""Charts as the server draws them: bars whose colours and size are the stylesheet's."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.html import strip_tags

WIDTH, HEIGHT = 10, 1000  # of a day and of a full bar, in units of the drawing
GAP = 2  # between two bars
MARK = 30  # height of the mark of a day that has no figures


@dataclass(frozen=True)
class Bar:
    """One day: where its bar stands, and what it says."""

    x: int
    y: int
    height: int
    title: str
    missing: bool = False


@dataclass(frozen=True)
class Chart:
    """The bars of a period. label: what it shows, for whoever does not see it."""

    label: str
    full: str
    bars: list[Bar]
    width: int
    height: int = HEIGHT
    bar_width: int = WIDTH - GAP


def chart(
    name: str,
    days: list[tuple[str, Any, bool]],
    show: Callable[[Any], str],
    full: int | None = None,
) -> Chart:
    """Return the chart of a figure.

    days: for each day its name, its value (zero or more, None for nothing to show), and whether it
    was computed. show: ``f(value)`` as text or markup. full: the value of a full bar, if no day has
    more; None for the highest there is.
    """
    values = {day: value for day, value, _ in days if value is not None}
    top = max([*values.values(), *([full] if full else [])], default=0)
    text = {day: strip_tags(show(value)) for day, value in values.items()}
    bars = [
        _bar(place * WIDTH + GAP // 2, day, value, computed, top, text)
        for place, (day, value, computed) in enumerate(days)
    ]
    label = f"{name} by day: there is nothing to show."
    if values:
        low, high = min(values, key=values.__getitem__), max(values, key=values.__getitem__)
        label = (
            f"{name} by day: least {text[low]} on {low}, most {text[high]} on {high}."
            " The table below has the numbers."
        )
    return Chart(label, strip_tags(show(top)) if top else "", bars, len(days) * WIDTH)


def _bar(x: int, day: str, value: Any, computed: bool, top: Any, text: dict[str, str]) -> Bar:
    if not computed:
        return Bar(x, HEIGHT - MARK, MARK, f"{day}: not computed", missing=True)
    height = round(HEIGHT * value / top) if value else 0
    return Bar(x, HEIGHT - height, height, f"{day}: {text.get(day, 'nothing was sold')}")
