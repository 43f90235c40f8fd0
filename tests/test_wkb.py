"""Shapes with broken rings cost what is broken, and no more."""

import json
import struct

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geosite.crs import WGS84
from geosite.errors import LayerDataError
from geosite.sources.pages import table, written
from geosite.sources.wkb import geometries

SQUARE = [[0, 0], [0, 10], [10, 10], [10, 0], [0, 0]]


def polygon(*rings, order="<", code=3):
    start = struct.pack(f"{order}BII", order == "<", code, len(rings))
    dimensions = 3 if code > 3 else 2
    return start + b"".join(
        struct.pack(f"{order}I{len(r) * dimensions}d", len(r), *np.ravel(r)) for r in rings
    )


def several(code, *parts):
    return struct.pack("<BII", 1, code, len(parts)) + b"".join(parts)


def line(*points):
    return struct.pack(f"<BII{len(points) * 2}d", 1, 2, len(points), *np.ravel(points))


def made(*wkb):
    return geometries(np.array([*wkb], object))


def test_what_is_sound_is_as_it_was():
    shapes = [shapely.Point(1, 2), None, shapely.box(0, 0, 1, 1), shapely.MultiPoint([(1, 2)])]
    assert made(*shapely.to_wkb(np.array(shapes, object))).tolist() == shapes


@pytest.mark.parametrize("order", ["<", ">"])
def test_an_open_ring_is_closed(order):
    (found,) = made(polygon(SQUARE[:-1], order=order))
    assert found.equals(shapely.box(0, 0, 10, 10))


@pytest.mark.parametrize("ring", [[], [[1, 1]], [[1, 1], [2, 2]]])
def test_a_ring_that_encloses_nothing_is_left_out_of_its_feature(ring):
    hole = [[2, 2], [2, 3], [3, 3], [2, 2]]
    whole = several(6, polygon(SQUARE, hole, ring), polygon(ring), polygon(ring, hole))
    (found,) = made(whole)
    assert found.area == 100 - 0.5


def test_a_feature_of_nothing_else_has_no_geometry():
    assert made(polygon([[1, 1]]), line((1, 1))).tolist() == [None, None]


def test_a_line_of_one_point_is_left_out():
    (found,) = made(several(5, line((0, 0), (3, 4)), line((1, 1)), line((0, 0), (0, 1))))
    assert found.geom_type == "MultiLineString"
    assert found.length == 6


def test_heights_do_not_matter():
    flat = np.column_stack([np.array(SQUARE[:-1], float), np.full(4, 7.0)])
    for code in (1003, 0x80000003):
        (found,) = made(polygon(flat, code=code))
        assert found.area == 100


def test_what_is_no_shape_at_all_is_said():
    with pytest.raises(shapely.GEOSException):
        made(polygon(SQUARE)[:40])


def test_one_broken_ring_does_not_cost_a_layer(tmp_path):
    features = [
        {"attributes": {"OBJECTID": k}, "geometry": {"rings": rings}}
        for k, rings in enumerate([[SQUARE], [SQUARE, [[50, 50]]], [SQUARE[:-1]], [[[1, 1]]]])
    ]
    page = {
        "geometryType": "esriGeometryPolygon", "spatialReference": {"wkid": 4326},
        "fields": [{"name": "OBJECTID", "type": "esriFieldTypeOID"}], "features": features,
    }  # fmt: skip
    path = tmp_path / "layer.parquet"
    assert written([table(json.dumps(page).encode(), "a page")], path, WGS84) == 4
    frame = gpd.read_parquet(path)
    assert shapely.area(frame.geometry.to_numpy()[:3]).tolist() == [100, 100, 100]
    assert frame.geometry.isna().tolist() == [False, False, False, True]


def test_a_page_with_a_shape_that_is_none_is_refused_in_words(tmp_path):
    page = table(
        json.dumps({
            "geometryType": "esriGeometryPoint", "spatialReference": {"wkid": 4326},
            "fields": [{"name": "A", "type": "esriFieldTypeString"}],
            "features": [{"attributes": {"A": "x"}, "geometry": {"x": 1, "y": 2}}],
        }).encode(),
        "a page",
    )  # fmt: skip
    at = page.column_names.index("geometry")
    wrong = page.set_column(at, "geometry", [[b"nothing"]])
    with pytest.raises(LayerDataError, match="a shape that came is none"):
        written([wrong], tmp_path / "layer.parquet", WGS84)
