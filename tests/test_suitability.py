from decimal import Decimal, localcontext
from math import exp, log, nan, sqrt

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pymcdm.methods import WPM, WSM

from geosite.model.combination import (
    PARTS,
    EvidenceGated,
    FuzzyGamma,
    GeometricMean,
    Maximum,
    Minimum,
    OrderedWeights,
    Topsis,
    WeightedSum,
)
from geosite.suitability import (
    LOG_STEPS,
    SCORE_STEPS,
    contributions,
    gated_parts,
    logarithms,
    on_cells,
    suitability,
)
from tests import strategies

IDS = ("evidence", "rail", "power")
SUM = WeightedSum(kind="weighted_sum")
GEO = GeometricMean(kind="geometric_mean")
GATED = EvidenceGated(kind="evidence_gated")
RULES = (SUM, GEO, GATED)
LEAST, MOST = Minimum(kind="minimum"), Maximum(kind="maximum")
OWA = OrderedWeights(kind="owa", order_weights=(1, 3, 4))
GAMMA = FuzzyGamma(kind="fuzzy_gamma", gamma=0.8)
TOPSIS = Topsis(kind="topsis")
LOCAL = (*RULES, LEAST, MOST, OWA, GAMMA)
ADDITIVE = (SUM, LEAST, MOST, OWA)
POLICIES = ("unknown", "worst", "renormalise", "best")
WEIGHTS = np.array([2.0, 1.0, 1.0])


@st.composite
def matrices(draw, *, elements=None):
    """Scores of three criteria at some places, and weights."""
    shape = (3, draw(st.integers(1, 6)))
    anything = st.one_of(
        st.floats(0, 1),
        st.sampled_from((0.0, 1.0, nan, nan)),
        st.integers(0, 8).map(lambda n: n / 8),
    )
    scores = draw(arrays(np.float64, shape, elements=anything if elements is None else elements))
    return scores, np.array(draw(strategies.weights(3)))


def suited(scores, weights, rule, missing="unknown"):
    return suitability(scores, weights, rule, IDS, missing=missing)


def column(*scores):
    return np.array(scores, float)[:, None]


every_rule = pytest.mark.parametrize("rule", LOCAL, ids=lambda r: r.kind)
every_sum_or_log = pytest.mark.parametrize(
    "rule", [r for r in LOCAL if PARTS[r.kind] != "none"], ids=lambda r: r.kind
)
every_policy = pytest.mark.parametrize("missing", POLICIES)


# ── by hand: weights ½, ¼, ¼ ──────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ((0.25, 0.5, 1.0), (0.5, sqrt(0.25) * 0.5**0.25, sqrt(0.25 * 0.75))),
        ((1.0, 1.0, 1.0), (1, 1, 1)),
        ((0.0, 1.0, 1.0), (0.5, 0, 0)),
        ((1.0, 0.0, 1.0), (0.75, 0, sqrt(0.5))),
        ((1.0, 0.0, 0.0), (0.5, 0, 0)),
    ],
)
@every_policy
def test_known_scores_combine_by_the_formula(scores, expected, missing):
    for rule, wanted in zip(RULES, expected, strict=True):
        assert suited(column(*scores), WEIGHTS, rule, missing)[0] == pytest.approx(wanted)


MISSING = {
    # One of the access criteria is not known: evidence 0.25, rail 0.5.
    (nan, "rail"): {
        "unknown": (nan, nan, nan),
        "worst": (0.25, 0, sqrt(0.25 * 0.25)),
        "renormalise": (1 / 3, 0.25 ** (2 / 3) * 0.5 ** (1 / 3), sqrt(0.25 * 0.5)),
        "best": (0.5, sqrt(0.25) * 0.5**0.25, sqrt(0.25 * 0.75)),
    },
    # Evidence is not known: rail and power 0.5.
    (nan, "evidence"): {
        "unknown": (nan, nan, nan),
        "worst": (0.25, 0, 0),
        "renormalise": (0.5, 0.5, nan),
        "best": (0.75, sqrt(0.5), sqrt(0.5)),
    },
    # Nothing is known.
    (nan, "nothing"): {
        "unknown": (nan, nan, nan),
        "worst": (0, 0, 0),
        "renormalise": (nan, nan, nan),
        "best": (1, 1, 1),
    },
}


