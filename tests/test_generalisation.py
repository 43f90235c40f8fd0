"""Features for the map's base: cut, joined and simplified, and never where they are not."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS
from shapely.geometry import LineString, MultiPoint, Point, box

from geosite import generalisation
from geosite.generalisation import borders, generalised, named_points

ALBERS = CRS.from_epsg(5070)
BOX = (0.0, 0.0, 1000.0, 1000.0)


def frame(shapes, **columns):
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=ALBERS)


def test_pieces_of_one_road_become_one_line_and_other_names_stay_apart():
    pieces = [LineString([(k * 100, 500), (k * 100 + 100, 500)]) for k in range(6)]
    light, left_out = generalised(frame(pieces, name=[*["A"] * 3, *["B"] * 3]), BOX, 1.0)
    assert light["name"].tolist() == ["A", "B"]
    assert light.length.tolist() == [300, 300]
    assert shapely.get_num_coordinates(light.geometry.to_numpy()).tolist() == [2, 2]
    assert left_out == 0


def test_nothing_is_kept_of_what_lies_outside():
    lines = [LineString([(-500, 10), (500, 10)]), LineString([(2000, 0), (3000, 0)])]
    light, _ = generalised(frame(lines, name=["in", "out"]), BOX, 1.0)
    assert light["name"].tolist() == ["in"]
    assert light.total_bounds.tolist() == [0, 10, 500, 10]
    points, _ = generalised(frame([Point(1, 1), Point(-1, 1)], name=["in", "out"]), BOX, 1.0)
    assert points["name"].tolist() == ["in"]
    lakes, _ = generalised(frame([box(900, 900, 1100, 1100), box(5, 5, 6, 6)]), BOX, 5.0)
    assert lakes.area.tolist() == [10_000]  # and the pond is smaller than the tolerance


def test_what_has_no_geometry_is_passed_over():
    assert len(generalised(frame([None, Point(), Point(3, 3)]), BOX, 1.0)[0]) == 1
    assert len(generalised(frame([None, Point()]), BOX, 1.0)[0]) == 0


def test_of_too_many_points_the_largest_stay_and_the_others_are_counted(monkeypatch):
    monkeypatch.setattr(generalisation, "POINTS", 2)
    towns = frame([Point(k, k) for k in range(1, 5)], people=[5.0, np.nan, 9.0, 7.0])
    light, left_out = generalised(towns, BOX, 1.0, largest_by=("kv", "people"))
    assert light["people"].tolist() == [9.0, 7.0]
    assert left_out == 2
    parts, left_out = generalised(frame([MultiPoint([(1, 1), (2, 2), (3, 3)])]), BOX, 1.0)
    assert (len(parts), left_out) == (2, 1)


def test_a_layer_of_too_many_vertices_is_simplified_further(monkeypatch):
    monkeypatch.setattr(generalisation, "VERTICES", 40)
    x = np.linspace(0, 1000, 400)
    light, _ = generalised(
        frame([LineString(np.column_stack([x, 500 + 30 * np.sin(x / 20)]))]), BOX, 0.1
    )
    assert light.geometry.count_coordinates().sum() <= 40
    # Two ends a line are all there can be: that is no reason to go on for ever.
    straight = [LineString([(0, k), (1000, k)]) for k in range(1, 51)]
    assert len(generalised(frame(straight, name=range(50)), BOX, 0.1)[0]) == 50


def test_a_border_is_drawn_once_and_corners_stay():
    areas = [box(0, 0, 400, 400), box(400, 0, 800, 400), box(0, 400, 800, 700)]
    found = borders(frame(areas), (-10.0, -10.0, 900.0, 900.0), 50.0)
    assert found.length.sum() == pytest.approx(2 * (800 + 700) + 400 + 800)
    ends = {tuple(p) for line in found.geometry for p in (line.coords[0], line.coords[-1])}
    assert {(400.0, 0.0), (400.0, 400.0), (0.0, 400.0), (800.0, 400.0)} <= ends


def test_the_edge_of_the_box_is_no_border():
    found = borders(frame([box(-500, -500, 1500, 500)]), BOX, 1.0)
    assert found.length.sum() == pytest.approx(1000)


def test_an_area_is_named_in_the_largest_part_of_it_that_is_seen():
    both = shapely.union_all([box(0, 0, 100, 100), box(500, 500, 900, 900)])
    areas = frame([both, box(999, 0, 9000, 100)], name=["two parts", "a corner only"])
    found = named_points(areas, BOX)
    assert found["name"].tolist() == ["two parts"]
    assert box(500, 500, 900, 900).contains(found.geometry[0])


XY = st.tuples(st.integers(-500, 1500), st.integers(-500, 1500))


@given(st.lists(st.lists(XY, min_size=2, max_size=8), min_size=1, max_size=6), st.floats(1, 60))
def test_light_lines_lie_near_the_lines_and_inside_the_box(lines, tolerance):
    lines = [LineString(xy) for xy in lines if len(set(xy)) > 1]
    if not lines:
        return
    light, _ = generalised(frame(lines), BOX, tolerance)
    whole = shapely.union_all(lines)
    for line in light.geometry:
        assert whole.buffer(tolerance + 1e-6).contains(line)
        assert box(*BOX).buffer(1e-6).contains(line)
