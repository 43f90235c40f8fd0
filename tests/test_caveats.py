"""What a plan says beforehand that its answer will lack."""

import pytest

from geosite.catalog import open_scenario
from geosite.caveats import caveats
from geosite.model.combination import Topsis
from geosite.needs import CLAIMS

MINE = open_scenario("mine/open-pit")


def said(scenario, lost=()):
    return caveats(scenario, (), (), lambda i: "it was not fetched" if i in lost else None)


def test_claims_that_are_not_all_shown_leave_no_acre_open():
    words = "no acre is known to be open: layer land/mining_claims does not show every claim"
    notes = caveats(MINE, (), (), lambda _: None, [CLAIMS])
    assert [n for n in notes if words in n]
    assert not [n for n in said(MINE) if words in n]


def test_a_set_dependent_rule_says_what_the_surface_shows():
    topsis = MINE.model_copy(update={"combination": Topsis(kind="topsis")})
    assert [n for n in said(topsis) if "weighted sum" in n]
    assert not [n for n in said(MINE) if "weighted sum" in n]


@pytest.mark.parametrize(
    ("lost", "words"),
    [
        (CLAIMS, "no acre is known to be open or claimed"),
        (MINE.land.tenure[0].layer, MINE.land.tenure[0].column),
        ("terrain/elevation", "evidence surface: worked out without terrain/elevation"),
    ],
)
def test_every_layer_that_is_lost_is_named(lost, words):
    assert [n for n in said(MINE, {lost}) if words in n and "it was not fetched" in n]
    assert not [n for n in said(MINE) if "it was not fetched" in n]
