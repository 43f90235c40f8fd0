from math import exp, log, nan, sqrt

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from geosite.model.combination import EvidenceGated, GeometricMean, WeightedSum
from geosite.suitability import contributions, gated_parts, suitability
from tests import strategies

IDS = ("evidence", "rail", "power")
SUM = WeightedSum(kind="weighted_sum")
GEO = GeometricMean(kind="geometric_mean")
GATED = EvidenceGated(kind="evidence_gated")
RULES = (SUM, GEO, GATED)
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


every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda r: r.kind)
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


@every_rule
@every_policy
@given(matrices())
def test_contributions_sum_to_suitability_or_its_logarithm(rule, missing, case):
    scores, _ = case
    total = suited(*case, rule, missing)
    # The logarithm of what lies below the floor is cut; that is another test.
    floored = (np.nan_to_num(scores, nan=1.0) < 0.001).any(axis=0) & (rule is not SUM)
    floored |= (total < 0.001) & (rule is not SUM)
    sure = ~np.isnan(total) & ~floored
    found = parts(*case, rule, missing).sum(axis=0)[sure]
    wanted = total[sure] if rule is SUM else np.log(total[sure])
    assert np.abs(found - wanted).max(initial=0) <= 1e-9


@every_rule
@given(matrices())
def test_a_contribution_has_one_sign_and_is_larger_for_a_better_score(rule, case):
    scores, weights = case
    known = ~np.isnan(scores).any(axis=0)
    found = parts(scores, weights, rule)[:, known]
    assert (found >= 0).all() if rule is SUM else (found <= 0).all()
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


@every_rule
@given(matrices())
def test_what_is_missing_contributes_nothing_when_weights_are_shared_out(rule, case):
    scores, weights = case
    known = ~np.isnan(suited(scores, weights, rule, "renormalise"))
    assume(known.any())
    found = parts(scores, weights, rule, "renormalise")
    assert (found[np.isnan(scores) & known] == 0).all()
