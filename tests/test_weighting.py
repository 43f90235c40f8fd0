from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from geosite.errors import CatalogError
from geosite.model.weighting import Weighting
from geosite.weighting import (
    RANDOM_INDEX,
    consistency_lines,
    criterion_weights,
    name_faults,
    pairwise_weights,
    per_mille,
    rank_order_weights,
    voices,
    weighted,
    weighting_faults,
)
from tests.test_inputs import criterion, falling, scenario

IDS = ("rail", "slope", "labour")
READ = TypeAdapter(Weighting).validate_python
DIRECT = {"kind": "direct", "weights": {"rail": 30, "slope": 10, "labour": 20}}
RANKING = {"kind": "ranking", "order": ["slope", ["rail", "labour"]]}
TABLE = {
    "kind": "ahp",
    "criteria": ["slope", "rail", "labour"],
    "table": [["1", "3", "5"], ["1/3", "1", "2"], ["1/5", "1/2", "1"]],
}


def weights(said, ids=IDS):
    return criterion_weights(READ(said), ids)


def wrong(**changes):
    return weighting_faults(READ(TABLE | changes), IDS)


def voice(name, weighting, **more):
    return {"name": name, "weighting": weighting, **more}


# ── the four ways ─────────────────────────────────────────────────────────────────────────────
def test_direct_weights_stay_as_they_are_written_in_the_order_of_the_criteria():
    assert weights(DIRECT).tolist() == [30, 10, 20]


def test_ranked_criteria_have_centroid_weights_and_ties_share():
    assert weights(RANKING) == pytest.approx([7 / 36, 22 / 36, 7 / 36])


@given(st.lists(st.integers(1, 3), min_size=1, max_size=6))
def test_centroid_weights_sum_to_one_and_fall(groups):
    found = rank_order_weights(groups)
    assert sum(w * n for w, n in zip(found, groups, strict=True)) == pytest.approx(1)
    assert all(a > b for a, b in pairwise(found))


def test_a_centroid_is_the_mean_of_the_corners_of_all_weights_in_that_order():
    # Corners of the simplex part w1 ≥ w2 ≥ w3 are (1), (½ ½), (⅓ ⅓ ⅓).
    corners = np.array([[1, 0, 0], [1 / 2, 1 / 2, 0], [1 / 3, 1 / 3, 1 / 3]])
    assert rank_order_weights([1, 1, 1]) == pytest.approx(corners.mean(axis=0))


def test_pairs_give_the_principal_eigenvector_in_the_order_of_the_criteria():
    table = np.array([[1, 3, 5], [1 / 3, 1, 2], [1 / 5, 1 / 2, 1]])
    vector = np.ones(3)
    for _ in range(200):  # the power method, which needs no library
        vector = table @ vector
        vector /= vector.sum()
    assert weights(TABLE) == pytest.approx(vector[[1, 0, 2]], abs=1e-12)


