"""What tiles share; and `toyinputs`, which makes it from drawn layers for the other tests."""

from types import SimpleNamespace
from typing import get_args

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely

from geosite import constraints
from geosite.harmonise import RasterSurface
from geosite.inputs import (
    Amendment,
    Chosen,
    DepositPoints,
    LayerKey,
    Local,
    Part,
    Points,
    TileInputs,
    Zones,
)
from geosite.localities import area_shapes
from geosite.model import Criterion, Scenario
from geosite.model.scenario import EvidenceClass
from geosite.resolution import lifted_by
from geosite.segments import Shapes
from tests.toyworld import ALBERS, squares, toygrid

CLASS_WEIGHTS = dict.fromkeys(get_args(EvidenceClass), 0) | {
    "reserve": 1,
    "resource": 0.9,
    "prospect": 0.4,
    "occurrence": 0.2,
}
QUALITY_WEIGHTS = {"A": 1, "B": 0.9, "C": 0.6, "D": 0.3, "E": 0.1}


def criterion(name, measure, value, layer=None, **other):
    """A criterion of weight 1; a measure without parameters may be only its kind."""
    written = {
        "id": name,
        "title": name.capitalize(),
        "weight": 1,
        "basis": "for a test only",
        "layer": layer,
        "measure": {"kind": measure} if isinstance(measure, str) else measure,
        "value": value,
    }
    return Criterion.model_validate(written | other)


def rising(worst, best):
    return {"kind": "increasing", "worst": worst, "best": best}


def falling(best, worst):
    return {"kind": "decreasing", "best": best, "worst": worst}


def scenario(*criteria, **changes):
    """A scenario of patches above zero, where what is not known is unknown."""
    open_land = criterion("open", {"kind": "open_land", "radius": "100 m"}, rising("0 ha", "5 ha"))
    written = {
        "name": "toy",
        "title": "a toy",
        "project": "mine",
        "aoi": "everywhere",
        "grid": {"crs": "EPSG:5070", "resolution": "100 m"},
        "land": {"layers": ["land/blm"], "offered": ["BLM"]},
        "rules": [],
        "criteria": criteria or (open_land,),
        "combination": {"kind": "weighted_sum"},
        "missing": "unknown",
        "sites": {"unit": "patch", "threshold": "0", "min_area": "1 ha"},
        "tiers": {"a": 0.7, "b": 0.4},
    }
    return Scenario.model_validate(written | changes)


def evidence_section(**changes):
    written = {
        "layers": ["minerals/mrds"],
        "reach": "250 m",
        "kernel": "300 m",
        "class_weights": CLASS_WEIGHTS,
        "quality_weights": QUALITY_WEIGHTS,
        "basis": "for a test only",
    }
    return written | changes


def features(shapes):
    """Features without attributes, on the toy worlds' CRS."""
    return gpd.GeoDataFrame(geometry=list(shapes), crs=ALBERS)


def whole(grid):
    """One polygon over all of a grid."""
    return features([shapely.box(*grid.bounds)])


def raster(path, values, grid, *, nodata=-9999.0):
    """A raster whose cells are the grid's."""
    values = np.asarray(values, np.float32)
    profile = {"driver": "GTiff", "count": 1, "dtype": "float32", "nodata": nodata}
    profile |= {"height": grid.shape[0], "width": grid.shape[1]}
    with rasterio.open(path, "w", crs=grid.crs, transform=grid.transform, **profile) as file:
        file.write(np.where(np.isnan(values), nodata, values).astype(np.float32), 1)
    return RasterSurface(path, grid.crs, grid.transform, grid.shape, nodata, 1)


def _kind(frame):
    types = {"Point": "point", "LineString": "line"}
    return types.get(frame.geom_type.iloc[0], "polygon") if len(frame) else "polygon"


