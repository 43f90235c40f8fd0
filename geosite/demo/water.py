"""Rivers on the basin axes, their tributaries, lakes and playas in the lowest places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geosite.demo.block import AREA_KM2, BLOCK, Block, Drawn, Features
from geosite.demo.densities import PROTECTED_SHARE
from geosite.demo.noise import Noise, hashed
from geosite.demo.terrain import SPACING

if TYPE_CHECKING:
    from numpy.typing import NDArray

_STEP = 500.0
_PRESENT = 0.56
"""A basin has a river where a smooth noise is above this: it makes the measured length."""


@dataclass(frozen=True, slots=True)
class Waters:
    """Water of a block: rivers (main stems first), lakes, playas."""

    rivers: list[shapely.LineString]
    lakes: list[shapely.Polygon]
    playas: list[shapely.Polygon]


def waters(block: Block) -> Waters:
    """Rivers, lakes and playas of a block."""
    stems: list[shapely.LineString] = []
    starts: list[NDArray[np.float64]] = [np.empty((0, 2))]
    for k in block.basins:
        for y in _wet_reaches(block, k):
            stems.append(shapely.LineString(np.column_stack([_river_x(block, k, y), y])))
            starts.append(_springs(block, k, y))
    lakes, playas = _sinks(block)
    cut = block.clipped(stems) if stems else []
    return Waters(cut + _tributaries(block, np.concatenate(starts)), lakes, playas)


def _river_x(block: Block, k: int, y: NDArray[np.float64]) -> NDArray[np.float64]:
    meander = Noise(block.seed, 42, 5_000.0).at(np.full(y.shape, k * 1e6), y)
    return block.terrain.x_at(k + 0.5 + 0.012 * meander, y)


def _wet_reaches(block: Block, k: int) -> list[NDArray[np.float64]]:
    """Northings of each reach of a basin that has a river."""
    _, bottom, _, top = block.bounds
    y = np.arange(bottom, top + 1, _STEP)
    wet = Noise(block.seed, 41, 70_000.0).at(np.full(y.shape, k * 1e6), y) > _PRESENT
    if k == block.home_basin and block.row == 0:
        wet |= y < bottom + 30_000.0
    edges = np.flatnonzero(np.diff(np.concatenate([[False], wet, [False]]).astype(np.int8)))
    runs = zip(edges[::2], edges[1::2], strict=True)
    return [y[a:b] for a, b in runs if b - a > 4]


def _springs(block: Block, k: int, y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where streams begin that come down to a reach, from one side or the other, (n, 2)."""
    number = np.unique(np.floor(y / 14_000.0).astype(np.int64))
    side = np.where(hashed(block.seed, 43, np.full(number.shape, k), number) < 0.5, -1.0, 1.0)
    start_y = (number + hashed(block.seed, 44, np.full(number.shape, k), number)) * 14_000.0
    keep = (start_y >= y[0]) & (start_y <= y[-1])
    start_y, side = start_y[keep], side[keep]
    if not len(start_y):
        return np.empty((0, 2))
    start_x = block.terrain.x_at(k + 0.5 + 0.36 * side, start_y)
    inside = block.holds(start_x, start_y)
    return np.column_stack([start_x, start_y])[inside]


def _tributaries(block: Block, springs: NDArray[np.float64]) -> list[shapely.LineString]:
    """Streams from their springs down to the axis of the basin."""
    if not len(springs):
        return []
    path = _descent(block, springs[:, 0], springs[:, 1])
    across = block.terrain.u_at(path[..., 0], path[..., 1])
    away = np.abs(across - np.floor(across) - 0.5)
    found = []
    for points, off in zip(np.moveaxis(path, 1, 0), away.T, strict=True):
        arrived = np.flatnonzero(off < 0.015)
        if len(arrived):
            found.append(shapely.LineString(points[: arrived[0] + 1]))
    return found


