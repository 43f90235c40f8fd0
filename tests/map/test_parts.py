"""Parts of features, and what stands for those too small to be seen."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import GeometryCollection, LineString, MultiPoint, Point, Polygon, box

from geosite.map.parts import PIXELS, SMALLEST, Parts, apart, kinds_of, stood_in
from geosite.map.vector_tiles import LINE, POINT, POLYGON


def parts(shapes):
    return Parts(np.array(shapes, dtype=object), np.arange(len(shapes)))


def test_every_part_knows_its_row():
    nested = GeometryCollection([GeometryCollection([Point(1, 1)]), MultiPoint([(2, 2), (3, 3)])])
    bow = Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    found = kinds_of(np.array([None, nested, LineString([(0, 0), (1, 1)]), bow, Polygon()], object))
    assert found[POINT].rows.tolist() == [1, 1, 1]
    assert found[LINE].rows.tolist() == [2]
    assert found[POLYGON].rows.tolist() == [3, 3]
    assert shapely.is_valid(found[POLYGON].shapes).all()


def test_nothing_has_no_parts():
    assert all(not len(p.shapes) for p in kinds_of(np.empty(0, object)).values())


@given(st.integers(1, 400), st.floats(0.2, 1.9), st.integers(1, 3))
def test_squares_make_up_the_area_of_each_look(count, side, looks):
    random = np.random.default_rng(count)
    x, y = random.uniform(0, 0.2, (2, count))
    w = side / PIXELS
    look = random.integers(0, looks, count)
    found = stood_in(parts(shapely.box(x, y, x + w, y + w)), look)
    least = SMALLEST / PIXELS**2
    assert np.allclose(shapely.area(found.shapes), least)
    for one in range(looks):
        drawn = shapely.area(found.shapes[look[found.rows] == one]).sum()
        assert abs(drawn - (look == one).sum() * w**2) <= 0.5 * least * (1 + 1e-6)


def test_what_is_large_stays_as_it_is():
    large = box(0, 0, 0.5, 0.5)
    found = stood_in(parts([large, box(0.6, 0.6, 0.6001, 0.6001)]), np.zeros(2, int))
    assert found.shapes.tolist() == [large]


def test_points_of_another_look_do_not_stand_for_each_other():
    found = apart(parts([Point(0.1, 0.1)] * 3 + [Point(0.9, 0.1)]), np.array([0, 0, 1, 0]))
    assert found.rows.tolist() == [0, 2, 3]