@pytest.mark.parametrize(
    ("scores", "case"),
    list(zip([(0.25, 0.5, nan), (nan, 0.5, 0.5), (nan, nan, nan)], MISSING, strict=True)),
)
@every_policy
def test_a_missing_score_means_what_the_scenario_says(scores, case, missing):
    found = [suited(column(*scores), WEIGHTS, rule, missing)[0] for rule in RULES]
    assert found == pytest.approx(MISSING[case][missing], nan_ok=True)


def test_evidence_gates_wherever_it_stands_in_the_list():
    shuffled = suitability(
        column(0.5, 0.25, 1.0),
        np.array([1.0, 2.0, 1.0]),
        GATED,
        ("rail", "evidence", "power"),
        missing="unknown",
    )
    assert shuffled == pytest.approx(suited(column(0.25, 0.5, 1.0), WEIGHTS, GATED))


def test_with_evidence_alone_the_gate_is_all_there_is():
    one = {"weights": np.array([3.0]), "combination": GATED, "ids": ("evidence",)}
    assert suitability(column(0.3), **one, missing="worst") == pytest.approx([0.3])
    assert contributions(column(0.3), **one, missing="worst") == pytest.approx(column(log(0.3)))


def test_gated_parts_are_evidence_access_and_the_weight_between_them():
    evidence, access, weight = gated_parts(column(0.2, 0.5, 1), WEIGHTS / 4, 0, "unknown")
    assert (evidence[0], access[0], weight) == (0.2, 0.75, 0.5)


# ── laws ──────────────────────────────────────────────────────────────────────────────────────
@every_rule
@every_policy
@given(matrices())
def test_suitability_is_between_zero_and_one(rule, missing, case):
    found = suited(*case, rule, missing)
    known = ~np.isnan(found)
    assert ((found[known] >= 0) & (found[known] <= 1)).all()
    if missing in ("worst", "best"):
        assert known.all()
    if missing == "unknown":
        assert (known == ~np.isnan(case[0]).any(axis=0)).all()


@every_rule
@given(matrices())
def test_what_is_not_known_lies_between_its_worst_and_its_best(rule, case):
    low, high = suited(*case, rule, "worst"), suited(*case, rule, "best")
    for missing in ("unknown", "renormalise"):
        found = suited(*case, rule, missing)
        known = ~np.isnan(found)
        assert (low[known] <= found[known] + 1e-12).all()
        assert (found[known] <= high[known] + 1e-12).all()
    sure = ~np.isnan(case[0]).any(axis=0)
    assert low[sure].tobytes() == high[sure].tobytes()


@every_rule
@every_policy
@given(matrices(), st.sampled_from((0.001, 0.3, 7.0, 4096.0)))
def test_only_the_ratio_of_weights_matters(rule, missing, case, factor):
    scores, weights = case
    scaled = suited(scores, factor * weights, rule, missing)
    assert scaled == pytest.approx(suited(scores, weights, rule, missing), nan_ok=True, abs=1e-12)


@every_rule
@every_policy
@given(matrices(), st.data())
def test_a_place_does_not_depend_on_the_others(rule, missing, case, data):
    # Bit for bit: removing a candidate never changes, so never reorders, the rest.
    scores, weights = case
    keep = data.draw(arrays(bool, scores.shape[1]))
    for function in (suitability, contributions):
        whole = function(scores, weights, rule, IDS, missing=missing)[..., keep]
        rest = function(scores[:, keep].copy(), weights, rule, IDS, missing=missing)
        assert np.ascontiguousarray(whole).tobytes() == np.ascontiguousarray(rest).tobytes()


@every_rule
@given(matrices(elements=st.floats(0, 1)), st.integers(0, 2), st.floats(0, 1))
def test_a_better_score_never_makes_a_place_worse(rule, case, criterion, gain):
    scores, weights = case
    better = scores.copy()
    better[criterion] += gain * (1 - better[criterion])
    before, after = suited(scores, weights, rule), suited(better, weights, rule)
    assert (after >= before - 1e-12).all()


