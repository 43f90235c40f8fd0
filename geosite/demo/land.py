"""Whose land it is: a register of units, each with one owner, and the installations cut from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geosite.demo.block import AREA_KM2, BLOCK, Block, Drawn, Features
from geosite.demo.densities import COUNT_PER_1000_KM2, INSTALLATION_KM2, OWNER_SHARE, RANGE_KM2
from geosite.demo.noise import Noise, hashed
from geosite.demo.terrain import FAULT, ORIGIN

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geosite.demo.network import Town

UNIT = 4_000.0
"""Mean edge of a unit of the register [m]."""

ACROSS = int(BLOCK / UNIT)
UNITS = ACROSS * ACROSS

_RANGE_KEPT = 0.9
"""Part of a test range that is left when it has gone round other land."""


@dataclass(frozen=True, slots=True)
class Installation:
    """A piece of DoD or DOE land."""

    area: shapely.Polygon
    active: bool
    over_refuge: bool = False


@dataclass(frozen=True, slots=True)
class Land:
    """The register of one block.

    Parameters
    ----------
    units : (units,) of polygons
        They tile the block and meet its neighbours without gap or overlap.
    owner : (units,) of str
        Owner code, '' for private land.
    height : (units,)
        Elevation at the centre [m].
    military, energy : tuple of Installation
        DoD and DOE land; cut out of every unit but a refuge's.
    """

    units: NDArray[np.object_]
    owner: NDArray[np.str_]
    height: NDArray[np.float64]
    military: tuple[Installation, ...]
    energy: tuple[Installation, ...]

    def area_of(self, code: str) -> BaseGeometry:
        """Land of an owner as one geometry, installations cut out."""
        whole = shapely.union_all(self.units[self.owner == code])
        cut = [i.area for i in (*self.military, *self.energy)]
        if code == "FWS":
            cut = [i.area for i in (*self.military, *self.energy) if not i.over_refuge]
        return whole.difference(shapely.union_all(cut)) if cut else whole


def land(block: Block, places: list[Town]) -> Land:
    """Owners of the block's units, in their measured shares."""
    units = _units(block)
    centre = shapely.get_coordinates(shapely.centroid(units))
    height = block.terrain.elevation_at(centre[:, 0], centre[:, 1], detail=False)
    owner = np.full(UNITS, "", dtype="<U6")
    rng = block.rng(10)
    for code, place in (("TRIBAL", (0.74, 0.8)), ("NPS", (0.7, 0.33)), ("FWS", (0.42, 0.5))):
        seat = np.array(place if block.home else rng.uniform(0.1, 0.9, 2)) * BLOCK
        near = -np.hypot(*(centre - np.array(block.bounds[:2]) - seat).T) / 10_000.0
        lumpy = near + 0.5 * Noise(block.seed, 70, 9_000.0).at(*centre.T)
        _take(owner, lumpy, OWNER_SHARE[code], code, rng)
    wide = Noise(block.seed, 71, 35_000.0).at(*centre.T)
    _take(owner, height + 250.0 * wide, OWNER_SHARE["USFS"], "USFS", rng)
    people = np.array([(t.x, t.y) for t in places]).reshape(-1, 2)
    empty = _distance(centre, people)
    bench = 0.9 * Noise(block.seed, 72, 24_000.0).at(*centre.T) + np.minimum(empty, 15e3) / 25e3
    if block.home:
        # The range fronts of the world's corner, where its first districts are, are public land.
        away = np.abs(block.terrain.u_at(*centre.T) - block.home_basin - 0.5)
        front = (np.abs(away - FAULT) < 0.13) & (centre[:, 1] < ORIGIN[1] + 16_000.0)
        bench += np.where(front, 3.0, 0.0)
    _take(owner, bench, OWNER_SHARE["BLM"], "BLM", rng)
    military, energy = _installations(block, units, owner)
    return Land(units, owner, height, military, energy)


