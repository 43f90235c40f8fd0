"""What a small map of places and lines shows, with words beside it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mark:
    """A place, and what a reader sees on pointing at it."""

    at: tuple[float, float]
    """Longitude, latitude."""
    colour: str
    size: float
    """Radius [pixels]."""
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A way through places, and what a reader sees on pointing at it."""

    path: tuple[tuple[float, float], ...]
    """Longitude, latitude of each corner."""
    colour: str
    words: tuple[str, ...]
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Sketch:
    """What a small map shows.

    Attributes
    ----------
    text : str
        Lines that stand beside the map as they are.
    legend : pairs of colour and words
    """

    title: str
    notice: str
    text: str
    legend: tuple[tuple[str, str], ...]
    marks: tuple[Mark, ...]
    lines: tuple[Line, ...]
