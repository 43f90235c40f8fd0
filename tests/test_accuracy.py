"""Certain, possible, clear: what an accuracy can turn into a touch."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geosite.accuracy import possible_rules
from geosite.inputs import Part
from geosite.segments import Shapes
from tests.strategies import rule
from tests.toyworld import ALBERS, toygrid

GRID = toygrid(50, 50)
LEFT, BOTTOM, _, _ = GRID.bounds


def box(x0, y0, x1, y1):
    """A rectangle [m from the corner of the grid]."""
    return shapely.box(LEFT + x0, BOTTOM + y0, LEFT + x1, BOTTOM + y1)


SITE = box(1000, 1000, 2000, 2000)
FAR = box(4000, 4000, 4100, 4100)


def frame(*shapes):
    return gpd.GeoDataFrame({"rule": ["r"] * len(shapes)}, geometry=list(shapes), crs=ALBERS)


class Inputs:
    """What is read of the inputs of a tile."""

    def __init__(self, treatment, *shapes, parts=None, kind="polygon", **more):
        self.rules = (rule("r", treatment, **more),)
        self.treatments = (self.rules[0].mine,)
        self.parts = parts or {}
        self.vectors = {("x/r", None): Shapes.of(frame(*shapes), GRID, kind)} if shapes else {}


def possible(inputs, *, accuracy=100.0, touched=(False,), exclusions=(), sites=(SITE,)):
    return possible_rules(
        np.array(sites, object),
        np.array(touched, bool)[:, None],
        [accuracy],
        inputs,
        frame(*exclusions),
        GRID,
    )


EXCLUDE = {"tier": "exclude", "setback": "50 m"}
AVOID = {"tier": "avoid", "factor": "0.5", "setback": "50 m"}
EAST = box(2120, 1000, 2300, 2000)


@pytest.mark.parametrize(
    ("accuracy", "found"), [(119.0, ""), (120.0, "r"), (500.0, "r"), (None, ""), (0.0, "")]
)
def test_an_excluded_feature_within_the_accuracy_is_possible(accuracy, found):
    # Exclusions have their setback already.
    assert possible(Inputs(EXCLUDE), accuracy=accuracy, exclusions=[EAST]) == [found]


@pytest.mark.parametrize(("accuracy", "found"), [(69.0, ""), (70.0, "r"), (500.0, "r")])
def test_a_feature_to_avoid_is_possible_within_setback_and_accuracy(accuracy, found):
    assert possible(Inputs(AVOID, EAST), accuracy=accuracy) == [found]


def test_lines_and_points_are_features_too():
    line = shapely.LineString([(LEFT + 2100, BOTTOM + 900), (LEFT + 2100, BOTTOM + 3000)])
    point = shapely.Point(LEFT + 2100, BOTTOM + 1500)
    for shape, kind in ((line, "line"), (point, "point")):
        assert possible(Inputs(AVOID, shape, kind=kind)) == ["r"]
        assert possible(Inputs(AVOID, shape, kind=kind), accuracy=40.0) == [""]


def test_what_touches_is_certain_and_not_possible():
    assert possible(Inputs(AVOID, EAST), touched=[True]) == [""]
    assert possible(Inputs(EXCLUDE), touched=[True], exclusions=[SITE]) == [""]


def test_features_with_their_own_setback_have_their_own_reach():
    part = Part(Shapes.of(frame(EAST), GRID, "polygon"), 10.0)
    inputs = Inputs(AVOID, EAST, parts={"r": (part,)})
    assert possible(inputs, accuracy=70.0) == [""]
    assert possible(inputs, accuracy=110.0) == ["r"]


@pytest.mark.parametrize(
    "inputs",
    [
        Inputs({"tier": "flag"}, EAST),
        Inputs({"tier": "require", "within": "1 km"}, EAST),
        Inputs(AVOID, EAST, inside="x/extent"),
        Inputs(AVOID),
    ],
)
def test_what_it_does_not_see(inputs):
    assert possible(inputs, accuracy=500.0) == [""]


def test_each_site_has_its_own_answer_and_none_has_none():
    assert possible(Inputs(AVOID, EAST), sites=[FAR, SITE], touched=[False] * 2) == ["", "r"]
    assert possible(Inputs(AVOID, EAST), sites=[], touched=[]) == []


@given(st.integers(0, 3000), st.integers(0, 3000), st.sampled_from([0, 50]), st.integers(1, 400))
def test_it_agrees_with_plain_distances(x, y, setback, accuracy):
    land = box(x, y, x + 150, y + 150)
    distance = shapely.distance(SITE, land)
    avoid = Inputs(AVOID | {"setback": f"{setback} m"}, land)
    if distance > 0:
        expected = "r" if distance <= setback + accuracy else ""
        assert possible(avoid, accuracy=float(accuracy)) == [expected]
    expected = "r" if distance <= accuracy else ""
    assert possible(Inputs(EXCLUDE), accuracy=float(accuracy), exclusions=[land]) == [expected]
