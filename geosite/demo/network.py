"""Lines that people built, and the towns and stations on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geosite.demo.block import AREA_KM2, Block, Drawn, Features, spread
from geosite.demo.densities import COUNT_PER_1000_KM2, SUBSTATION_KV, TOWN_POPULATION

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROAD = 0.08
"""How far a basin's road keeps from the axis [u]: clear of its lakes and its river."""

ALONG_BASINS = {
    "roads": (0.78, ROAD),
    "freeways": (0.055, 0.096),
    "rail": (0.09, -0.085),
    "transmission": (0.52, 0.13),
    "gas_pipelines": (0.265, -0.13),
}
"""Share of the basins that have such a line, and how far it runs from the axis [u]."""

ACROSS_RANGES = {
    "roads": (1.0, 0.0),
    "freeways": (0.45, 700.0),
    "rail": (0.5, -900.0),
    "transmission": (1.0, 1800.0),
    "gas_pipelines": (0.8, 2600.0),
}
"""Share of the passes that have such a line, and how far north of the corridor [m]."""

STEP = 1000.0


@dataclass(frozen=True, slots=True)
class Town:
    """A place with people."""

    x: float
    y: float
    name: str
    population: int


def lines(block: Block) -> dict[str, list[shapely.LineString]]:
    """Lines of the block by kind: roads, freeways, rail, transmission, gas_pipelines."""
    left, bottom, right, top = block.bounds
    x, y = np.arange(left, right + 1, STEP), np.arange(bottom, top + 1, STEP)
    corridor = block.terrain.corridor_at(block.row, x)
    found: dict[str, list[shapely.LineString]] = {}
    for channel, kind in enumerate(ACROSS_RANGES, start=50):
        share, north = ACROSS_RANGES[kind]
        # The first corridor and the first basin carry everything that the smallest world needs.
        here = block.row == 0 or spread(block.row, share, block.seed, channel)
        drawn = [shapely.linestrings(x, corridor + north)] if here else []
        share, aside = ALONG_BASINS[kind]
        for k in block.basins:
            first = k == block.home_basin and kind in ("roads", "gas_pipelines", "transmission")
            if first or spread(k, share, block.seed, channel + 10):
                drawn.append(shapely.linestrings(block.terrain.x_at(k + 0.5 + aside, y), y))
        found[kind] = block.clipped(drawn) if drawn else []
    return found


def towns(block: Block) -> list[Town]:
    """Towns on the roads: first where roads cross, then along the basins; largest first."""
    rng = block.rng(1)
    number = int(rng.poisson(COUNT_PER_1000_KM2["towns"] * AREA_KM2 / 1000))
    number = max(number, 3) if block.home else number
    x, y = _road_places(block, rng, 12 + 2 * number)
    median, sigma = TOWN_POPULATION
    people = np.sort(median * np.exp(sigma * rng.standard_normal(number)))[::-1]
    found: list[Town] = []
    for px, py in zip(x, y, strict=True):
        apart = all(np.hypot(px - t.x, py - t.y) > 8_000.0 for t in found)
        if apart and len(found) < number:
            size = max(int(round(people[len(found)], -1)), 200)
            found.append(Town(px, py, block.name("Town", len(found) + 1), size))
    return found


