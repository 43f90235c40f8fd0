"""Excluded land near a site: a drawn world of two rules and three sites."""

from __future__ import annotations

import pytest
from shapely.geometry import box

from geosite.map.nearest_land import MOST, REACH_M, nearest_land
from geosite.map.shared import Shared
from geosite.overlaps import DIRECTIONS
from tests.browser.toycontent import LEFT, TOP, frame, toy_content

EAST = DIRECTIONS.index("E")


def square(x, size=1000.0):
    return box(LEFT + x, TOP - 25_000, LEFT + x + size, TOP - 24_000)


def land(*rows):
    rules, names, shapes = zip(*rows, strict=True)
    return frame({"rule": rules, "name": names}, list(shapes))


def found(exclusions, *sites):
    shared = Shared()
    asked = frame({"site_id": [str(i) for i in range(len(sites))]}, list(sites))
    near = nearest_land(
        toy_content(exclusions=exclusions), asked, {"wilderness": 0, "lakes": 1}, shared
    )
    return [[(k, shared.texts[name], tens, way) for k, name, tens, way in row] for row in near]


def test_the_nearest_of_each_rule_is_named_and_the_nearest_rule_comes_first():
    exclusions = land(
        ("wilderness", "Far Range", square(20_000)),
        ("wilderness", "Near Range", square(9_000)),
        ("lakes", "Dry Lake", square(5_000)),
    )
    [[lake, range_]] = found(exclusions, square(0))
    assert lake[:2] == (1, "Dry Lake")
    assert lake[2] == pytest.approx(400, rel=0.02)
    assert range_[:2] == (0, "Near Range")
    assert abs(lake[3] - EAST) <= 1


def test_land_that_adjoins_is_at_no_distance_and_in_no_direction():
    exclusions = land(("lakes", "Dry Lake", square(1_000)))
    assert found(exclusions, square(0)) == [[(1, "Dry Lake", 0, -1)]]


def test_land_beyond_reach_is_not_named():
    exclusions = land(("lakes", "Dry Lake", square(REACH_M + 5_000)))
    assert found(exclusions, square(0), square(10_000)) == [
        [],
        found(exclusions, square(10_000))[0],
    ]


def test_a_world_without_excluded_land_or_without_sites_has_nothing_near():
    nothing = toy_content().exclusions.iloc[:0]
    assert found(nothing, square(0)) == [[]]
    assert nearest_land(toy_content(), toy_content().sites.iloc[:0], {"lakes": 0}, Shared()) == []
    assert MOST >= 1
