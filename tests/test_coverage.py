"""Where a layer speaks, as land."""

import shapely

from geosite.coverage import covered_land
from geosite.library import Library
from tests.worlds import ALBERS, SIDE, box

RAIL = "infrastructure/rail"
AROUND = box(-SIDE, -SIDE, 2 * SIDE, 2 * SIDE).bounds


def covered(hamlet, **coverage):
    hamlet.declare(RAIL, coverage=coverage)
    return covered_land(Library(hamlet.plan()), RAIL, AROUND)


def test_a_layer_that_speaks_everywhere_has_no_bounds(hamlet):
    assert covered(hamlet, kind="everywhere") is None


def test_states_and_all_but_states(hamlet):
    toyland = box(0, 0, SIDE, SIDE)
    found = covered(hamlet, kind="states", names=["Toyland"])
    assert found.union_all().symmetric_difference(toyland).area < 1
    found = covered(hamlet, kind="except_states", names=["Toyland"])
    rest = shapely.box(*AROUND).difference(toyland)
    assert found.union_all().symmetric_difference(rest).area < 1


def test_a_box_and_the_polygons_of_another_layer(hamlet):
    found = covered(hamlet, kind="box", west="-125", south="30", east="-100", north="45")
    assert found.union_all().contains(box(0, 0, SIDE, SIDE))
    found = covered(hamlet, kind="inside", layer="land/dod")
    assert found["name"].tolist() == ["Fort Toy"]


def test_without_what_would_bound_it_a_layer_speaks_nowhere(hamlet):
    (hamlet.data / "dod.gpkg").unlink()
    found = covered(hamlet, kind="inside", layer="land/dod")
    assert len(found) == 0
    assert found.crs == ALBERS
