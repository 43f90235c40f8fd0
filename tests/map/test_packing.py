"""Packed columns are unpacked to what they were; outlines fit the room they are given."""

import geopandas as gpd
import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geosite.map.packing import STEP, packed_outlines, packed_words
from tests.browser.toycontent import ALBERS, at, block, wavy

SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def unpacked(text, point):
    """Polygons of rings of corners in degrees: the reader of columns.js once more."""
    start = np.rint(np.asarray(point) / STEP).astype(int)
    found = []
    for part in filter(None, text.split(";")):
        rings = []
        for ring in part.split(","):
            numbers, value, shift = [], 0, 0
            for sign in ring:
                bits = SIGNS.index(sign)
                value |= (bits & 31) << shift
                shift += 5
                if bits < 32:
                    numbers.append(-(value >> 1) - 1 if value & 1 else value >> 1)
                    value = shift = 0
            corners = start + np.cumsum(np.reshape(numbers, (-1, 2)), axis=0)
            start = corners[-1]
            rings.append(corners * STEP)
        found.append(rings)
    return found


def degrees(shapes):
    frame = gpd.GeoDataFrame(geometry=list(shapes), crs=ALBERS)
    points = frame.representative_point().to_crs(4326)
    return frame, np.round(np.column_stack([points.x, points.y]), 5)


def test_an_outline_with_holes_and_parts_comes_back():
    ring = block(2, 2, 8, 8).difference(block(3, 3, 5, 5)).difference(block(6, 6, 7, 7))
    frame, points = degrees([ring.union(block(20, 20, 21, 22)), block(30, 3, 31, 4)])
    packed = packed_outlines(frame, points, 1.0, 1e6)
    assert (packed.simplified, packed.undrawn) == (0, 0)
    there = frame.to_crs(4326).geometry
    for text, point, shape in zip(packed.texts, points, there, strict=True):
        polygons = [shapely.Polygon(r[0], r[1:]) for r in unpacked(text, point)]
        again = shapely.MultiPolygon(polygons)
        assert again.hausdorff_distance(shape) < 2 * STEP
        assert len(polygons) == len(shapely.get_parts(shape))


@given(st.lists(st.lists(st.sampled_from(["gold", "tin", "", "]\"'"]), max_size=3), max_size=6))
def test_words_come_back(rows):
    packed = packed_words(rows)
    assert [[packed["words"][k] for k in row] for row in packed["at"]] == rows
    assert len(set(packed["words"])) == len(packed["words"])


def test_the_best_keep_their_shape_when_room_is_short():
    shapes = [wavy(5 + 0.05 * k, 10 + 0.05 * k, 2) for k in range(300)]
    frame, points = degrees(shapes)
    whole = packed_outlines(frame, points, 20.0, 1e6)
    size = sum(map(len, whole.texts))
    short = packed_outlines(frame, points, 20.0, 0.6 * size)
    assert short.simplified == 200
    assert short.texts[:100] == whole.texts[:100]
    assert sum(map(len, short.texts)) <= 0.6 * size


def test_without_room_the_lowest_ranks_have_no_outline():
    frame, points = degrees([block(k, 2, k + 0.5, 3) for k in range(300)])
    packed = packed_outlines(frame, points, 1.0, 2000)
    drawn = [bool(t) for t in packed.texts]
    assert 0 < sum(drawn) == 300 - packed.undrawn < 300
    assert drawn == sorted(drawn, reverse=True)
    assert packed_outlines(frame, points, 1.0, -5).undrawn == 300


def test_what_has_no_outline_is_empty():
    frame, points = degrees([block(2, 2, 3, 3)])
    frame.loc[0, "geometry"] = shapely.Polygon()
    assert packed_outlines(frame, points, 1.0, 1e6).texts == [""]
    assert packed_outlines(frame.iloc[:0], points[:0], 1.0, 1e6).texts == []
    lines = gpd.GeoDataFrame(geometry=[shapely.LineString([at(1, 1), at(2, 2)])], crs=ALBERS)
    assert packed_outlines(lines, points, 1.0, 1e6).texts == [""]