@every_rule
@given(matrices(elements=st.floats(0, 1)), st.permutations(range(3)))
def test_the_order_of_criteria_does_not_matter(rule, case, order):
    scores, weights = case
    ids = [IDS[k] for k in order]
    found = suitability(scores[order], weights[order], rule, ids, missing="unknown")
    assert found == pytest.approx(suited(scores, weights, rule), abs=1e-12)


# ── contributions ─────────────────────────────────────────────────────────────────────────────
def parts(scores, weights, rule, missing="unknown"):
    return contributions(scores, weights, rule, IDS, missing=missing)


@every_sum_or_log
@every_policy
@given(matrices())
def test_contributions_sum_to_suitability_or_its_logarithm(rule, missing, case):
    scores, _ = case
    total = suited(*case, rule, missing)
    # The logarithm of what lies below the floor is cut; that is another test.
    floored = (np.nan_to_num(scores, nan=1.0) < 0.001).any(axis=0) & (rule not in ADDITIVE)
    floored |= (total < 0.001) & (rule not in ADDITIVE)
    sure = ~np.isnan(total) & ~floored
    found = parts(*case, rule, missing).sum(axis=0)[sure]
    wanted = total[sure] if rule in ADDITIVE else np.log(total[sure])
    assert np.abs(found - wanted).max(initial=0) <= 1e-9


@every_sum_or_log
@given(matrices())
def test_a_contribution_has_one_sign_and_is_larger_for_a_better_score(rule, case):
    scores, weights = case
    known = ~np.isnan(scores).any(axis=0)
    found = parts(scores, weights, rule)[:, known]
    assert (found >= 0).all() if rule in ADDITIVE else (found <= 0).all()
    assert np.isnan(parts(scores, weights, rule)[:, ~known]).any(axis=0).all()


def test_zero_counts_as_the_floor_in_a_logarithm():
    shares = WEIGHTS / 4
    found = parts(column(0, 0.5, 1), WEIGHTS, GEO)[:, 0]
    assert found == pytest.approx(shares * np.log([0.001, 0.5, 1]))
    # What lies below the floor counts as the floor: a zero never looks better than a trace.
    assert (parts(column(1e-5, 0.5, 1), WEIGHTS, GEO)[:, 0] == found).all()
    gated = parts(column(0, 0.5, 1), WEIGHTS, GATED)[:, 0]
    assert gated == pytest.approx([0.5 * log(0.001), 0.5 * log(0.75), 0])
    shut = parts(column(0.5, 0, 0), WEIGHTS, GATED)[:, 0]
    assert shut == pytest.approx([0.5 * log(0.5), 0.25 * log(0.001), 0.25 * log(0.001)])
    lower = GeometricMean(kind="geometric_mean", floor=1e-6)
    assert parts(column(0, 0.5, 1), WEIGHTS, lower)[0, 0] == pytest.approx(0.5 * log(1e-6))


def test_access_is_borne_by_those_who_lack_it():
    found = parts(column(0.25, 0.5, 1.0), WEIGHTS, GATED)[:, 0]
    assert found == pytest.approx([0.5 * log(0.25), 0.5 * log(0.75), 0])
    found = parts(column(1.0, 0.25, 0.75), WEIGHTS, GATED)[:, 0]
    assert found == pytest.approx([0, 0.375 * log(0.5), 0.125 * log(0.5)])
    assert exp(found.sum()) == pytest.approx(suited(column(1, 0.25, 0.75), WEIGHTS, GATED)[0])
    assert not parts(column(1, 1, 1), WEIGHTS, GATED).any()


@every_sum_or_log
@given(matrices())
def test_what_is_missing_contributes_nothing_when_weights_are_shared_out(rule, case):
    scores, weights = case
    known = ~np.isnan(suited(scores, weights, rule, "renormalise"))
    assume(known.any())
    found = parts(scores, weights, rule, "renormalise")
    assert (found[np.isnan(scores) & known] == 0).all()


