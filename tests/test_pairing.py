"""Mines and plants by one another."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from geosite.catalog import open_freight, open_processing, open_rulebook
from geosite.pairing import Terms, discounted, pairing, ranks

TERMS = Terms(15.0)
UNIT = st.floats(0, 1)


def paired(mines, plants, usd, takes=None, ore=None, terms=TERMS):
    usd = np.array(usd, float)
    takes = np.ones(usd.shape, bool) if takes is None else np.array(takes, bool)
    mines = np.array(mines, float)
    ore = np.ones(len(mines)) if ore is None else np.array(ore, float)
    return pairing(mines, np.array(plants, float), ore, usd, takes, terms)


def test_the_formula_by_hand():
    found = paired([0.8, 0.6], [0.9], [[15.0], [30.0]], ore=[1.0, 0.5], terms=Terms(15, half_ore=1))
    assert found.share.ravel().tolist() == [0.5, 0.25]
    assert found.ore.tolist() == [0.625]
    assert found.plant_score.tolist() == [pytest.approx(0.625 / 1.625)]
    assert found.mine_paired.tolist() == pytest.approx([0.8 * 0.85, 0.6 * 0.775])


def test_a_plant_that_is_gone_changes_the_list_of_mines():
    usd = [[0.0, 60.0], [60.0, 10.0]]
    both = paired([0.80, 0.78], [0.9, 0.8], usd)
    one = paired([0.80, 0.78], [0.8], np.array(usd)[:, 1:])
    assert both.mine_rank.tolist() == [1, 2]
    assert one.mine_rank.tolist() == [2, 1]


def test_a_mine_that_is_gone_changes_the_list_of_plants():
    usd = np.array([[0.0, 60.0], [60.0, 5.0], [60.0, 5.0]])
    terms = Terms(15.0, half_ore=1.0)
    every = paired([0.9, 0.5, 0.5], [0.80, 0.79], usd, terms=terms)
    fewer = paired([0.9], [0.80, 0.79], usd[:1], terms=terms)
    assert every.plant_rank.tolist() == [2, 1]
    assert fewer.plant_rank.tolist() == [1, 2]


def test_what_a_plant_does_not_take_or_is_too_far_does_not_count():
    found = paired([0.9, 0.9], [0.5], [[0.0], [40.0]], takes=[[False], [True]])
    assert found.best.tolist() == [-1, 0]
    assert found.mine_paired[0] == pytest.approx(0.9 * 0.7)
    far = paired([0.9], [0.5], [[40.0]], terms=Terms(15.0, max_usd=39.0))
    assert far.ore.tolist() == [0.0]
    assert far.best.tolist() == [-1]


@given(
    hnp.arrays(float, 4, elements=UNIT),
    hnp.arrays(float, 3, elements=UNIT),
    hnp.arrays(float, (4, 3), elements=st.floats(0, 500)),
    hnp.arrays(bool, (4, 3)),
    UNIT,
)
def test_laws(mines, plants, usd, takes, weight):
    terms = Terms(15.0, weight=weight)
    found = paired(mines, plants, usd, takes, terms=terms)
    for before, after in ((mines, found.mine_paired), (plants, found.plant_paired)):
        assert (after <= before + 1e-12).all()
        assert (after >= before * (1 - weight) - 1e-12).all()
    cheaper = paired(mines, plants, usd / 2, takes, terms=terms)
    assert (cheaper.ore >= found.ore - 1e-12).all()
    assert (cheaper.mine_score >= found.mine_score).all()
    # A plant more lowers no mine's score, and leaves the other plants' as they are.
    fewer = paired(mines, plants[:2], usd[:, :2], takes[:, :2], terms=terms)
    assert (fewer.mine_score <= found.mine_score).all()
    assert fewer.plant_score.tolist() == found.plant_score[:2].tolist()


def test_without_weight_nothing_moves():
    found = paired([0.9, 0.8], [0.7], [[90.0], [0.0]], terms=Terms(15.0, weight=0.0))
    assert found.mine_rank.tolist() == [1, 2]


def test_nobody_to_pair_with():
    found = paired([0.5], np.empty(0), np.empty((1, 0)))
    assert found.mine_score.tolist() == [0.0]
    assert found.best.tolist() == [-1]
    assert paired([], [0.5], np.empty((0, 1))).plant_score.tolist() == [0.0]


def test_of_equals_the_first_stays_first_and_the_unknown_is_last():
    assert ranks(np.array([0.5, 0.5, np.nan, 0.9])).tolist() == [2, 3, 4, 1]
    assert discounted(np.array([1.0]), np.array([1.0]), 1.0).tolist() == [1.0]


# ── the tables of the rulebook ──────────────────────────────────────────────────────────────


def test_every_commodity_has_a_route_and_every_route_a_commodity():
    routes = [t.commodity for t in open_processing().treatments]
    assert sorted(routes) == sorted(c.id for c in open_rulebook().commodities.commodities)
    assert len(routes) == len(set(routes))


def test_a_plant_takes_its_own_and_what_goes_both_ways():
    table = open_processing()
    assert "lithium" in table.taken("hydromet")
    assert "lithium" not in table.taken("smelter")
    assert "lead" in table.taken("smelter")
    assert "copper" in table.taken("hydromet") & table.taken("smelter")
    assert table.taken("any") >= table.taken("hydromet") | table.taken("smelter")
    assert "barite" not in table.taken("any")


def test_every_rate_says_where_it_is_from_and_what_is_to_be_confirmed():
    freight = open_freight()
    assert freight.rail.value < freight.truck.value
    for name in type(freight).model_fields:
        figure = getattr(freight, name)
        assert len(figure.source) > 20
        assert figure.evidence == "to be confirmed"
