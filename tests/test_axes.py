from __future__ import annotations

import numpy as np
import pytest
import shapely
from pyproj import CRS

from geosite.sources.axes import grown, lie, turned, turned_geometry

DEGREES, METRES = CRS(4326), CRS(5070)
NEVADA = (-117.0, 38.0, -116.0, 39.0)
FLORIDA = (-82.0, 28.0, -81.0, 29.0)
US = (-125.0, 24.0, -66.0, 50.0)
WORLD = (-180.0, -90.0, 180.0, 90.0)


def points(*places):
    return np.array([shapely.Point(*place) for place in places], dtype=object)


@pytest.mark.parametrize(
    ("places", "wanted", "extent", "answer"),
    [
        ([(-116.5, 38.5)], NEVADA, US, "there"),
        ([(38.5, -116.5)], NEVADA, US, "turned"),
        ([(38.5, -116.5)], NEVADA, None, "turned"),  # no latitude is -116
        ([(28.5, -81.5)], FLORIDA, US, "turned"),  # where the layer has nothing
        ([(28.5, -81.5)], FLORIDA, WORLD, "astray"),  # it may well be in the Antarctic
        ([(28.5, -81.5)], FLORIDA, None, "astray"),
        ([(10, 50)], NEVADA, US, "astray"),
        ([(34.5, 28.5)], (28, 28, 35, 35), None, "there"),  # its own mirror image
        ([], NEVADA, US, "there"),
        # What is chosen in another projection may lie a little outside, and some far.
        ([(-116.5, 38.5), (-117.05, 38.5), (-100, 30)], NEVADA, US, "there"),
        ([(40, -100), (41, -80)], WORLD, None, "there"),
        ([(40, -100), (41, -120)], WORLD, None, "turned"),
    ],
)
def test_where_features_lie(places, wanted, extent, answer):
    assert lie(points(*places), wanted, DEGREES, extent) == answer


def test_metres_are_turned_only_where_the_layer_has_nothing():
    wanted, swapped = (1.4e6, 4e5, 1.5e6, 5e5), points((4.5e5, 1.45e6))
    assert lie(swapped, wanted, METRES, (-2e6, 2e5, 2e6, 3e6)) == "astray"
    assert lie(swapped, wanted, METRES, (1.3e6, 3e5, 1.6e6, 6e5)) == "turned"


def test_features_without_geometry_lie_nowhere():
    assert lie(np.array([None, shapely.Point()], dtype=object), NEVADA, DEGREES) == "there"


def test_turning_twice_is_not_turning():
    shape = np.array([shapely.box(*NEVADA), None], dtype=object)
    twice = turned_geometry(turned_geometry(shape))
    assert shapely.equals(twice[0], shape[0])
    assert twice[1] is None
    assert turned(turned(NEVADA)) == NEVADA
    assert tuple(shapely.bounds(turned_geometry(shape)[0])) == turned(NEVADA)


def test_what_is_grown_stays_on_earth():
    assert grown(WORLD, DEGREES) == WORLD
    assert grown((0, 0, 1000, 500), METRES) == (-1100, -1100, 2100, 1600)
