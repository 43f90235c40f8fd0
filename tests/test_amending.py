"""Decisions become land on the grid."""

import pytest

from geosite.amending import amended_land
from geosite.errors import CatalogError
from tests.worlds import box

RULE = "tribal-land"


def test_decisions_keep_their_order(common):
    plan = common.plan()
    areas = [(box(0, 0, 900, 900), "holds"), (box(200, 200, 500, 500), "set aside")]
    found, notes = amended_land({RULE: areas}, plan)
    assert [a.effect for a in found[RULE]] == ["holds", "set aside"]
    assert [len(a.land.starts) for a in found[RULE]] == [2, 2]
    assert notes == []


def test_a_decision_about_a_rule_that_is_not_asked_is_refused(common):
    with pytest.raises(CatalogError) as caught:
        amended_land({"no-rule": [(box(0, 0, 1, 1), "holds")], "nor-this": []}, common.plan())
    for word in ("no-rule", "nor-this", "take the decision out"):
        assert word in str(caught.value)


def test_an_area_that_holds_no_centre_of_a_cell_is_told(common):
    # Cells of the hamlet are 200 m, their centres at 100, 300, …
    areas = [(box(110, 110, 290, 290), "holds"), (box(90, 90, 110, 110), "holds")]
    _, notes = amended_land({RULE: areas}, common.plan())
    (note,) = notes
    assert note.startswith("rule tribal-land: a decision about 3.24 ha changes nothing")
