"""Portfolios after the best one, against the order of all sets."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geosite.alternatives import dependences, next_best
from geosite.errors import PortfolioError
from geosite.portfolio import TOLERANCE, Ask, Candidates, best_portfolio, solved

VALUES = st.lists(st.integers(1, 1000), min_size=5, max_size=8)


def world(values):
    n = len(values)
    covers = np.arange(n)[:, None] % 2 == np.arange(2)
    ids = tuple(f"s{i}" for i in range(n))
    return Candidates(ids, np.array(values) / 1000, ("a", "b"), covers, np.zeros((n, 2)))


def in_order(one, k):
    sets = [
        s
        for s in itertools.combinations(range(len(one.ids)), k)
        if one.covers[list(s)].any(axis=0).all()
    ]
    return sorted((float(one.value[list(s)].sum()) for s in sets), reverse=True)


@settings(max_examples=40, deadline=None)
@given(VALUES)
def test_the_next_ones_are_the_next_of_all_sets(values):
    one = world(values)
    best, program = best_portfolio(one, Ask(3, exactly=True))
    others, whole = next_best(best, program, number=4, within=1.0)
    assert whole
    found = [best.value, *(p.value for p in others)]
    assert found == pytest.approx(in_order(one, 3)[: len(found)], abs=4 * TOLERANCE)
    sets = [tuple(p.chosen) for p in (best, *others)]
    assert len(set(sets)) == len(sets) == min(5, len(in_order(one, 3)))


@settings(max_examples=40, deadline=None)
@given(VALUES, st.sampled_from([0.0, 0.05, 0.5]))
def test_a_must_is_in_every_near_optimal_set(values, within):
    one = world(values)
    best, program = best_portfolio(one, Ask(3, exactly=True))
    floor = best.value * (1 - within)
    near = [
        set(s)
        for s in itertools.combinations(range(len(one.ids)), 3)
        if one.covers[list(s)].any(axis=0).all() and one.value[list(s)].sum() >= floor - 1e-9
    ]
    needs = dependences(best, program, within=within)
    for need in needs:
        without = [s for s in near if need.site not in s]
        # What lies on the edge itself may fall to either side, by the tolerance.
        edge = abs(need.value - floor) <= 4 * TOLERANCE
        assert edge or need.must_have == (not without)
        assert need.proven
        assert len(need.replaced_by)


def test_others_must_differ_by_as_many_as_are_asked():
    one = world([9, 8, 7, 6, 5, 4])
    best, program = best_portfolio(one, Ask(3, exactly=True))
    others, _ = next_best(best, program, number=9, within=1.0, others=3)
    assert best.chosen.tolist() == [0, 1, 2]
    assert [p.chosen.tolist() for p in others] == [[3, 4, 5]]


def test_none_beyond_the_tolerance_is_given():
    best, program = best_portfolio(world([900, 900, 10, 10, 10]), Ask(2, exactly=True))
    assert next_best(best, program, number=5, within=0.1) == ([], True)
    assert [n.must_have for n in dependences(best, program, within=0.1)] == [True, True]


def test_a_time_that_is_over_loses_nothing_that_was_found(monkeypatch):
    best, program = best_portfolio(world([9, 8, 7, 6]), Ask(2))
    once = iter([solved(program.with_row(best.chosen, 1))])

    def late(_):
        for found in once:
            return found
        raise PortfolioError

    monkeypatch.setattr("geosite.alternatives.solved", late)
    others, whole = next_best(best, program, number=5, within=1.0)
    assert (len(others), whole) == (1, False)
    for need in dependences(best, program, within=0.05):
        assert np.isnan(need.loss_pct)
        assert (need.must_have, need.proven) == (False, False)


def test_a_site_that_is_locked_in_or_has_no_stand_in_is_a_must():
    one = world([5, 4, 3, 2])
    best, program = best_portfolio(one, Ask(2, lock_in=frozenset({"s2"})))
    needs = dependences(best, program, within=0.05)
    assert {n.site: n.must_have for n in needs}[2]
    only = Candidates(("x",), np.ones(1), ("a",), np.ones((1, 1), bool), np.zeros((1, 2)))
    alone, program = best_portfolio(only, Ask(1))
    assert np.isnan(dependences(alone, program, within=0.05)[0].value)
