"""A treatment, a distance or a local rule as it is said in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geosite.model.rule import LocalRule, Treatment

_UNITS = (("km", 1000.0), ("m", 1.0), ("mi", 1609.344), ("ft", 0.3048))
_PARTS = 4
"""A number of quarters of a unit is how people write a distance."""


def distance(metres: float) -> str:
    """A distance in the unit in which it is a round number, as the law may write it.

    Examples
    --------
    >>> [distance(m) for m in (0.0, 100.0, 2500.0, 1609.344, 91.44, 56327.04)]
    ['0 m', '100 m', '2.5 km', '1 mi', '300 ft', '35 mi']
    >>> distance(123.456)
    '123 m'
    """
    for unit, size in _UNITS:
        parts = metres / size * _PARTS
        if abs(parts - round(parts)) < 1e-6 * _PARTS and (unit != "km" or parts >= _PARTS):
            return f"{round(parts) / _PARTS:,.10g} {unit}"
    return f"{metres:,.0f} m"


def setback(treatment: Treatment) -> str:
    """How far a treatment speaks from a feature: ``300 ft``, or more by an attribute."""
    if treatment.tier == "require":
        return distance(treatment.within)
    if treatment.tier == "include":
        return distance(0.0)
    more = treatment.scaled
    plain = distance(treatment.setback)
    return f"{plain}, by {more.field} up to {distance(treatment.reach)}" if more else plain


def said(treatment: Treatment | None) -> str:
    """What a treatment does: ``exclude 300 ft``, ``avoid 0.6 within 2 km``, ``flag``."""
    if treatment is None:
        return "not asked"
    words = [str(treatment.tier)]
    if treatment.tier in ("avoid", "mitigate"):
        words.append(f"{treatment.factor:g}")
    if treatment.reach:
        words += [] if treatment.tier == "exclude" else ["within"]
        words.append(setback(treatment))
    return " ".join(words)


def place(entry: LocalRule) -> str:
    """Where a local rule holds: ``32013``, or ``environment/acec where name = 'X'``."""
    if entry.counties:
        return ", ".join(entry.counties)
    return f"{entry.inside} where {entry.where}" if entry.where else f"{entry.inside}"


def instead(entry: LocalRule) -> str:
    """What a local rule asks: a distance, or that the rule does not hold there."""
    if not entry.applies or entry.setback is None:
        return "does not hold"
    return distance(entry.setback)


def local(entry: LocalRule) -> str:
    """A local rule: ``local 32013 (1 mi, county code 17.2)``."""
    return f"local {place(entry)} ({instead(entry)}, {entry.citation})"


def some(names: list[str], most: int = 3) -> str:
    """The first of some names, and how many more there are.

    Examples
    --------
    >>> some(["potash"]), some(["a", "b", "c", "d", "e"])
    ('potash', 'a, b, c and 2 more')
    """
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
