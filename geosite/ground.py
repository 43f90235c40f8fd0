"""What the evidence surface is worked out from: its ground, and every mineral record on it."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geosite import harmonise
from geosite.aoi import STATES
from geosite.coverage import covered_land
from geosite.evidence import Question
from geosite.grid import Grid
from geosite.model.prospectivity import Prospectivity
from geosite.needs import WATER
from geosite.occurrences import occurrences
from geosite.prospectivity import Ground, terrain
from geosite.rasters import raster_surface
from geosite.segments import Shapes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geosite.library import Library
    from geosite.model.scenario import Evidence
    from geosite.planning import Plan
    from geosite.sources import FileRecord


NEARLY_ALL = 2.5
"""Widths of the widest kernel within which all but a twentieth of it lies."""
ELEVATION = "terrain/elevation"
"""How the id of a raster of elevation begins."""


@dataclass(frozen=True, slots=True)
class Surveyed:
    """Ground of a plan, and what it was made from.

    Attributes
    ----------
    states : tuple of str
        Names by the number in ``ground.state``, counted from 1; 0 is no state.
    covariates : tuple of layer ids
        What the ground's covariates were made from.
    missing : tuple of str
        What the scenario names and was left out, each with the reason.
    water : bool
        Whether lakes were taken off the land.
    files : mapping of raster layer to its files
        Vector layers are said by the library.
    """

    ground: Ground
    states: tuple[str, ...]
    covariates: tuple[str, ...]
    missing: tuple[str, ...]
    water: bool
    files: dict[str, tuple[FileRecord, ...]]


def coarse_grid(plan: Plan, spec: Prospectivity) -> Grid:
    """The grid of the evidence surface: the AOI in cells of its own, in the plan's CRS."""
    return Grid.covering(
        plan.aoi.bounds, plan.grid.crs, resolution=spec.cell, origin=plan.scenario.grid.origin
    )


def surveyed(library: Library, spec: Prospectivity) -> Surveyed:
    """Land, states and covariates of a plan on the grid of its evidence surface.

    Land is all of the AOI but lakes, whosever it is. Of elevation the terrain is a covariate
    (see `prospectivity.terrain`), of another raster its values, of a vector layer the distance
    to its nearest feature [m], known up to the reach of the plan; NaN where a layer does not
    speak.

    Raises
    ------
    CoverageError
        If the AOI has no land on cells of this size.
    """
    plan = library.plan
    grid = coarse_grid(plan, spec)
    outline = gpd.GeoDataFrame(geometry=[plan.aoi], crs=grid.crs)
    land = harmonise.category(Shapes.of(outline, grid, "polygon"), grid) > 0
    water = _is_read(plan, WATER)
    if water:
        lakes = library.frame(WATER)
        land &= ~harmonise.presence(Shapes.of(lakes, grid, "polygon"), grid)
    state, names = _states(library, grid)
    covariates: dict[str, NDArray[np.float32]] = {}
    files = {}
    read = [i for i in spec.covariates if _is_read(plan, i)]
    heights = [i for i in read if i.startswith(ELEVATION)]
    for layer in read:
        if layer in heights[1:]:
            continue
        if plan.catalog[layer].geometry == "raster":
            surface, raster = raster_surface(plan, layer, grid)
            files[layer] = raster.files
            values = surface.values(grid)
            covariates |= terrain(values, spec.cell) if layer in heights else {layer: values}
        else:
            covariates[layer] = _distance(library, layer, grid)
    named = (*spec.records, *spec.covariates)
    missing = tuple(f"{i}: {_why(plan, i)}" for i in named if not _is_read(plan, i))
    ground = Ground(grid, land, state, covariates)
    return Surveyed(
        ground, names, tuple(i for i in read if i not in heights[1:]), missing, water, files
    )


def _is_read(plan: Plan, layer: str) -> bool:
    return layer in {u.layer for u in plan.uses if not u.missing}


def _why(plan: Plan, layer: str) -> str:
    return "is not to be had" if layer in plan.catalog else "the catalogue has no such layer"


def _states(library: Library, grid: Grid) -> tuple[NDArray[np.int16], tuple[str, ...]]:
    if not _is_read(library.plan, STATES):
        return np.ones(grid.shape, np.int16), ("",)
    frame = library.frame(STATES)
    shapes = Shapes.of(frame, grid, "polygon", merge=False)
    return harmonise.category(shapes, grid).astype(np.int16), tuple(frame["name"].astype(str))


def _distance(library: Library, layer: str, grid: Grid) -> NDArray[np.float32]:
    """Distance to the nearest feature: (y, x) [m], NaN where one may hide in land not covered."""
    from scipy.ndimage import distance_transform_edt  # noqa: PLC0415 -- slow to import

    plan = library.plan
    reach = plan.halo * plan.grid.resolution
    margin = ceil(reach / grid.resolution)
    wide = grid.grown(margin)
    inner = wide.window(grid)

    def metres(marked: NDArray[np.bool_]) -> NDArray[np.float32]:
        if not marked.any():
            return np.full(grid.shape, reach, np.float32)
        far = distance_transform_edt(~marked)[inner] * grid.resolution
        return np.asarray(np.minimum(far, reach), np.float32)

    kind = plan.catalog[layer].geometry
    if kind == "raster":
        raise TypeError(layer)
    near = metres(harmonise.origins(Shapes.of(library.frame(layer), grid, kind), wide))
    covered = covered_land(library, layer, wide.bounds)
    if covered is not None:
        silent = harmonise.category(Shapes.of(covered, grid, "polygon"), wide) == 0
        near[metres(silent) < near] = np.nan
    return near


def records(library: Library, spec: Evidence) -> pd.DataFrame:
    """Mineral records as far from the AOI as kernels reach: see `occurrences.occurrences`.

    The halo of a plan is that of its rules and criteria, which have nothing to do with kernels:
    where it is narrower, land near the edge of the AOI would look emptier than it is.

    ``commodities`` are all that a record names, and ``asked`` says whether one of them is
    asked for: the others tell how well a place was looked at.
    """
    plan = library.plan
    question = Question.of(plan.scenario.commodities, plan.rulebook.commodities)
    surface = spec.surface or Prospectivity()
    more = spec.surface.records if spec.surface else ()
    far = NEARLY_ALL * max(surface.widths)
    wide = shapely.box(*plan.aoi.bounds).buffer(far).bounds
    narrow = plan.halo * plan.grid.resolution < far

    def near(layer: str) -> gpd.GeoDataFrame:
        return library.around(layer, None, wide) if narrow else library.frame(layer)

    layers = [i for i in spec.layers if library.has(i)] + [i for i in more if _is_read(plan, i)]
    frames = ((plan.catalog[i], near(i)) for i in dict.fromkeys(layers))
    found = occurrences(frames, question, spec)
    return found.assign(commodities=found["commodities_all"])