def _road_places(
    block: Block, rng: np.random.Generator, number: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Crossings of the basin roads with the corridor, then places along the basin roads."""
    _, bottom, _, top = block.bounds
    with_road = [
        k
        for k in block.basins
        if k == block.home_basin or spread(k, ALONG_BASINS["roads"][0], block.seed, 60)
    ]
    k = np.array(with_road, float)
    middle = np.full(k.shape, (bottom + top) / 2)
    for _ in range(5):
        middle = block.terrain.corridor_at(block.row, block.terrain.x_at(k + 0.5 + ROAD, middle))
    order = np.lexsort((k, k != block.home_basin)) if block.home else rng.permutation(len(k))
    u = np.concatenate([k[order], rng.choice(k, number)]) + 0.5 + ROAD
    y = np.concatenate([middle[order], rng.uniform(bottom, top, number)])
    x = block.terrain.x_at(u, y)
    inside = block.holds(x, y)
    return x[inside], y[inside]


def drawn_network(
    block: Block, built: dict[str, list[shapely.LineString]], places: list[Town]
) -> Drawn:
    """Lines, towns, substations and power plants of the block."""
    found: Drawn = {}
    for kind, parts in built.items():
        layer = found.setdefault(f"infrastructure/{kind}", Features())
        for number, part in enumerate(parts, start=1):
            extra = {"kv": 345 if number == 1 else 230} if kind == "transmission" else {}
            layer.add(part, name=block.name(_TITLES[kind], number), **extra)
    layer = found.setdefault("infrastructure/towns", Features())
    for town in places:
        layer.add(
            shapely.Point(town.x, town.y),
            name=town.name,
            state="Synthetic Basin",
            population=town.population,
        )
    found["infrastructure/substations"] = _substations(block, built["transmission"], places)
    found["infrastructure/power_plants"] = _power_plants(block, built["transmission"])
    return found


_TITLES = {
    "roads": "State Route",
    "freeways": "Freeway",
    "rail": "Railroad",
    "transmission": "Line",
    "gas_pipelines": "Pipeline",
}


def _beside(
    rng: np.random.Generator, parts: list[shapely.LineString], number: int, aside: float
) -> NDArray[np.float64]:
    """Points beside lines, evenly along them, (number, 2)."""
    whole = shapely.union_all(parts) if parts else shapely.MultiLineString()
    runs = shapely.get_parts(whole)
    ends = np.cumsum(shapely.length(runs))
    at = rng.uniform(0, ends[-1], number)
    chosen = np.searchsorted(ends, at)
    points = shapely.line_interpolate_point(runs[chosen], ends[chosen] - at)
    return np.asarray(shapely.get_coordinates(points) + rng.normal(0, aside, (number, 2)))


def _substations(block: Block, power: list[shapely.LineString], places: list[Town]) -> Features:
    rng = block.rng(2)
    number = int(rng.poisson(COUNT_PER_1000_KM2["substations"] * AREA_KM2 / 1000))
    kv = rng.choice(np.array(list(SUBSTATION_KV)), number, p=list(SUBSTATION_KV.values()))
    xy = _beside(rng, power, number, 250.0)
    if places:
        by_town = (rng.random(number) < 0.6) & (kv < 230)
        weight = np.sqrt([t.population for t in places])
        chosen = rng.choice(len(places), number, p=weight / weight.sum())
        centre = np.array([(t.x, t.y) for t in places])[chosen]
        around = centre + rng.normal(0, 4_000.0, (number, 2))
        xy = np.where(by_town[:, None], around, xy)
    if block.home and number:
        # One beside the first crossing, strong enough for a plant.
        xy[0], kv[0] = (places[0].x + 1_500.0, places[0].y + 1_200.0), 230
    layer = Features()
    for i, (point, volts) in enumerate(zip(map(shapely.Point, xy), kv, strict=True), start=1):
        layer.add(point, name=block.name("Substation", i), kv=int(volts))
    return layer


def _power_plants(block: Block, power: list[shapely.LineString]) -> Features:
    rng = block.rng(3)
    number = int(rng.poisson(COUNT_PER_1000_KM2["power_plants"] * AREA_KM2 / 1000))
    fuels = rng.choice(["Solar", "Gas", "Hydro", "Wind", "Geothermal"], number)
    size = np.round(20 * np.exp(1.3 * rng.standard_normal(number)), 1)
    layer = Features()
    points = map(shapely.Point, _beside(rng, power, number, 400.0))
    for i, (point, fuel, mw) in enumerate(zip(points, fuels, size, strict=True), start=1):
        layer.add(point, name=block.name("Power Plant", i), fuel=str(fuel), capacity_mw=float(mw))
    return layer