@st.composite
def tables(draw):
    """Reciprocal tables on Saaty's scale."""
    n = draw(st.integers(3, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    table = np.ones((n, n))
    for i in range(n):
        for j in range(i + 1, n):
            value = float(rng.integers(1, 10))
            table[i, j], table[j, i] = (
                (value, 1 / value) if rng.random() < 0.5 else (1 / value, value)
            )
    return table


@given(tables())
def test_pairs_agree_with_an_independent_library(table):
    subjective = pytest.importorskip("pymcdm.weights.subjective")
    theirs = subjective.AHP(matrix=table)
    found, consistency = pairwise_weights(table)
    assert np.abs(found - theirs()).max() <= 1e-9
    # They take the random indices of others, so what agrees is the index before that.
    n = len(table)
    assert abs(consistency.index - theirs.get_cr() * theirs.RI_M[n - 1]) <= 1e-9
    assert consistency.ratio == pytest.approx(consistency.index / RANDOM_INDEX[n - 1])
    assert consistency.eigenvalue >= n - 1e-9


@given(st.lists(st.integers(1, 9), min_size=2, max_size=9))
def test_a_consistent_table_gives_its_own_ratios(ratios):
    r = np.array(ratios, float)
    found, consistency = pairwise_weights(r[:, None] / r[None, :])
    assert found == pytest.approx(r / r.sum())
    assert abs(consistency.ratio) < 1e-9


def test_voices_are_combined_by_influence():
    said = {
        "kind": "stakeholders",
        "voices": [
            voice("industry", DIRECT, influence=2),
            voice("agency", {"kind": "direct", "weights": {"rail": 1, "slope": 1, "labour": 2}}),
        ],
    }
    one, two = np.array([1 / 2, 1 / 6, 1 / 3]), np.array([1 / 4, 1 / 4, 1 / 2])
    assert weights(said) == pytest.approx((2 * one + two) / 3)
    geometric = one ** (2 / 3) * two ** (1 / 3)
    found = weights(said | {"combined": "geometric_mean"})
    assert found == pytest.approx(geometric / geometric.sum())
    each = voices(READ(said), IDS)
    assert list(each) == ["industry", "agency"]
    assert each["industry"] == pytest.approx(one)
    assert voices(READ(DIRECT), IDS) == {}
    assert voices(None, IDS) == {}


# ── faults, all at once ───────────────────────────────────────────────────────────────────────
def test_a_table_that_fits_has_no_fault():
    assert wrong() == []


def test_a_fraction_and_its_decimals_are_reciprocal():
    assert wrong(table=[["1", "3", "5"], ["0.333", "1", "2"], ["0.2", "0.5", "1"]]) == []


def test_every_fault_of_a_table_is_told():
    found = "\n".join(wrong(table=[["2", "3", "12"], ["1/2", "1", "2"], ["1/12", "1/2", "1"]]))
    assert "slope against slope is 2, expected 1" in found
    assert (
        "slope against rail is 3 and the other way round 0.5: not reciprocal, expected 1/3" in found
    )
    assert "slope against labour is 12, expected 1/9 to 9" in found
    assert "labour against slope is 0.0833333, expected 1/9 to 9" in found


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"table": [["1", "3"], ["1/3", "1"]]}, "not square: 2 rows for 3 criteria, row 1 has 2"),
        ({"table": [["1"] * 3, ["1"] * 3, ["1"] * 2]}, "row 3 has 2 values"),
        (
            {"criteria": ["slope", "rail", "road"]},
            "there is no criterion road; there are rail, slope",
        ),
        ({"criteria": ["slope", "rail", "road"]}, "nothing is said of labour"),
        ({"criteria": ["slope", "rail", "rail"]}, "rail is named twice"),
    ],
)
def test_a_table_of_the_wrong_shape_or_names_is_told(changes, said):
    assert said in "\n".join(wrong(**changes))


def test_what_contradicts_itself_is_refused_unless_it_is_allowed():
    table = [["1", "9", "1/9"], ["1/9", "1", "9"], ["9", "1/9", "1"]]
    (line,) = wrong(table=table)
    assert "consistency ratio" in line
    assert "expected at most 0.1" in line
    assert "allow_inconsistent" in line
    assert wrong(table=table, allow_inconsistent=True) == []
    found = weights(TABLE | {"table": table, "allow_inconsistent": True})
    assert found == pytest.approx([1 / 3] * 3)


def test_more_criteria_than_there_are_random_indices_are_refused():
    many = [f"c{k}" for k in range(16)]
    said = READ({"kind": "ahp", "criteria": many, "table": [["1"] * 16] * 16})
    assert "16 criteria" in "\n".join(weighting_faults(said, many))


def test_names_that_are_wrong_or_left_out_are_told_with_those_that_are_right():
    said = {"kind": "direct", "weights": {"rail": 1, "road": 1}}
    with pytest.raises(CatalogError) as error:
        weights(said)
    assert "there is no criterion road; there are rail, slope, labour" in str(error.value)
    assert "nothing is said of slope, labour" in str(error.value)
    assert name_faults(["rail", "slope", "labour"], IDS, "x") == []


