"""Protected areas, habitats and neighbours: land that rules speak about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from geosite.demo.block import BLOCK, Block, Drawn, Features
from geosite.demo.densities import COUNT_PER_1000_KM2, PROTECTED_SHARE
from geosite.demo.land import UNITS, Land
from geosite.demo.noise import Noise, hashed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geosite.demo.network import Town

_SHRUNK = {"wilderness": 1.14, "wilderness_study_areas": 1.21}
"""What is lost where an area's edge stays inside its units, made up in their number."""


def drawn_protection(block: Block, register: Land, places: list[Town]) -> Drawn:
    """Layers of protected land, species, air, hazards and neighbours."""
    return {
        **_areas(block, register),
        **_habitats(block, register),
        **_air(block, register, places),
        "society/receptors": _receptors(block, places),
        "environment/superfund": _superfund(block, places),
        "hydrography/water_stress": _stress(block),
        **_utilities(block, places),
    }


def _named(block: Block, title: str, parts: list[shapely.Geometry], **extra: str) -> Features:
    layer = Features()
    for i, part in enumerate(parts, start=1):
        layer.add(part, name=block.name(title, i), **extra)
    return layer


def _parts(units: NDArray[np.object_], inset: float) -> list[shapely.Geometry]:
    """Connected areas made of units, edges drawn in so that they follow no unit exactly."""
    if not len(units):
        return []
    area = shapely.buffer(shapely.union_all(units), -inset, join_style="mitre")
    return [p for p in shapely.get_parts(area) if p.area > 5e5]


def _highest(
    register: Land, owners: tuple[str, ...], share: float, factor: float
) -> NDArray[np.intp]:
    among = np.flatnonzero(np.isin(register.owner, owners))
    number = round(share * UNITS * factor)
    return np.asarray(among[np.argsort(-register.height[among], kind="stable")[:number]])


def _areas(block: Block, register: Land) -> Drawn:
    wild = _highest(register, ("USFS", "BLM"), PROTECTED_SHARE["wilderness"], _SHRUNK["wilderness"])
    blm = Land(
        register.units,
        np.where(np.isin(np.arange(UNITS), wild), "", register.owner),
        register.height,
        register.military,
        register.energy,
    )
    share = PROTECTED_SHARE["wilderness_study_areas"]
    study = _highest(blm, ("BLM",), share, _SHRUNK["wilderness_study_areas"])
    forest = _highest(blm, ("USFS",), 0.04, 1.0)
    parks = np.flatnonzero(register.owner == "NPS")
    parks = parks[: round(PROTECTED_SHARE["national_parks"] * UNITS)]
    low = np.flatnonzero(blm.owner == "BLM")
    low = low[np.argsort(register.height[low], kind="stable")]
    units = register.units
    monument = [] if not block.home and block.rng(30).random() < 0.6 else list(low[8:12])
    refuge = register.area_of("FWS")
    return {
        "environment/wilderness": _named(block, "Wilderness", _parts(units[wild], 250.0)),
        "environment/wilderness_study_areas": _named(
            block, "Study Area", _parts(units[study], 250.0)
        ),
        "environment/roadless": _named(block, "Roadless Area", _parts(units[forest], 100.0)),
        "environment/national_parks": _named(block, "National Park", _parts(units[parks], 0.0)),
        "environment/wildlife_refuges": _named(
            block, "Wildlife Refuge", [] if refuge.is_empty else [refuge]
        ),
        "environment/national_monuments": _named(
            block, "Monument", _parts(units[monument], 300.0) if monument else []
        ),
        "environment/acec": _named(
            block, "Critical Concern Area", _parts(units[low[14:17]], 900.0)
        ),
    }


