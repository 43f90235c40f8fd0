import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosite.matrix import Matrix, matrix_of, scored, set_reversals, stepped, tiers_of
from geosite.model.combination import Topsis, WeightedSum
from geosite.model.scenario import Tiers

SUM, TOPSIS = WeightedSum(kind="weighted_sum"), Topsis(kind="topsis")
POLICIES = ("unknown", "worst", "renormalise")


@st.composite
def matrices(draw):
    """Three criteria at some sites, each known on a part of the cells."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = (3, draw(st.integers(1, 8)))
    known = rng.choice([0.0, 0.25, 1.0, 1.0], shape)
    effective = np.where(known > 0, rng.integers(0, 21, shape) / 20, np.nan)
    return Matrix(("a", "b", "c"), effective, known), rng.integers(1, 9, 3).astype(float)


@pytest.mark.parametrize("missing", POLICIES)
@pytest.mark.parametrize("rule", [SUM, TOPSIS], ids=lambda r: r.kind)
@given(case=matrices())
def test_suitability_lies_between_its_low_and_its_high(rule, missing, case):
    found = scored(*case, rule, missing)
    assert not np.isnan(found.low).any()
    known = ~np.isnan(found.suitability)
    assert (found.low[known] <= found.suitability[known] + 1e-12).all()
    assert (found.suitability[known] <= found.high[known] + 1e-12).all()
    assert (found.low <= found.high + 1e-12).all()
    assert (found.known_pct <= 100 + 1e-9).all()


def test_a_partly_known_criterion_counts_as_the_scenario_says():
    half = Matrix(("a",), np.array([[0.8]]), np.array([[0.5]]))
    assert half.least.tolist() == [[0.4]]
    assert half.most.tolist() == [[0.9]]
    assert half.scores("best").tolist() == [[0.9]]


def test_some_of_the_criteria_are_a_matrix_too():
    whole = Matrix(("a", "b"), np.array([[0.1], [0.2]]), np.ones((2, 1)))
    part = whole.of(np.array([False, True]))
    assert (part.ids, part.effective.tolist()) == (("b",), [[0.2]])


def test_a_site_without_a_rank_is_no_ideal():
    effective = np.array([[1.0, 0.5, 0.25], [np.nan, 0.5, 0.75]])
    matrix = Matrix(("a", "b"), effective, np.where(np.isnan(effective), 0.0, 1.0))
    found = scored(matrix, np.ones(2), TOPSIS, "unknown").suitability
    assert found == pytest.approx([np.nan, 0.5, 0.5], nan_ok=True)
    found = scored(matrix, np.ones(2), TOPSIS, "renormalise").suitability
    assert found[0] == 1
    assert found[1] != pytest.approx(0.5)


def test_sites_that_others_turn_on_are_found_in_the_ranked_set_only():
    scores = np.array([[1.0, 0.6, 0.5, 0.0], [0.0, 0.4, 0.6, 0.1]])
    known = np.ones_like(scores)
    whole = set_reversals(Matrix(("a", "b"), scores, known), np.ones(2), list("pqrs"), "unknown")
    assert [r.site for r in whole] == ["p", "s"]
    known[0, 0] = 0.5
    fewer = set_reversals(Matrix(("a", "b"), scores, known), np.ones(2), list("pqrs"), "unknown")
    assert "p" not in {r.site for r in fewer}


def test_a_matrix_is_read_from_its_columns():
    columns = {"effective_a": [0.1], "effective_b": [0.2], "known_a": [1], "known_b": [0.5]}
    found = matrix_of(columns, ["b", "a"])
    assert found.effective.tolist() == [[0.2], [0.1]]
    assert found.known.tolist() == [[0.5], [1.0]]


def test_tiers_have_their_caps():
    s = np.array([0.7, 0.7, 0.7, 0.7, 0.4, 0.1, np.nan])
    low = np.array([0.7, 0.2, 0.7, 0.7, 0.4, 0.1, 0.0])
    known = np.array([100.0, 100, 10, 100, 100, 100, 100])
    flawed = np.array([False, False, False, True, False, False, False])
    found = tiers_of(s, low, known, flawed, Tiers(a=0.6, b=0.3))
    assert found.tolist() == ["A", "B", "B", "C", "B", "C", ""]


# ── whole numbers ─────────────────────────────────────────────────────────────────────────────
@st.composite
def rough(draw):
    """A matrix that is not yet in steps."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = (3, draw(st.integers(1, 8)))
    known = rng.choice([0.0, 1 / 3, 0.9, 1.0], shape)
    effective = np.where(known > 0, rng.random(shape) ** rng.integers(1, 9), np.nan)
    return Matrix(("a", "b", "c"), stepped(effective), known)


@pytest.mark.parametrize("missing", [*POLICIES, "best"])
@given(matrix=rough())
def test_what_is_combined_is_in_whole_ten_thousandths(missing, matrix):
    scores = matrix.scores(missing)
    there = scores[~np.isnan(scores)]
    np.testing.assert_array_equal(there, np.rint(there * 10_000) / 10_000)
    assert (matrix.least <= np.nan_to_num(matrix.effective)).all()
    assert (np.nan_to_num(matrix.effective) <= matrix.most).all()


@given(st.lists(st.floats(0, 1), max_size=20))
def test_a_score_is_stepped_once_and_only_nothing_is_zero(values):
    found = stepped(np.array(values))
    np.testing.assert_array_equal(stepped(found), found)
    assert ((found == 0) == (np.array(values) == 0)).all()
    np.testing.assert_allclose(found, values, rtol=0, atol=1e-4)


@given(
    matrix=rough(), weights=st.permutations([100.0, 200.0, 700.0]), order=st.permutations([0, 1, 2])
)
def test_a_sum_of_whole_numbers_is_the_same_in_any_order(matrix, weights, order):
    w = np.array(weights)
    other = Matrix(tuple("abc"[k] for k in order), matrix.effective[order], matrix.known[order])
    for missing in (*POLICIES, "best"):
        one = scored(matrix, w, SUM, missing).suitability
        two = scored(other, w[order], SUM, missing).suitability
        assert one.tobytes() == two.tobytes()


def test_a_matrix_from_before_is_rounded_when_it_is_read():
    columns = {"effective_a": [0.123456, np.nan], "known_a": [0.5, 0.0]}
    assert matrix_of(columns, ["a"]).effective[0, 0] == 0.1235