def _distance(points: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    if not len(others):
        return np.full(len(points), np.inf)
    away = points[:, None, :] - others[None, :, :]
    return np.asarray(np.hypot(away[..., 0], away[..., 1]).min(axis=1))


def _take(
    owner: NDArray[np.str_],
    score: NDArray[np.float64],
    share: float,
    code: str,
    rng: np.random.Generator,
) -> None:
    """Give the free units with the highest score to an owner, up to its share of the block."""
    number = int(np.floor(share * UNITS + rng.random()))
    free = np.flatnonzero(owner == "")
    owner[free[np.argsort(-score[free], kind="stable")[:number]]] = code


def _units(block: Block) -> NDArray[np.object_]:
    """Four-sided units on a jittered lattice, (units,)."""
    i = np.arange(block.column * ACROSS, (block.column + 1) * ACROSS + 1)[None, :]
    j = np.arange(block.row * ACROSS, (block.row + 1) * ACROSS + 1)[:, None]
    dx = (hashed(block.seed, 73, i, j) - 0.5) * 0.5 * UNIT
    dy = (hashed(block.seed, 74, i, j) - 0.5) * 0.5 * UNIT
    # On the world's own edges a corner may only lie outside: no strip is left without a unit.
    dx, dy = np.where(i == 0, -np.abs(dx), dx), np.where(j == 0, -np.abs(dy), dy)
    x, y = np.rint(ORIGIN[0] + i * UNIT + dx), np.rint(ORIGIN[1] + j * UNIT + dy)
    nodes = np.stack([x, y], axis=-1)
    corners = (nodes[:-1, :-1], nodes[:-1, 1:], nodes[1:, 1:], nodes[1:, :-1], nodes[:-1, :-1])
    rings = np.stack(corners, axis=2).reshape(UNITS, 5, 2)
    return np.asarray(shapely.polygons(rings), object)


def _installations(
    block: Block, units: NDArray[np.object_], owner: NDArray[np.str_]
) -> tuple[tuple[Installation, ...], tuple[Installation, ...]]:
    rng = block.rng(11)
    sizes = _sizes(block, rng)
    taken = shapely.union_all(units[np.isin(owner, ["TRIBAL", "NPS", "FWS"])])
    refuge = shapely.union_all(units[owner == "FWS"])
    found: list[Installation] = []
    for number, km2 in enumerate(sizes):
        over = block.home and number == 1
        area = _placed(block, rng, km2, taken, number, refuge if over else None)
        if area is not None:
            taken = shapely.union(taken, area.buffer(1_500.0))
            found.append(
                Installation(
                    area, active=number == 0 or bool(rng.random() < 0.75), over_refuge=over
                )
            )
    energy_km2 = 6.0 if block.home else OWNER_SHARE["DOE"] * AREA_KM2 / 0.2
    energy: list[Installation] = []
    if block.home or rng.random() < 0.2:
        area = _placed(block, rng, energy_km2, taken, 9, None)
        energy = [] if area is None else [Installation(area, active=True)]
    return tuple(found), tuple(energy)


def _sizes(block: Block, rng: np.random.Generator) -> list[float]:
    """Areas of the block's installations [km²], in the measured distribution."""
    number = int(rng.poisson(COUNT_PER_1000_KM2["installations"] * AREA_KM2 / 1000))
    at, km2 = np.array(INSTALLATION_KM2).T
    sizes = np.exp(np.interp(rng.random(number), at, np.log(km2)))
    # Ordinary installations make about 0.25 % of the land; test ranges make up the rest.
    ranges = (OWNER_SHARE["DOD"] - 0.0025) * AREA_KM2 / (_RANGE_KEPT * RANGE_KM2)
    large = rng.random(number) < ranges / (COUNT_PER_1000_KM2["installations"] * AREA_KM2 / 1000)
    if block.home:
        return [14.0, 30.0, 70.0, *(min(float(s), 40.0) for s in sizes[:3])]
    return sorted(np.where(large, RANGE_KM2, sizes).tolist(), reverse=True)


def _placed(
    block: Block,
    rng: np.random.Generator,
    km2: float,
    taken: BaseGeometry,
    number: int,
    refuge: BaseGeometry | None,
) -> shapely.Polygon | None:
    """An L-shaped tract on the flattest of some places, clear of taken land; None if there is none.

    The first tract of the first block lies near the world's corner, and the second
    reaches into the refuge on purpose: real maps hold such conflicts.
    """
    left, bottom, right, top = block.bounds
    width = np.sqrt(km2 * 1e6 / 0.88) * rng.uniform(0.8, 1.25)
    height = km2 * 1e6 / 0.88 / width
    margin = max(width, height) / 2 + 2_000.0
    x = rng.uniform(left + margin, right - margin, 60)
    y = rng.uniform(bottom + margin, top - margin, 60)
    if block.home and number == 0:
        x, y = left + rng.uniform(4e3, 14e3, 60), bottom + rng.uniform(4e3, 14e3, 60)
    if refuge is not None:
        west, _, _, _ = refuge.bounds
        x, y = np.full(60, west + 0.1 * width), np.full(60, refuge.centroid.y)
    east, north = rng.choice([-1, 1], 2)
    rough = block.terrain.elevation_at(x, y, detail=False) - block.terrain.floor_at(x, y)
    for at in np.argsort(rough, kind="stable"):
        area = _tract(float(x[at]), float(y[at]), width * east, height * north)
        if refuge is not None or not shapely.intersects(area, taken):
            return area
    if km2 < RANGE_KM2:
        return None
    # A test range is too large to find a clear place: it goes round what is there.
    rest = np.asarray(shapely.get_parts(area.difference(taken.buffer(500.0))), object)
    largest: shapely.Polygon = rest[int(np.argmax(shapely.area(rest)))]
    return largest


def _tract(x: float, y: float, width: float, height: float) -> shapely.Polygon:
    """A rectangle without a corner, as land described by sections is."""
    a, b = width / 2, height / 2
    ring = [(-a, -b), (a, -b), (a, 0.4 * b), (0.4 * a, 0.4 * b), (0.4 * a, b), (-a, b)]
    return shapely.Polygon([(round(x + dx), round(y + dy)) for dx, dy in ring])


_OWNER_NAMES = {
    "TRIBAL": "Reservation",
    "NPS": "Park Lands",
    "FWS": "Refuge Lands",
    "USFS": "National Forest",
    "BLM": "Field Office",
}


def drawn_land(block: Block, register: Land) -> Drawn:
    """Land layers, one multipolygon an owner and block, and the points of active sites."""
    found: Drawn = {}
    for code, title in _OWNER_NAMES.items():
        layer = found.setdefault(f"land/{code.lower()}", Features())
        area = register.area_of(code)
        if not area.is_empty:
            layer.add(area, name=block.name(title), unit=block.name("District"))
    military, sites, energy = Features(), Features(), Features()
    rng = block.rng(12)
    components = ["Army Active", "Navy Active", "AF Active", "Army Guard", "MC Active"]
    for i, installation in enumerate(register.military, start=1):
        name, component = block.name("Installation", i), str(rng.choice(components))
        military.add(installation.area, name=name, unit=component)
        middle = installation.area.representative_point()
        status = "active" if installation.active else "inactive"
        sites.add(middle, name=name, component=component, status=status)
    for i, installation in enumerate(register.energy, start=1):
        energy.add(installation.area, name=block.name("Energy Site", i), unit="DOE")
    found |= {"land/dod": military, "land/dod_active_sites": sites, "land/doe": energy}
    return found