def _descent(block: Block, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Paths down the slope, (steps, streams, 2), pushed on towards the axis where it is flat."""
    stride, reach = 250.0, 700.0
    path = [np.column_stack([x, y])]
    heading = np.zeros((len(x), 2))
    for _ in range(70):
        dx = [0.0, reach, -reach, 0.0, 0.0]
        dy = [0.0, 0.0, 0.0, reach, -reach]
        z = block.terrain.elevation_at(
            x[None] + np.array(dx)[:, None], y[None] + np.array(dy)[:, None]
        )
        u = block.terrain.u_at(x, y)
        inward = np.sign(np.floor(u) + 0.5 - u)
        fall = np.column_stack([z[2] - z[1], z[4] - z[3]]) / (2 * reach)
        fall[:, 0] += 0.03 * inward
        heading = 0.5 * heading + fall / np.maximum(np.hypot(*fall.T), 1e-9)[:, None]
        heading /= np.maximum(np.hypot(*heading.T), 1e-9)[:, None]
        x, y = x + stride * heading[:, 0], y + stride * heading[:, 1]
        path.append(np.column_stack([x, y]))
    return np.stack(path)


def _sinks(block: Block) -> tuple[list[shapely.Polygon], list[shapely.Polygon]]:
    """Lakes and playas where a basin floor is lowest along its axis."""
    _, bottom, _, top = block.bounds
    reach, step = 14_000.0, 1_000.0
    y = np.arange(bottom - reach, top + reach + 1, step)
    found: tuple[list[shapely.Polygon], list[shapely.Polygon]] = ([], [])
    for k in block.basins:
        x = block.terrain.x_at(np.full(y.shape, k + 0.5), y)
        z = block.terrain.floor_at(x, y)
        window = np.lib.stride_tricks.sliding_window_view(z, 2 * int(reach / step) + 1)
        inner = slice(int(reach / step), len(z) - int(reach / step))
        lowest = np.flatnonzero(z[inner] == window.min(axis=1)) + inner.start
        # No lake where a road and a railroad cross the basin.
        dry = np.abs(y - block.terrain.corridor_at(block.row, x)) > 9_000.0
        for at in lowest[block.holds(x[lowest], y[lowest]) & dry[lowest]]:
            number = round(float(y[at] / step))
            chance, size = hashed(block.seed, 45, np.array([k, k]), np.array([number, ~number]))
            kind = 0 if chance < 0.5 else 1
            found[kind].append(_sink(block, k, float(y[at]), 0.75 + 0.5 * float(size), kind))
    if block.home:
        for kind, part in ((0, 0.62), (1, 0.4)):
            if not found[kind]:
                found[kind].append(
                    _sink(block, block.home_basin + 1, bottom + part * BLOCK, 1.0, kind)
                )
    return found


def _sink(block: Block, k: int, y: float, scale: float, kind: int) -> shapely.Polygon:
    """An oval with an uneven rim, long in the basin's direction."""
    share = PROTECTED_SHARE["lakes" if kind == 0 else "playas"]
    # About one sink of a kind in a block, four times as long as wide.
    across = np.sqrt(share * AREA_KM2 * 1e6 / 1.15 / (4 * np.pi)) * scale
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    rim = 1 + 0.22 * Noise(block.seed, 46, 0.8).at(np.cos(turn) + 7 * k, np.sin(turn) + y / 1e4)
    north = y + 4 * across * rim * np.sin(turn)
    u = k + 0.5 + across * rim * np.cos(turn) / SPACING
    return shapely.Polygon(np.column_stack([block.terrain.x_at(u, north), north]))


def drawn_waters(block: Block, water: Waters) -> Drawn:
    """Water layers, and the layers that follow from them: floods, wetlands, water quality."""
    rng = block.rng(4)
    rivers, lakes, playas = Features(), Features(), Features()
    for i, line in enumerate(water.rivers, start=1):
        rivers.add(line, name=block.name("River", i))
    for i, area in enumerate(water.lakes, start=1):
        lakes.add(area, name=block.name("Lake", i), kind="Lake")
    for i, area in enumerate(water.playas, start=1):
        playas.add(area, name=block.name("Playa", i))
    scenic, impaired = Features(), Features()
    for i, line in enumerate(water.rivers, start=1):
        # The first block holds a wild river: a condition that selects nothing is an error.
        wild = block.home and i == len(water.rivers)
        if rng.random() < 0.1 or wild:
            kind = "wild" if wild else str(rng.choice(["wild", "scenic", "recreational"]))
            scenic.add(line, name=block.name("Scenic River", i), classification=kind)
        if rng.random() < 0.25 or (block.home and i == 1):
            impaired.add(line, name=block.name("River", i), cause="temperature")
    return {
        "hydrography/rivers": rivers,
        "hydrography/lakes": lakes,
        "hydrography/playas": playas,
        "environment/wild_scenic_rivers": scenic,
        "environment/impaired_waters": impaired,
        "environment/flood_zones": _floods(block, water),
        "environment/wetlands": _wetlands(rng, block, water),
    }


def _floods(block: Block, water: Waters) -> Features:
    """Floodway, 1 % and 0.2 % zones as rings round the rivers, as the map draws them."""
    layer = Features()
    if not water.rivers:
        return layer
    river = shapely.union_all(shapely.simplify(np.asarray(water.rivers, object), 60.0))
    reach = [shapely.buffer(river, d, quad_segs=2) for d in (120.0, 350.0, 700.0)]
    rings = (reach[0], reach[1].difference(reach[0]), reach[2].difference(reach[1]))
    names = (("AE", "FLOODWAY"), ("AE", ""), ("X", "0.2 PCT ANNUAL CHANCE FLOOD HAZARD"))
    for area, (zone, subtype) in zip(rings, names, strict=True):
        for part in shapely.get_parts(area):
            layer.add(
                part,
                name=block.name("Flood Zone", len(layer.geometry) + 1),
                zone=zone,
                subtype=subtype,
            )
    return layer


def _wetlands(rng: np.random.Generator, block: Block, water: Waters) -> Features:
    """Small wet meadows beside rivers, and the rims of lakes."""
    layer = Features()
    kinds = ("Freshwater Emergent Wetland", "Freshwater Forested/Shrub Wetland")
    for line in water.rivers:
        for at in np.arange(rng.uniform(500, 3_000), line.length, 3_500.0):
            point = line.interpolate(at)
            x, y = point.x + rng.normal(0, 300), point.y + rng.normal(0, 300)
            turn = np.linspace(0, 2 * np.pi, 14, endpoint=False)
            radius = rng.uniform(80, 350) * (1 + 0.3 * rng.uniform(-1, 1, turn.shape))
            rim = np.column_stack([x + radius * np.cos(turn), y + 1.5 * radius * np.sin(turn)])
            layer.add(
                shapely.Polygon(rim),
                name=block.name("Wetland", len(layer.geometry) + 1),
                kind=kinds[int(rng.integers(2))],
            )
    for lake in water.lakes:
        shore = lake.buffer(250.0, quad_segs=2).difference(lake)
        layer.add(shore, name=block.name("Wetland", len(layer.geometry) + 1), kind="Lake rim")
    return layer