def test_a_voice_is_named_where_it_is_wrong():
    said = READ(
        {
            "kind": "stakeholders",
            "voices": [
                voice("industry", {"kind": "ranking", "order": ["rail"]}),
                voice("industry", DIRECT),
            ],
        }
    )
    found = "\n".join(weighting_faults(said, IDS))
    assert "industry speaks twice" in found
    assert "weighting: industry.order: nothing is said of slope, labour" in found


def test_how_far_tables_contradict_themselves_is_said():
    table = [["1", "9", "1/9"], ["1/9", "1", "9"], ["9", "1/9", "1"]]
    odd = TABLE | {"table": table, "allow_inconsistent": True}
    both = [voice("industry", TABLE), voice("towns", odd), voice("agency", DIRECT)]
    one, two = consistency_lines(READ({"kind": "stakeholders", "voices": both}))
    assert one == "pairwise table of industry: consistency ratio 0.003"
    assert two.startswith("pairwise table of towns: consistency ratio")
    assert two.endswith("above 0.1: its judgements contradict each other")
    assert consistency_lines(READ(DIRECT)) == consistency_lines(None) == []


# ── in a scenario ─────────────────────────────────────────────────────────────────────────────
def test_a_scenario_has_the_weights_that_its_weighting_gives():
    criteria = [criterion(i, "distance", falling("0 m", "9 km"), "x/rail") for i in IDS]
    plain = scenario(*criteria)
    assert weighted(plain) is plain
    found = weighted(scenario(*criteria, weighting=DIRECT))
    assert [c.weight for c in found.criteria] == [30, 10, 20]
    assert found.weights == pytest.approx({"rail": 1 / 2, "slope": 1 / 6, "labour": 1 / 3})
    assert weighted(found) == found


def test_a_fraction_is_read_as_it_is_written():
    said = READ(TABLE)
    assert said.table[1][0] == 1 / 3
    assert READ(said.model_dump()) == said


# ── in whole per mille ────────────────────────────────────────────────────────────────────────
@given(st.lists(st.one_of(st.just(0.0), st.floats(1e-9, 1e12)), min_size=1, max_size=40))
def test_per_mille_are_whole_sum_to_a_thousand_and_leave_nobody_out(said):
    if not any(said):
        said = [*said, 1.0]
    found, w = per_mille(said), np.array(said)
    assert found.sum() == 1000
    assert (found == np.rint(found)).all()
    assert ((found > 0) == (w > 0)).all()
    # No weight is off by one or more, but where others are lifted to one per mille.
    share = 1000 * w / w.sum()
    lifted = np.where(w > 0, np.maximum(1 - share, 0), 0).sum()
    assert (found >= share - 1 - lifted - 1e-6).all()
    assert (found <= np.maximum(share, 1) + 1 + 1e-6).all()
    np.testing.assert_array_equal(per_mille(found), found)


@given(st.lists(st.integers(1, 50), min_size=2, max_size=9), st.sampled_from([0.001, 1 / 3, 7.0]))
def test_per_mille_read_the_ratio_of_weights_only_and_keep_their_order(said, factor):
    w = np.array(said, float)
    found = per_mille(w)
    np.testing.assert_array_equal(per_mille(factor * w), found)
    assert all(a >= b for a, b in pairwise(found[np.argsort(-w, kind="stable")]))


def test_per_mille_of_shares_that_are_whole_are_these_shares():
    for tenths in ([0.29, 0.71], [0.1, 0.2, 0.7], [35, 20, 20, 15, 10]):
        wanted = np.array(tenths) / sum(tenths) * 1000
        assert per_mille(tenths).tolist() == wanted.round().tolist()
    # What is left goes to the largest remainders, ties to who is named first.
    assert per_mille([1, 1, 1, 3]).tolist() == [167, 167, 166, 500]
