"""Rankings by several rules of combination, compared."""

import numpy as np
import pytest
from hypothesis import given, settings

from geosite.agreement import agreement, correlations, rules_beside
from geosite.model.combination import EvidenceGated, WeightedSum
from geosite.suitability import suitability
from tests.strategies import matrices_of_sites

SUM = WeightedSum(kind="weighted_sum")
GATED = EvidenceGated(kind="evidence_gated")


def test_the_stated_rule_comes_first_and_none_comes_twice():
    rules = rules_beside(GATED, ("evidence", "rail"))
    kinds = [r.kind for r in rules]
    assert rules[0] is GATED
    assert len(set(kinds)) == len(kinds)
    assert {"weighted_sum", "geometric_mean"} <= set(kinds)
    assert "evidence_gated" not in [r.kind for r in rules_beside(SUM, ("rail", "power"))]


@given(case=matrices_of_sites())
@settings(max_examples=25, deadline=None)
def test_ranks_are_those_of_each_rule_and_correlations_are_symmetric(case):
    scores, weights, ids = case
    rules = rules_beside(SUM, ids)
    assert len(rules) == 7
    found = agreement(scores, weights, rules, ids, missing="worst")
    for n, rule in enumerate(rules):
        suited = np.round(suitability(scores, weights, rule, ids, missing="worst", exact=True), 9)
        order = np.lexsort((np.arange(len(suited)), -suited))
        assert found.ranks[n][order].tolist() == list(range(1, len(suited) + 1))
    for matrix in (found.kendall, found.spearman):
        np.testing.assert_array_equal(matrix, matrix.T)
        assert np.nanmax(np.abs(matrix), initial=0) <= 1
        assert np.isin(np.diag(matrix)[~np.isnan(np.diag(matrix))], 1).all()


def test_what_a_rule_cannot_place_has_no_rank():
    scores = np.array([[np.nan, 0.4, 0.3], [0.2, 0.9, 0.1]])
    found = agreement(
        scores, np.ones(2), rules_beside(SUM, ("a", "b")), ("a", "b"), missing="unknown"
    )
    assert np.isnan(found.ranks[:, 0]).all()
    assert found.ranks[0, 1:].tolist() == [1, 2]


def test_by_hand():
    tau, rho = correlations(np.array([1.0, 2, 3, 4]), np.array([1.0, 2, 4, 3]))
    assert tau == pytest.approx(4 / 6)
    assert rho == pytest.approx(0.8)


@pytest.mark.parametrize("values", [[], [1.0], [2.0, 2.0, 2.0], [np.nan, 1.0, 1.0]])
def test_what_tells_no_two_apart_agrees_with_nothing(values):
    one = np.array(values)
    assert np.isnan(correlations(one, np.arange(len(one), dtype=float))).all()
