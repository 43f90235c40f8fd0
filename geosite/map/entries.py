"""What the map's tree of layers is made of: entries, their legends, and what they draw from."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import geopandas as gpd


@dataclass(frozen=True, slots=True)
class Legend:
    """What a layer's signs mean, shown while the layer is.

    Attributes
    ----------
    kind
        ``classes``: a row a class; ``ramp``: colours that run into each other.
    rows
        Of classes: (sign, colour, words), where a sign is ``fill``, ``line``, ``dash``, ``dot``
        or ``hatch``. Of a ramp: colours from low to high, with empty signs and words.
    ends
        Words at the low and at the high end of a ramp.
    """

    kind: Literal["classes", "ramp"]
    rows: tuple[tuple[str, str, str], ...]
    ends: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the tree: what is drawn, how, from what, and what is said of it.

    Attributes
    ----------
    id
        Stands in the address of a view; stable between runs of one scenario.
    group
        Headings that it stands under, outermost first.
    kind
        ``tiles``: from a tile archive; ``picture``: one georeferenced picture; ``sites``:
        drawn by the page's own scripts from its sites.
    source
        Name of the `Tiles` or the `Picture` that it is drawn from.
    layer
        Layer within the archive.
    match
        Attribute and the values of it that are drawn; None: all features.
    style
        ``fill``, ``stroke`` (colours), ``opacity``, ``width`` [pixels], ``dash``, ``radius``
        [pixels], ``hatch`` (bool), ``label`` (attribute that is written beside a point),
        ``from_zoom``, ``above`` (bool: over the sites).
    count
        Features; None for a picture.
    left_out
        Features that are not drawn.
    words
        Lines under the title: citation, date, what it takes.
    """

    id: str
    title: str
    group: tuple[str, ...]
    kind: Literal["tiles", "picture", "sites"]
    source: str = ""
    layer: str = ""
    match: tuple[str, tuple[str, ...]] | None = None
    style: Mapping[str, Any] = field(default_factory=dict)
    count: int | None = None
    left_out: int = 0
    shown: bool = False
    legend: Legend | None = None
    words: tuple[str, ...] = ()

    @property
    def data(self) -> dict[str, Any]:
        """The entry for the page's data block."""
        legend = self.legend and {
            "kind": self.legend.kind,
            "rows": [list(r) for r in self.legend.rows],
            "ends": list(self.legend.ends),
        }
        return {
            "id": self.id, "title": self.title, "group": list(self.group), "kind": self.kind,
            "source": self.source, "layer": self.layer,
            "match": self.match and [self.match[0], list(self.match[1])],
            "style": dict(self.style), "count": self.count, "left_out": self.left_out,
            "shown": self.shown, "legend": legend, "words": list(self.words),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tiles:
    """Features that become an archive of vector tiles.

    Attributes
    ----------
    name
        What entries call it by.
    frames
        Layer → features in the grid CRS. Every column but the geometry becomes an attribute
        of the tiles: text or whole numbers. ``words`` holds what is shown on pointing at a
        feature, lines parted by a line feed.
    coverage
        Layers whose polygons do not overlap each other and are simplified together, so that
        shared borders stay shared.
    finest
        Largest zoom that the archive may be drawn up to; beyond it, tiles are enlarged.
    """

    name: str
    frames: Mapping[str, gpd.GeoDataFrame]
    coverage: frozenset[str] = frozenset()
    finest: int = 11


@dataclass(frozen=True, slots=True)
class Layers:
    """Entries of the tree and what they are drawn from."""

    entries: tuple[Entry, ...] = ()
    tiles: tuple[Tiles, ...] = ()
    pictures: Mapping[str, Any] = field(default_factory=dict)
    """Name → `pictures.Picture`."""
    notes: tuple[str, ...] = ()
    """What a reader has to know of what is not drawn, in words."""

    @classmethod
    def of(cls, *parts: Layers) -> Layers:
        """Several as one, in their order."""
        return cls(
            tuple(e for p in parts for e in p.entries),
            tuple(t for p in parts for t in p.tiles),
            {name: picture for p in parts for name, picture in p.pictures.items()},
            tuple(n for p in parts for n in p.notes),
        )


_NOT_IN_AN_ID = re.compile("[^a-z0-9]+")
_LONGEST = 48


def ids_of(names: Iterable[str], head: str) -> dict[str, str]:
    """Name → id of an entry: distinct, and of characters that an address may hold.

    Examples
    --------
    >>> ids_of(["US Forest Service", "us-forest service", "<b>"], "land")
    {'US Forest Service': 'land-us-forest-service', 'us-forest service': \
'land-us-forest-service-2', '<b>': 'land-b'}
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        short = _NOT_IN_AN_ID.sub("-", name.lower()).strip("-")[:_LONGEST].strip("-")
        stem = f"{head}-{short or 'other'}"
        made, n = stem, 2
        while made in taken:
            made, n = f"{stem}-{n}", n + 1
        taken.add(made)
        found[name] = made
    return found
