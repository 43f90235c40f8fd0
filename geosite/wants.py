"""What a fetch wants: which layers, for which area, from which sources in which order."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

import shapely

from geosite.aoi import STATES, area_of_interest, is_name, outline_of
from geosite.catalog import Catalog, Rulebook, open_scenario, preset_names
from geosite.crs import WGS84, parsed_crs, projected
from geosite.errors import CatalogError, MissingLayerError, faults
from geosite.model.source import ServiceSource
from geosite.needs import WHOLE, fetch_box, wanted_layers
from geosite.references import dangling
from geosite.sources import placed, read_features
from geosite.sources.asking import Ask, State

if TYPE_CHECKING:
    from pathlib import Path

    from shapely.geometry.base import BaseGeometry

    from geosite.model.layer import Layer
    from geosite.model.lock import Box
    from geosite.model.scenario import Scenario
    from geosite.sources.holdings import Holdings

BY_STATE = ("{ST}", "{st}", "{FIPS}")
"""What stands in an address for a state."""
_RADIUS = 6_371_007.0  # of the sphere with the Earth's area [m]


@dataclass(frozen=True, slots=True)
class Order:
    """What was ordered.

    Parameters
    ----------
    scenarios : tuple of Scenario
        All that they may read, near their AOIs.
    aoi : str, optional
        Overrides the scenarios': a name, ``west,south,east,north`` or a file.
    layers : tuple of str
        These layers, and no others.
    every : bool
        Every layer of the catalogue.
    """

    scenarios: tuple[Scenario, ...] = ()
    aoi: str | None = None
    layers: tuple[str, ...] = ()
    every: bool = False

    @property
    def areas(self) -> tuple[str, ...]:
        """AOIs, as they were written."""
        if self.aoi is not None:
            return (self.aoi,)
        return tuple(s.aoi for s in self.scenarios)


@dataclass(frozen=True, slots=True)
class Stock:
    """What is known of layers, and where they are: put by hand below `data`, or fetched."""

    catalog: Catalog
    rulebook: Rulebook
    data: Path
    holdings: Holdings

    def with_states(self) -> Catalog:
        """The catalogue, which finds the states if they were fetched."""
        held = self.holdings.find(self.catalog[STATES], None) if STATES in self.catalog else None
        return replace(self.catalog, held={STATES: held}) if held else self.catalog

    @property
    def knows_states(self) -> bool:
        """Whether the outlines of states are to be had without asking anybody."""
        return STATES in self.catalog and (
            placed(self.catalog[STATES], self.with_states(), self.data) is not None
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """Layers, none of them a union, the box that they are wanted for, and its states."""

    layers: tuple[Layer, ...]
    box: Box | None
    states: tuple[State, ...]

    def box_of(self, layer: Layer) -> Box | None:
        """Where a layer is wanted."""
        return None if layer.id in WHOLE else self.box


def open_scenarios(name: str) -> tuple[Scenario, ...]:
    """The scenarios that a word stands for: a preset, a file, or the first part of presets' names.

    Raises
    ------
    CatalogError
        If it stands for nothing.
    """
    under = [p for p in preset_names() if p.startswith(f"{name.rstrip('/')}/")]
    return tuple(open_scenario(n) for n in under or [name])


def layers_of(order: Order, stock: Stock) -> tuple[Layer, ...]:
    """What is ordered, sorted by id; parts in place of a union.

    Raises
    ------
    CatalogError
        If a layer, a rule set or a commodity does not exist.
    """
    catalog = stock.catalog
    found = [
        f"there is no layer {i!r}{_like(i, catalog)}" for i in order.layers if i not in catalog
    ]
    for scenario in order.scenarios:
        found += [f"{scenario.name}: {line}" for line in dangling(scenario, stock.rulebook)]
    if found:
        raise CatalogError(faults("what is to be fetched is not in the catalogue:", found))
    if order.layers or order.every:
        named = order.layers or tuple(catalog)
        ids = {part for i in named for part in catalog[i].union_of or (i,)}
    else:
        ids = {i for s in order.scenarios for i in wanted_layers(s, catalog, stock.rulebook)}
    return tuple(catalog[i] for i in sorted(ids))


def needs_states(order: Order, stock: Stock) -> bool:
    """Whether the outlines of states come before all else: for a name, or for their codes."""
    if STATES not in stock.catalog:
        return False
    layers = layers_of(order, stock)
    coded = any(key in s.url for la in layers for s in _services(la) for key in BY_STATE)
    named = any(is_name(a) for a in order.areas)
    return bool(named or coded or any(layer.id == STATES for layer in layers))


def wanted(order: Order, stock: Stock) -> Wanted:
    """Layers and area that are ordered.

    Raises
    ------
    CatalogError
        If a layer, a rule set or a commodity does not exist.
    CoverageError
        If the AOI is empty or cannot be found.
    MissingLayerError
        If the AOI is a name and the states are not to be had.
    """
    layers, box = layers_of(order, stock), _box(order, stock)
    return Wanted(layers, box, _states(box, stock))


def asks(layer: Layer, wanted: Wanted) -> tuple[Ask, ...]:
    """How to ask for a layer, by its sources in their order.

    Sources for smaller areas are left out, unless there is no other.
    """
    box = wanted.box_of(layer)
    area = math.inf if box is None else area_ha(box)
    every = [Ask(layer, s, box, wanted.states) for s in _services(layer)]
    fit = [a for a in every if not a.source.largest_aoi or area <= a.source.largest_aoi]
    return tuple(fit or every)


def area_ha(box: Box) -> float:
    """Area of a box on the sphere [ha].

    Examples
    --------
    >>> round(area_ha((-180, -90, 180, 90)) / 1e8, 1)
    510.1
    """
    west, south, east, north = box
    turn = math.radians((east - west) % 360 or 360.0)
    height = math.sin(math.radians(north)) - math.sin(math.radians(south))
    return _RADIUS**2 * turn * height / 10_000


def joined(boxes: Sequence[Box]) -> Box:
    """The narrowest box around some, across the antimeridian if it is narrower there.

    Examples
    --------
    >>> joined([(-120, 36, -114, 42), (-119, 35, -110, 40)])
    (-120, 35, -110, 42)
    >>> joined([(170, 50, -170, 60), (-165, 55, -130, 70)])
    (170, 50, -130, 70)
    """
    spans = [(w, e + 360 * (e < w)) for w, _, e, _ in boxes]
    width, west = min(
        (max(_beyond(w, start) + e - w for w, e in spans), start) for start, _ in spans
    )
    south, north = min(b[1] for b in boxes), max(b[3] for b in boxes)
    if width >= 360:
        return (-180.0, south, 180.0, north)
    east = west + width
    return (west, south, east - 360 * (east > 180), north)


def _beyond(degrees: float, start: float) -> float:
    return (degrees - start) % 360


def _services(layer: Layer) -> list[ServiceSource]:
    return [s for s in layer.sources if isinstance(s, ServiceSource)]


def _like(name: str, catalog: Iterable[str]) -> str:
    near = get_close_matches(name, list(catalog), 3, 0.5)
    return f"; did you mean {' or '.join(near)}?" if near else "; geosite layers lists all"


def _box(order: Order, stock: Stock) -> Box | None:
    if not order.areas:
        return None
    if any(is_name(a) for a in order.areas) and STATES in stock.catalog and not stock.knows_states:
        names = ", ".join(repr(a) for a in order.areas if is_name(a))
        msg = (
            f"aoi {names}: names are looked up in layer {STATES}, which is not there yet; "
            f"geosite fetch --layer {STATES} brings it, or write west,south,east,north in degrees"
        )
        raise MissingLayerError(msg)
    catalog = stock.with_states()
    if not order.scenarios:
        _, outline = outline_of(order.areas[0], catalog, stock.rulebook, stock.data, WGS84)
        return _around(outline)
    boxes = []
    for scenario in order.scenarios:
        crs = parsed_crs(scenario.grid.crs, "grid.crs")
        text = order.aoi or scenario.aoi
        _, outline = area_of_interest(text, catalog, stock.rulebook, stock.data, crs)
        boxes.append(fetch_box(scenario, stock.rulebook, outline, crs))
    return joined(boxes)


def _around(outline: BaseGeometry) -> Box:
    """Box around an outline in degrees; of parts on both sides of the antimeridian, across it."""
    bounds = shapely.bounds(shapely.get_parts(outline))
    return joined([(float(w), float(s), float(e), float(n)) for w, s, e, n in bounds])


def _states(box: Box | None, stock: Stock) -> tuple[State, ...]:
    if not stock.knows_states:
        return ()
    catalog = stock.with_states()
    frame = projected(read_features(catalog[STATES], catalog, stock.data).frame, WGS84)
    if box is not None:
        west, south, east, north = box
        halves = [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
        area = shapely.union_all([shapely.box(w, south, e, north) for w, e in halves])
        frame = frame[shapely.intersects(frame.geometry.to_numpy(), area)]
    blank = [""] * len(frame)
    codes = frame.get("code", blank)
    fips = frame.get("fips", blank)
    found = {State(str(c), str(f)) for c, f in zip(codes, fips, strict=True)}
    return tuple(sorted(found, key=lambda s: (s.code, s.fips)))