# ── the rules that look at order, extremes and products ───────────────────────────────────────
def test_they_combine_by_their_formulas():
    scores = column(0.25, 0.5, 1.0)
    assert suited(scores, WEIGHTS, LEAST)[0] == 0.25
    assert suited(scores, WEIGHTS, MOST)[0] == 1
    assert suited(scores, WEIGHTS, OWA)[0] == pytest.approx((1 * 1.0 + 3 * 0.5 + 4 * 0.25) / 8)
    product, union = 0.25 * 0.5 * 0.8, 1 - 0.75 * 0.5 * 0.2
    found = suited(column(0.25, 0.5, 0.8), WEIGHTS, GAMMA)[0]
    assert found == pytest.approx(union**0.8 * product**0.2)


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        # Power is not known: evidence 0.25, rail 0.5.
        ("unknown", (nan, nan, nan, nan)),
        ("worst", (0, 0.5, (0.5 + 3 * 0.25) / 8, 0)),
        ("best", (0.25, 1, (1 + 3 * 0.5 + 4 * 0.25) / 8, 0.125**0.2)),
        # Half of three order weights: the first and half of the second.
        (
            "renormalise",
            (
                0.25,
                0.5,
                (2.5 * 0.5 + 5.5 * 0.25) / 8,
                (1 - 0.375**1.5) ** 0.8 * (0.125**1.5) ** 0.2,
            ),
        ),
    ],
)
def test_they_take_a_missing_score_as_the_scenario_says(missing, expected):
    scores = column(0.25, 0.5, nan)
    found = [suited(scores, WEIGHTS, rule, missing)[0] for rule in (LEAST, MOST, OWA, GAMMA)]
    assert found == pytest.approx(expected, nan_ok=True)


@given(matrices(), st.lists(st.integers(0, 4), min_size=3, max_size=3).filter(any))
def test_an_ordered_average_is_an_independent_sort_and_dot(case, order_weights):
    scores, weights = case
    rule = OrderedWeights(kind="owa", order_weights=order_weights)
    v = np.array(order_weights) / sum(order_weights)
    for missing in ("worst", "best"):
        filled = np.nan_to_num(scores, nan=float(missing == "best"))
        wanted = v @ np.sort(filled, axis=0)[::-1]
        assert suited(scores, weights, rule, missing) == pytest.approx(wanted, abs=1e-12)


@every_policy
@given(matrices())
def test_special_order_weights_are_the_minimum_the_maximum_and_the_mean(missing, case):
    scores, weights = case
    for v, rule in (((0, 0, 1), LEAST), ((1, 0, 0), MOST)):
        found = suited(scores, weights, OrderedWeights(kind="owa", order_weights=v), missing)
        assert found == pytest.approx(suited(scores, weights, rule, missing), nan_ok=True)
    found = suited(scores, weights, OrderedWeights(kind="owa", order_weights=(2, 2, 2)), missing)
    mean = suited(scores, np.ones(3), SUM, missing)
    assert found == pytest.approx(mean, nan_ok=True, abs=1e-12)


@every_policy
@given(matrices())
def test_the_rules_have_an_order_among_themselves(missing, case):
    scores, weights = case
    least, most, owa, mean, geometric, gamma = (
        suited(scores, weights, rule, missing) for rule in (LEAST, MOST, OWA, SUM, GEO, GAMMA)
    )
    known = ~np.isnan(owa)
    for low, high in ((least, owa), (owa, most), (least, geometric), (geometric, mean)):
        assert (low[known] <= high[known] + 1e-12).all()
    product, union = (
        suited(scores, weights, FuzzyGamma(kind="fuzzy_gamma", gamma=g), missing) for g in (0, 1)
    )
    assert (product[known] <= gamma[known] + 1e-12).all()
    assert (gamma[known] <= union[known] + 1e-12).all()


@pytest.mark.parametrize("rule", [LEAST, MOST, OWA, GAMMA], ids=lambda r: r.kind)
@every_policy
@given(matrices())
def test_weights_have_no_part_in_them(rule, missing, case):
    scores, weights = case
    assert (
        suited(scores, weights, rule, missing).tobytes()
        == suited(scores, np.ones(3), rule, missing).tobytes()
    )


