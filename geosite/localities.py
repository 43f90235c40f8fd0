"""Land on which a county, a state or another area asks something else than a rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import shapely

from geosite.attributes import attribute
from geosite.coverage import covered_land
from geosite.errors import CoverageError, faults
from geosite.inputs import Local
from geosite.needs import local_layer
from geosite.segments import Shapes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shapely.geometry.base import BaseGeometry

    from geosite.grid import Grid
    from geosite.library import Library
    from geosite.model.rule import LocalRule


@dataclass(frozen=True, slots=True)
class Locality:
    """Land near the AOI on which a rule has another setback [m]; None: there it does not hold."""

    land: BaseGeometry | None
    """In the grid's CRS; None: nobody can tell where it is."""
    metres: float | None
    sure: bool = True
    """False: whether it holds on this land cannot be told."""


def localities(library: Library) -> dict[str, tuple[Locality, ...]]:
    """Land of the local rules of a plan by rule id, in order of precedence.

    What lies nowhere near the AOI is left out.

    Raises
    ------
    CoverageError
        If no county has a FIPS code that a local rule names.
    CatalogError
        If the layer of counties has no field ``fips``.
    """
    plan, atlas = library.plan, _Counties(library)
    asked = {r.id for r in plan.rules}
    out = {}
    for rule, entries in sorted(plan.local.items()):
        if rule not in asked:
            continue
        found = [part for e in entries for part in _parts(e, library, atlas)]
        near = tuple(e for e in found if e.land is None or not e.land.is_empty)
        if near:
            out[rule] = near
    atlas.refuse_unknown()
    return out


def local_shapes(
    found: Mapping[str, tuple[Locality, ...]], grid: Grid
) -> dict[str, tuple[Local, ...]]:
    """The same on the grid: cells whose centre lies in the land are in it."""
    return {
        rule: tuple(
            Local(None if e.land is None else area_shapes(e.land, grid), e.metres, e.sure)
            for e in entries
        )
        for rule, entries in found.items()
    }


def area_shapes(area: BaseGeometry, grid: Grid) -> Shapes:
    """Land of one piece as one feature, to be asked for the cells whose centre it holds."""
    return Shapes.of(gpd.GeoDataFrame(geometry=[area], crs=grid.crs), grid, "polygon", merge=False)


def _parts(entry: LocalRule, library: Library, counties: _Counties) -> tuple[Locality, ...]:
    # Where it holds, and where nobody can tell because the layer says nothing of that land.
    land = _land(entry, library, counties)
    sure = Locality(land, entry.setback)
    if land is None:
        return (sure,)
    plan = library.plan
    layer = local_layer(entry, plan.scenario)
    bounds = plan.grid.grown(plan.halo + 1).bounds
    told = land
    if plan.catalog[layer].absence == "informative":
        covered = covered_land(library, layer, bounds)
        if covered is None:
            return (sure,)
        shapes = shapely.make_valid(covered.geometry.to_numpy())
        told = shapely.union_all([land, *shapes])
    doubt = shapely.box(*bounds).difference(told)
    return sure, Locality(doubt, entry.setback, sure=False)


def _land(entry: LocalRule, library: Library, counties: _Counties) -> BaseGeometry | None:
    layer = local_layer(entry, library.plan.scenario)
    if not library.has(layer):
        return None
    if entry.inside:
        frame = library.frame(layer, entry.where)
    else:
        frame = counties.called(layer, entry.counties, entry.rule)
    return shapely.union_all(frame.geometry.to_numpy())


class _Counties:
    """Counties by their codes; codes that none near the AOI has are looked up at the end."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._elsewhere: dict[tuple[str, str], str] = {}

    def called(self, layer: str, codes: tuple[str, ...], rule: str) -> gpd.GeoDataFrame:
        """Counties near the AOI that have one of some codes."""
        frame = self._library.frame(layer)
        there = self._codes(frame, layer)
        for code in sorted({*codes} - {*there}):
            self._elsewhere.setdefault((layer, code), rule)
        return frame[[c in codes for c in there]]

    def refuse_unknown(self) -> None:
        """Raise if a code is no county's; of counties that were fetched in part nobody knows."""
        found = []
        for layer in sorted({layer for layer, _ in self._elsewhere}):
            if self._library.boxes(layer):
                continue
            every = {*self._codes(self._library.whole(layer).frame, layer)}
            found += [
                f"{code} (rule {rule}): layer {layer} has no county of this FIPS code"
                for (where, code), rule in sorted(self._elsewhere.items())
                if where == layer and code not in every
            ]
        if found:
            fix = "write the five digits of state and county, as in 32013"
            raise CoverageError(
                faults("local rules name counties that are not there:", [*found, fix])
            )

    def _codes(self, frame: gpd.GeoDataFrame, layer: str) -> list[str]:
        entry = self._library.plan.catalog[layer]
        said = attribute(frame, "fips", entry, "land.counties").astype("string").fillna("")
        # A table may have made numbers of codes.
        return said.str.removesuffix(".0").str.zfill(5).tolist()
