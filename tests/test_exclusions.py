"""Outlines on the map follow what the rules say."""

import pytest
import shapely

from geosite.exclusions import exclusions
from geosite.library import Library
from geosite.localities import Locality
from tests.worlds import SIDE, box

TRIBAL, BASE = "tribal-land", "military-land-not-for-mines"


def drawn(common, **more):
    found = exclusions(
        Library(common.plan()),
        more.get("features", {}),
        more.get("local", {}),
        more.get("amendments", {}),
    )
    assert found.columns.tolist() == ["rule", "name", "geometry"]
    assert found.crs == common.plan().grid.crs
    return found


def of(found, rule):
    return found[found["rule"] == rule].union_all()


def test_features_of_hard_rules_are_outlined(common):
    found = drawn(common)
    assert set(found["rule"]) == {TRIBAL, BASE}
    assert of(found, BASE).symmetric_difference(box(9000, 9200, 11_400, 11_400)).area < 1


def test_a_feature_has_its_own_setback_and_one_in_doubt_no_outline(common):
    frame = Library(common.plan()).frame("land/dod")[["name", "geometry"]]
    fort = frame.geometry.iloc[0]
    features = {BASE: frame.assign(metres=300.0, sure=True)}
    wide = fort.buffer(300.0).intersection(box(0, 0, SIDE, SIDE))
    assert of(drawn(common, features=features), BASE).symmetric_difference(wide).area < 100
    features = {BASE: frame.assign(metres=300.0, sure=False)}
    assert BASE not in set(drawn(common, features=features)["rule"])


@pytest.mark.parametrize(("metres", "reaches"), [(None, 0), (0.0, 0), (500.0, 500)])
def test_on_local_land_the_outline_is_the_local_one(common, metres, reaches):
    south = Locality(box(0, 0, SIDE, 10_000), metres)
    found = of(drawn(common, local={BASE: [south, Locality(None, 9e3)]}), BASE)
    fort = box(9000, 9200, 11_400, 11_400)
    north = fort.difference(south.land)
    there = shapely.Polygon() if metres is None else fort.buffer(reaches)
    expected = north.union(there.intersection(south.land))
    assert found.symmetric_difference(expected).area < 300


def test_decisions_add_and_take_away(common):
    area, inner = box(8000, 8000, 10_000, 10_000), box(8000, 8000, 8500, 8500)
    before = of(drawn(common), BASE)
    for effect in ("set aside", "in doubt"):
        after = drawn(common, amendments={BASE: [(area, effect)]})
        assert of(after, BASE).symmetric_difference(before.difference(area)).area < 1
    after = drawn(common, amendments={BASE: [(area, "holds"), (inner, "set aside")]})
    expected = before.union(area).difference(inner)
    assert of(after, BASE).symmetric_difference(expected).area < 1
    assert "decided in review" in set(after["name"])
    # Other rules are as they were.
    assert of(after, TRIBAL).equals(of(drawn(common), TRIBAL))