def _habitats(block: Block, register: Land) -> Drawn:
    centre = shapely.get_coordinates(shapely.centroid(register.units))
    low = np.flatnonzero(np.isin(register.owner, ("BLM", "")))
    low = low[np.argsort(register.height[low], kind="stable")]
    tortoise = low[4 : 4 + round(PROTECTED_SHARE["desert_tortoise"] * UNITS * 1.4)]
    steppe = Noise(block.seed, 90, 22_000.0).at(*centre.T)
    open_land = np.flatnonzero(np.isin(register.owner, ("BLM", "USFS", "")))
    grouse = open_land[np.argsort(-steppe[open_land], kind="stable")[: UNITS // 14]]
    units = register.units
    desert = _parts(units[tortoise], 350.0)
    habitat = _named(
        block, "Tortoise Unit", desert, species="Desert tortoise (synthetic)", status="Final"
    )
    return {
        "environment/desert_tortoise": _named(block, "Tortoise Area", desert, status="CHU"),
        "environment/critical_habitat": habitat,
        "environment/sage_grouse": _named(
            block, "Sage-grouse Area", _parts(units[grouse], 150.0), category="PHMA"
        ),
    }


def _air(block: Block, register: Land, places: list[Town]) -> Drawn:
    """A smoky valley round the largest town, and the parks where the air must stay clear."""
    rng = block.rng(31)
    smoky = Features()
    if places and (block.home or rng.random() < 0.3):
        town = places[0]
        turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        away = 11_000.0 * (1 + 0.3 * rng.uniform(-1, 1, turn.shape))
        # To the north-east of the town, so that the first installation lies outside.
        middle = (town.x + 9_000.0, town.y + 14_000.0)
        rim = np.add(middle, np.column_stack([away * np.cos(turn), 1.4 * away * np.sin(turn)]))
        smoky.add(
            shapely.Polygon(rim),
            name=block.name("Air Basin"),
            pollutant="PM-10",
            classification="Moderate",
        )
    parks = _parts(register.units[register.owner == "NPS"], 500.0)
    return {
        "environment/nonattainment": smoky,
        "environment/class_one_air": _named(block, "Class I Area", parks[:1]),
    }


def _receptors(block: Block, places: list[Town]) -> Features:
    """Dwellings thick round towns, ranches far apart, a school and a hospital in each town."""
    rng = block.rng(32)
    layer = Features()
    left, bottom, right, top = block.bounds
    for x, y in rng.uniform((left, bottom), (right, top), (30, 2)):
        layer.add(
            shapely.Point(x, y), name=block.name("Ranch", len(layer.geometry) + 1), kind="dwelling"
        )
    for town in places:
        number = min(12 + town.population // 1_500, 150)
        spread = 500.0 + 9.0 * np.sqrt(town.population)
        xy = rng.normal((town.x, town.y), spread, (number, 2))
        kinds = ["school", "hospital"] + ["dwelling"] * (number - 2)
        for (x, y), kind in zip(xy, kinds, strict=True):
            layer.add(
                shapely.Point(x, y),
                name=block.name(kind.title(), len(layer.geometry) + 1),
                kind=kind,
            )
    return layer


def _superfund(block: Block, places: list[Town]) -> Features:
    rng = block.rng(33)
    number = int(rng.poisson(COUNT_PER_1000_KM2["superfund"] * BLOCK**2 / 1e9))
    layer = Features()
    for i in range(max(number, 1) if block.home else number):
        left, bottom, right, top = block.bounds
        x, y = rng.uniform(left, right), rng.uniform(bottom, top)
        if places:
            town = places[int(rng.integers(len(places)))]
            x, y = town.x + rng.normal(0, 3_000.0), town.y + rng.normal(0, 3_000.0)
        layer.add(shapely.Point(x, y), name=block.name("Cleanup Site", i + 1))
    return layer


STRESS = ("low", "low-medium", "medium-high", "high", "extremely-high")


def _stress(block: Block) -> Features:
    """Catchments: one basin wide, half a block long, each with a class of water stress."""
    layer = Features()
    _, bottom, _, _ = block.bounds
    first = block.basins.start
    for half in (0, 1):
        y = bottom + np.linspace(half, half + 1, 26) * BLOCK / 2
        x = block.terrain.x_at(np.arange(first, block.basins.stop + 1)[:, None], y)
        for k in block.basins:
            west, east = x[k - first], x[k - first + 1]
            ring = np.concatenate([np.column_stack([west, y]), np.column_stack([east, y])[::-1]])
            area = shapely.Polygon(ring)
            if not bool(block.holds(area.centroid.x, area.centroid.y)):
                continue
            draw = hashed(block.seed, 91, np.array([k]), np.array([2 * block.row + half]))[0]
            kind = STRESS[int(np.searchsorted([0.1, 0.3, 0.6, 0.85], draw))]
            layer.add(area, name=block.name("Catchment", len(layer.geometry) + 1), category=kind)
    return layer


def _utilities(block: Block, places: list[Town]) -> Drawn:
    """Water and wastewater works of the towns, at about 100 gallons a person and day."""
    rng = block.rng(34)
    water, waste = Features(), Features()
    for i, town in enumerate(places, start=1):
        mgd = round(town.population * 1e-4, 2)
        for layer, title in ((water, "Water System"), (waste, "Wastewater Plant")):
            x, y = rng.normal((town.x, town.y), 1_500.0)
            layer.add(
                shapely.Point(x, y),
                name=block.name(title, i),
                capacity_mgd=mgd,
                population=town.population,
            )
    return {"infrastructure/water_systems": water, "infrastructure/wastewater_plants": waste}
