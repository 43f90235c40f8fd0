"""Features cut into tiles: nothing is lost, and nothing is where it is not."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS
from shapely.geometry import LineString, Point, Polygon, box

from geosite.map.cutting import BUFFER, cut, unrolled
from geosite.map.parts import Parts

DEGREES = CRS.from_epsg(4326)


def parts(*shapes):
    return Parts(np.array(shapes, dtype=object), np.arange(len(shapes)))


@given(
    st.lists(
        st.tuples(st.floats(0, 7), st.floats(0, 7), st.floats(0.01, 1), st.floats(0.01, 1)),
        min_size=1,
        max_size=8,
    )
)
def test_the_pieces_of_all_tiles_are_the_whole(rows):
    shapes = [box(x, y, x + w, y + h) for x, y, w, h in rows]
    found, x, y = cut(parts(*shapes), 3)
    tile = shapely.box(x, y, x + 1, y + 1)
    margin = shapely.box(x - BUFFER, y - BUFFER, x + 1 + BUFFER, y + 1 + BUFFER)
    assert shapely.covers(shapely.buffer(margin, 1e-9), found.shapes).all()
    inside = shapely.area(shapely.intersection(found.shapes, tile))
    whole = np.bincount(found.rows, weights=inside, minlength=len(shapes))
    assert whole == pytest.approx(shapely.area(shapes))


def test_an_outline_that_is_cut_apart_gives_its_pieces():
    comb = Polygon([(0.2, 0.2), (1.8, 0.2), (1.8, 0.4), (0.6, 0.4), (0.6, 0.5), (1.8, 0.5),
                    (1.8, 0.7), (0.2, 0.7)])  # fmt: skip
    found, x, y = cut(parts(comb), 1)
    assert sorted(zip(x.tolist(), y.tolist(), strict=True)) == [(0, 0), (1, 0), (1, 0)]
    assert set(found.rows.tolist()) == {0}


def test_lines_and_points_keep_their_kind():
    found, x, _ = cut(parts(LineString([(0.5, 0.5), (1.5, 0.5)]), Point(1.0, 0.5)), 1)
    assert [(s.geom_type, t) for s, t in zip(found.shapes, x.tolist(), strict=True)].count(
        ("Point", 0)
    ) == 1
    assert sorted({s.geom_type for s in found.shapes}) == ["LineString", "Point"]
    assert sorted(x.tolist()) == [0, 0, 1, 1]


def test_nothing_cuts_to_nothing():
    found, x, y = cut(parts(), 4)
    assert len(found.shapes) == len(x) == len(y) == 0


def test_the_world_is_one_tile_and_what_cannot_be_there_is_told():
    shapes = np.array([Point(0, 0), Point(-180, 0), box(179, 10, 180, 20)], dtype=object)
    there, good = unrolled(shapes, DEGREES, 0)
    assert good.all()
    assert there[0].equals_exact(Point(0.5, 0.5), 1e-9)
    assert there[1].equals_exact(Point(0, 0.5), 1e-9)
    _, good = unrolled(np.array([Point(0, 90)], dtype=object), CRS.from_epsg(4326), 0)
    assert good.tolist() in ([True], [False])


def test_an_outline_over_the_antimeridian_goes_on_to_the_east():
    there, _ = unrolled(
        np.array([Polygon([(179, 0), (-179, 0), (-179, 1), (179, 1)])], dtype=object), DEGREES, 1
    )
    west, _, east, _ = shapely.bounds(there[0])
    assert (west, east) == pytest.approx((2 * 359 / 360, 2 * 361 / 360))
