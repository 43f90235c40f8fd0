"""A whole synthetic world on disk: rasters, vectors, catalogue, and a page that says what it is."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, isfinite, isqrt
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geosite.crs import WGS84, transformed
from geosite.demo.block import AREA_KM2, BLOCK, Block, Drawn, Features
from geosite.demo.brine import drawn_brine
from geosite.demo.catalogue import write_catalogue
from geosite.demo.designations import drawn_designations
from geosite.demo.land import drawn_land, land
from geosite.demo.minerals import drawn_minerals
from geosite.demo.network import drawn_network, lines, towns
from geosite.demo.page import page
from geosite.demo.protection import drawn_protection
from geosite.demo.rasters import write_elevation, write_net_evaporation, write_water_rights
from geosite.demo.terrain import ORIGIN
from geosite.demo.vectors import DRAWN_IN, Gathered
from geosite.demo.water import drawn_waters, waters
from geosite.errors import CoverageError
from geosite.grid import Grid

if TYPE_CHECKING:
    from pathlib import Path

AOI = "Synthetic Basin"

_COUNTY = 45_000.0
_SMALLEST = 100


@dataclass(frozen=True, slots=True)
class World:
    """A synthetic world on disk.

    Parameters
    ----------
    folder : Path
        Holds everything.
    layers : Path
        Its catalogue.
    data : Path
        Its data root.
    aoi : str
        Name of its only state.
    cells : int
        Cells of the area of interest at the resolution it was made for.
    seed : int
        Two worlds of one seed agree wherever both are.
    """

    folder: Path
    layers: Path
    data: Path
    aoi: str
    cells: int
    seed: int


def make_world(
    folder: Path, *, cells: int = 1_000_000, resolution: float = 90.0, seed: int = 1
) -> World:
    """Draw a synthetic basin of any size and write it as a catalogue with its data.

    Everything is a function of the seed and of the place, block by block of
    100 km, so a larger world only adds land to a smaller one. Its layers reach
    to the edge of the last block, beyond the area of interest, as real ones do.

    Parameters
    ----------
    folder : Path
        Made if need be; files of an earlier world in it are replaced.
    cells : int
        Size of the area of interest, a square as near as can be.
    resolution : float
        Edge of a cell [m].
    seed : int
        Zero or more.

    Returns
    -------
    World

    Raises
    ------
    CoverageError
        If the size, the resolution or the seed makes no world.
    """
    aoi = _grid(cells, resolution, seed)
    world = World(folder, folder / "layers", folder / "data", AOI, aoi.cells, seed)
    world.data.mkdir(parents=True, exist_ok=True)
    write_elevation(world.data / "terrain/elevation.tif", aoi, seed)
    write_water_rights(world.data / "hydrography/water_rights.tif", aoi, seed)
    write_net_evaporation(world.data / "climate/net_evaporation.tif", aoi, seed)
    gathered = Gathered()
    gathered.add(_places(aoi))
    blocks = _blocks(aoi, seed)
    for block in blocks:
        gathered.add(drawn(block))
    gathered.write(world.data)
    write_catalogue(world.layers, seed=seed, coverage={"environment/wetlands": _western_part(aoi)})
    text = page(aoi.cells, resolution, seed, gathered.tally, len(blocks) * AREA_KM2)
    (folder / "README.md").write_text(text, encoding="utf-8")
    return world


def drawn(block: Block) -> Drawn:
    """Every vector layer of one block but the places of the area of interest."""
    places = towns(block)
    register = land(block, places)
    water = waters(block)
    return {
        **drawn_network(block, lines(block), places),
        **drawn_waters(block, water),
        **drawn_land(block, register),
        **drawn_minerals(block),
        **drawn_brine(block, water),
        **drawn_protection(block, register, places),
        **drawn_designations(block, register, places),
    }


def _grid(cells: int, resolution: float, seed: int) -> Grid:
    found = []
    if cells < _SMALLEST:
        found.append(f"cells: {cells} is too small a world; give {_SMALLEST} or more")
    if not (isfinite(resolution) and resolution > 0):
        found.append(
            f"resolution: {resolution} m is no cell size; give a positive number of metres"
        )
    if seed < 0:
        found.append(f"seed: {seed} is below zero; give 0 or more")
    if found:
        raise CoverageError("a synthetic world: " + "; ".join(found))
    columns = isqrt(cells)
    rows = ceil(cells / columns)
    left, bottom = round(ORIGIN[0] / resolution), round(ORIGIN[1] / resolution)
    return Grid(DRAWN_IN, resolution, left, -bottom - rows, (rows, columns))


def _blocks(aoi: Grid, seed: int) -> list[Block]:
    _, _, right, top = aoi.bounds
    # A corner rounded to the cell size must not call in another row of blocks.
    across = max(ceil((right - ORIGIN[0] - aoi.resolution) / BLOCK), 1)
    up = max(ceil((top - ORIGIN[1] - aoi.resolution) / BLOCK), 1)
    return [Block(seed, row, column) for row in range(up) for column in range(across)]


def _places(aoi: Grid) -> Drawn:
    """The state that fills the area of interest, and its counties."""
    left, bottom, right, top = aoi.bounds
    states, counties = Features(), Features()
    outline = shapely.segmentize(shapely.box(left, bottom, right, top), 20_000.0)
    states.add(outline, name=AOI, code="SB")
    across, up = (max(round(d / _COUNTY), 2) for d in (right - left, top - bottom))
    x, y = np.linspace(left, right, across + 1), np.linspace(bottom, top, up + 1)
    for j in range(up):
        for i in range(across):
            counties.add(
                shapely.box(x[i], y[j], x[i + 1], y[j + 1]),
                name=f"Demo County {j}.{i}",
                state="SB",
                fips=f"S{j:03d}{i:03d}",
            )
    return {"aoi/states": states, "aoi/counties": counties}


def _western_part(aoi: Grid) -> dict[str, str]:
    """A box over the western two thirds: the inventory of wetlands went no further."""
    left, bottom, right, top = aoi.bounds
    x = np.array([left, right, left, right, left + 0.67 * (right - left)])
    y = np.array([bottom, bottom, top, top, (bottom + top) / 2])
    lon, lat = transformed(x, y, DRAWN_IN, WGS84)
    edges = {
        "west": lon[:4].min() - 1.0,
        "south": lat.min() - 1.0,
        "east": lon[4],
        "north": lat.max() + 1.0,
    }
    return {"kind": "box", **{side: f"{value:.4f}" for side, value in edges.items()}}