def test_the_criterion_that_decides_has_it_all_and_ties_share():
    assert parts(column(0.2, 0.5, 1), WEIGHTS, LEAST)[:, 0].tolist() == [0.2, 0, 0]
    assert parts(column(0.2, 0.5, 1), WEIGHTS, MOST)[:, 0].tolist() == [0, 0, 1]
    assert parts(column(0.5, 0.5, 1), WEIGHTS, LEAST)[:, 0].tolist() == [0.25, 0.25, 0]
    found = parts(column(0.2, 0.5, 0.5), WEIGHTS, OWA)[:, 0]
    assert found == pytest.approx([0.2 * 0.5, 0.5 * 0.25, 0.5 * 0.25])


@pytest.mark.parametrize("rule", [TOPSIS, GAMMA], ids=lambda r: r.kind)
def test_what_is_no_sum_of_parts_has_none(rule):
    assert np.isnan(parts(column(0.2, 0.5, 1), WEIGHTS, rule)).all()


def test_topsis_on_cells_is_the_weighted_sum_and_every_other_rule_is_itself():
    assert on_cells(TOPSIS) == SUM
    assert all(on_cells(rule) is rule for rule in LOCAL)


@every_policy
@given(matrices())
def test_closeness_to_the_ideal_keeps_to_the_laws_that_it_can_keep(missing, case):
    scores, weights = case
    found = suited(scores, weights, TOPSIS, missing)
    known = ~np.isnan(found)
    assert ((found[known] >= 0) & (found[known] <= 1)).all()
    scaled = suited(scores, 4096 * weights, TOPSIS, missing)
    assert scaled == pytest.approx(found, nan_ok=True, abs=1e-12)
    if missing == "unknown":
        assert (known == ~np.isnan(scores).any(axis=0)).all()


@given(st.integers(0, 2**32 - 1))
def test_weighted_means_agree_with_an_independent_library(seed):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 12))
    scores, weights = rng.random((count, 20)), rng.random(count) + 0.01
    ids, share = [f"c{k}" for k in range(count)], weights / weights.sum()
    for rule, method in ((SUM, WSM), (GEO, WPM)):
        theirs = method(normalization_function=lambda x, cost: x)(
            scores.T, share, np.ones(count), validation=False
        )
        found = suitability(scores, weights, rule, ids, missing="unknown")
        assert np.abs(found - theirs).max() <= 1e-9


@given(st.integers(0, 2**32 - 1))
def test_an_ordered_average_is_a_weighted_sum_of_sorted_scores_of_that_library(seed):
    rng = np.random.default_rng(seed)
    scores, v = rng.random((6, 20)), rng.random(6) + 0.01
    theirs = WSM(normalization_function=lambda x, cost: x)(
        np.sort(scores, axis=0)[::-1].T, v / v.sum(), np.ones(6), validation=False
    )
    rule = OrderedWeights(kind="owa", order_weights=v.tolist())
    found = suitability(scores, np.ones(6), rule, list("abcdef"), missing="unknown")
    assert np.abs(found - theirs).max() <= 1e-9


# ── exactly ───────────────────────────────────────────────────────────────────────────────────
@every_rule
@every_policy
@given(matrices(elements=st.one_of(st.integers(0, 10_000).map(lambda q: q / 10_000), st.just(nan))))
def test_whole_scores_are_combined_as_others_are(rule, missing, case):
    scores, weights = case
    exact = suitability(scores, weights, rule, IDS, missing=missing, exact=True)
    assert exact == pytest.approx(suited(scores, weights, rule, missing), nan_ok=True, abs=2e-9)


def test_no_logarithm_of_a_score_lies_where_libraries_may_round_it_either_way():
    # Four units in the last place: a library that is sound is wrong by one.
    found = logarithms(np.arange(SCORE_STEPS + 1) / SCORE_STEPS, exact=True)
    assert found[0] == -np.inf
    with localcontext() as context:
        context.prec = 30
        for q in range(1, SCORE_STEPS):
            true = (Decimal(q) / SCORE_STEPS).ln() * Decimal(LOG_STEPS)
            assert found[q] == float(true.to_integral_value())
            to_half = abs(abs(true - true.to_integral_value()) - Decimal("0.5"))
            assert to_half > 4 * Decimal(float(np.spacing(-float(true))))