def toyinputs(grid, *, layers=None, parcels=None, offered=None, **more):
    """What tiles share, from drawn layers.

    layers and coverage: layer → features; rasters: layer → surface; categories:
    layer → column; points: (layer, field or "") → features; deposits: (x, y, weight,
    accepted) each, strongest first; unread: layers that are not to be had; parts, local and
    amendments: rule id → (features, metres[, sure]), (area or None, metres[, sure]),
    (area, effect).
    """
    layers, rasters = dict(layers or {}), dict(more.get("rasters", {}))
    parcels = whole(grid) if parcels is None else parcels
    count = len(parcels)
    asked = more.get("scenario") or scenario(*more.get("criteria", ()))
    rules = tuple(more.get("rules", ()))
    vectors: dict[LayerKey, Shapes] = {
        (name, None): Shapes.of(frame, grid, _kind(frame)) for name, frame in layers.items()
    }
    zones = {}
    for name, column in more.get("categories", {}).items():
        shapes = Shapes.of(layers[name], grid, "polygon", merge=False)
        zones[name, None] = Zones(shapes, tuple(layers[name][column]))
    points = {}
    for (name, field), frame in more.get("points", {}).items():
        xy = Shapes.of(frame, grid, "point").edges[:, :2]
        amounts = frame[field].to_numpy(np.int64) if field else np.ones(len(frame), np.int64)
        points[name, None, field] = Points(xy, amounts)
    deposits = more.get("deposits")
    if deposits is not None:
        table = np.array(deposits, float).reshape(-1, 4)
        xy = grid.subcells(table[:, :2])
        deposits = DepositPoints(xy, table[:, 2].copy(), table[:, 3] > 0)
    unread = more.get("unread", ())
    treatments = tuple(r.treatment(asked.project) for r in rules)
    return TileInputs(
        scenario=asked,
        rules=rules,
        treatments=treatments,
        lifts=lifted_by(rules, treatments),
        criteria=tuple(
            Chosen(c, None if c.layer in unread and c.layer else c)
            for c in (asked.criteria if more.get("scored", True) else ())
        ),
        aoi=Shapes.of(more.get("aoi", whole(grid)), grid, "polygon"),
        parcels=Shapes.of(parcels, grid, "polygon", merge=False),
        offered=np.array([False, *([True] * count if offered is None else offered)]),
        vectors=vectors,
        rasters=rasters,
        zones=zones,
        points=points,
        coverage={
            name: Shapes.of(frame, grid, "polygon")
            for name, frame in more.get("coverage", {}).items()
        },
        silent=frozenset(more.get("silent", ())),
        deposits=deposits,
        parts={
            i: tuple(Part(Shapes.of(f, grid, _kind(f)), *rest) for f, *rest in some)
            for i, some in more.get("parts", {}).items()
        },
        local={
            i: tuple(Local(None if a is None else area_shapes(a, grid), *more) for a, *more in some)
            for i, some in more.get("local", {}).items()
        },
        amendments={
            i: tuple(Amendment(area_shapes(a, grid), effect) for a, effect in some)
            for i, some in more.get("amendments", {}).items()
        },
    )


def toyplan(inputs, grid):
    """The part of a plan that candidates are made from."""
    return SimpleNamespace(
        scenario=inputs.scenario, grid=grid, rules=inputs.rules, criteria=inputs.criteria
    )


def test_a_criterion_without_a_layer_reads_nothing():
    one = criterion("open", {"kind": "open_land", "radius": "1 km"}, rising("0 ha", "9 ha"))
    assert Chosen(one, one).key == ("", None)
    assert Chosen(one, None).key == ("", None)


def test_the_key_of_a_criterion_is_that_of_the_reading_that_is_used():
    stand_in = {"layer": "x/other", "where": "kv > 100", "measure": {"kind": "distance"}}
    stand_in["value"] = falling("0 m", "1 km")
    one = criterion("rail", "distance", stand_in["value"], "x/rail", stand_ins=[stand_in])
    assert Chosen(one, one).key == ("x/rail", None)
    assert Chosen(one, one.stand_ins[0]).key == ("x/other", "kv > 100")
    assert Chosen(one, None).key == ("", None)


def test_inputs_are_frozen():
    inputs = toyinputs(toygrid(2, 2))
    with pytest.raises(AttributeError):
        inputs.silent = frozenset({"x/a"})


def test_parcels_are_counted_from_one_and_nobody_offers_land_without_one():
    parcels = squares("a b b", {"b": {}, "a": {}})
    inputs = toyinputs(toygrid(1, 3), parcels=parcels)
    assert inputs.offered.tolist() == [False, True, True]
    assert len(inputs.parcels.starts) - 1 == 2


def test_names_of_the_states_go_with_their_numbers():
    assert constraints.STATUS_NAMES[constraints.CLEAR] == "clear"
    assert len(constraints.STATUS_NAMES) == constraints.CLEAR + 1
