import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geosite.inputs import Chosen
from geosite.pieces import KEYS, Piece, piece_table
from geosite.sites import (
    best_of_each,
    decision_matrix,
    in_order,
    matrix_table,
    measure_column,
    ranked,
    rescored,
    site_ids,
)
from geosite.suitability import on_cells, suitability
from geosite.weighting import per_mille
from tests.strategies import rule
from tests.test_inputs import criterion, falling, rising, scenario
from tests.toyworld import toygrid

CRITERIA = (
    criterion("rail", "distance", falling("0 m", "9 km"), "x/rail", weight=2),
    criterion("evidence", "slope", rising("0 %", "9 %"), "x/dem", critical=True),
    criterion("zone", "category", {"kind": "categorical", "scores": {"a": 1, "b": 0}}, "x/zone"),
)
CHOSEN = tuple(Chosen(c, c) for c in CRITERIA)
SUM, GEO, GATED = ({"kind": k} for k in ("weighted_sum", "geometric_mean", "evidence_gated"))
RULES = tuple(
    rule(name, mine)
    for name, mine in {
        "keep-off": {"tier": "exclude"},
        "stay-near": {"tier": "require", "within": "1 km"},
        "rather-not": {"tier": "avoid", "factor": "0.5"},
        "mind": {"tier": "mitigate"},
        "tell": {"tier": "flag"},
        "case": {"tier": "include", "case": "1"},
    }.items()
)
TREATMENTS = tuple(r.mine for r in RULES)
GRID = toygrid(4, 8, row=-2203, column=-7712)


def asked(combination=SUM, missing="unknown", **changes):
    return scenario(*CRITERIA, combination=combination, missing=missing, **changes)


def summed(cells, how, site=None, planes=None, unknown=None):
    """Joined sums of sites: `cells` are the (criteria, cells) effective scores of GRID's cells."""
    effective = np.asarray(cells, float)
    count = effective.shape[1]
    site = np.arange(count) if site is None else np.asarray(site)
    weights = per_mille([c.weight for c in CRITERIA])
    ids = [c.id for c in CRITERIA]
    rule_ = on_cells(how.combination)
    suited = suitability(effective, weights, rule_, ids, missing=how.missing)
    measures = np.stack([effective[0] * 9000, effective[1] * 9, np.where(effective[2] > 0, 0, 1)])
    at = np.argwhere(np.ones(GRID.shape, bool))[:count]
    nothing = np.zeros(count, bool)
    whole = Piece(
        window=GRID,
        at=at,
        piece=(site + 1).astype(np.int32),
        parcel=np.ones(count, np.int32),
        unknown=nothing if unknown is None else np.asarray(unknown),
        measures=np.where(np.isnan(effective), np.nan, measures),
        effective=effective,
        suited=suited,
        planes=np.zeros((1, count), np.uint64) if planes is None else planes,
    )
    return piece_table(whole, CRITERIA, len(RULES), None).drop(columns=KEYS)


def table(cells, how, site=None, agencies=None, **more):
    sums = summed(cells, how, site, **more)
    return ranked(sums, how, CHOSEN, agencies or ["BLM"] * len(sums), resolution=GRID.resolution)


@st.composite
def lands(draw, *, known=False):
    """Scores of some cells, and the site of each."""
    count = draw(st.integers(1, 12))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    cells = rng.integers(0, 21, (3, count)) / 20
    if not known:
        cells[rng.random(cells.shape) < 0.3] = np.nan
    return cells, np.sort(rng.integers(0, 4, count))


LOCAL = (SUM, GEO, GATED, {"kind": "minimum"}, {"kind": "maximum"}, {"kind": "fuzzy_gamma"})
LOCAL = (*LOCAL, {"kind": "owa", "order_weights": ["1", "2", "4"]})
TOPSIS = {"kind": "topsis"}
ADDITIVE = ("weighted_sum", "minimum", "maximum", "owa")
every_rule = pytest.mark.parametrize("combination", LOCAL, ids=lambda c: c["kind"])
and_topsis = pytest.mark.parametrize("combination", [*LOCAL, TOPSIS], ids=lambda c: c["kind"])
few = settings(max_examples=15)


# ── the decomposition ─────────────────────────────────────────────────────────────────────────
@every_rule
@few
@given(land=lands(), missing=st.sampled_from(("unknown", "worst", "renormalise")))
def test_contributions_sum_to_suitability(combination, land, missing):
    found = table(land[0], asked(combination, missing), land[1])
    parts = found[[f"contribution_{c.id}" for c in CRITERIA]].sum(axis=1, skipna=False)
    s, effective = found["suitability"], found[[f"effective_{c.id}" for c in CRITERIA]]
    if combination["kind"] == "fuzzy_gamma":
        assert parts.isna().all()
        return
    additive = combination["kind"] in ADDITIVE
    # What is below the floor counts as the floor in a logarithm.
    exact = s.notna() if additive else s.notna() & (effective.min(axis=1) >= 0.001)
    if missing == "worst" and not additive:
        exact &= effective.notna().all(axis=1)
    expected = s if additive else np.log(s.where(exact, 1.0))
    np.testing.assert_allclose(parts[exact], expected[exact], rtol=0, atol=1e-9)


@few
@given(lands(known=True))
def test_the_mean_of_the_surface_is_the_weighted_sum_where_all_is_known(land):
    found = table(land[0], asked(), land[1])
    np.testing.assert_allclose(
        found["suitability"], found["suitability_surface"], rtol=0, atol=1e-4
    )


@and_topsis
@few
@given(land=lands(), missing=st.sampled_from(("unknown", "worst", "renormalise")))
def test_suitability_lies_between_worst_and_best(combination, land, missing):
    found = table(land[0], asked(combination, missing), land[1])
    low, high = found["suitability_low"], found["suitability_high"]
    assert low.notna().all()
    assert high.notna().all()
    assert (low <= high + 1e-12).all()
    s = found["suitability"].dropna()
    assert (s >= low[s.index] - 1e-12).all()
    assert (s <= high[s.index] + 1e-12).all()
    assert (low >= -1e-12).all()
    assert (high <= 1 + 1e-12).all()


@few
@given(lands())
def test_scoring_the_same_set_again_changes_nothing_and_a_smaller_one_is_the_set_it_is(land):
    how = asked(TOPSIS, "renormalise")
    sums = summed(land[0], how, land[1])
    found = table(land[0], how, land[1])
    matrix = decision_matrix(sums.loc[found.index], CHOSEN)
    again = rescored(found, matrix, how)
    pd.testing.assert_frame_equal(again, found[again.columns])
    half = found.iloc[::2]
    kept = rescored(half, decision_matrix(sums.loc[half.index], CHOSEN), how)
    alone = ranked(sums.loc[half.index], how, CHOSEN, ["BLM"] * len(half), resolution=250)
    assert kept["site_id"].tolist() == alone["site_id"].tolist()
    assert kept["suitability"].to_numpy().tobytes() == alone["suitability"].to_numpy().tobytes()


def test_the_matrix_is_a_table_of_its_sites():
    cells = [[0.2, 0.4, np.nan, 1.0], [np.nan] * 4, [0.5, 0.5, 0.5, 0.0]]
    found = matrix_table(decision_matrix(summed(cells, asked(), [0, 0, 0, 1]), CHOSEN), ["p", "q"])
    assert found["site_id"].tolist() == ["p", "q"]
    assert found["effective_rail"].tolist() == pytest.approx([0.3, 1])
    assert found["known_evidence"].tolist() == [0, 0]


def test_the_matrix_is_the_mean_over_the_cells_that_are_known():
    cells = [[0.2, 0.4, np.nan, 1.0], [np.nan] * 4, [0.5, 0.5, 0.5, 0.0]]
    matrix = decision_matrix(summed(cells, asked(), [0, 0, 0, 1]), CHOSEN)
    np.testing.assert_allclose(matrix.effective, [[0.3, 1], [np.nan, np.nan], [0.5, 0]])
    np.testing.assert_allclose(matrix.known, [[2 / 3, 1], [0, 0], [1, 1]])
    assert matrix.ids == ("rail", "evidence", "zone")


# ── the ranking ───────────────────────────────────────────────────────────────────────────────
@every_rule
@few
@given(land=lands(), gone=st.integers(0, 3))
def test_removing_one_site_never_reorders_the_rest(combination, land, gone):
    cells, site = land
    how = asked(combination, "renormalise")
    there = table(cells, how, site)
    sums = summed(cells, how, site)
    kept = sums[np.unique(site) != site[gone % len(site)]]
    without = ranked(kept, how, CHOSEN, ["BLM"] * len(kept), resolution=GRID.resolution)
    same = there[there["site_id"].isin(without["site_id"])]
    assert same["site_id"].tolist() == without["site_id"].tolist()
    columns = [c for c in there if not c.startswith("rank")]
    if without.empty:
        assert same.empty
        return
    pd.testing.assert_frame_equal(same[columns], without[columns])


@few
@given(lands())
def test_ranks_go_down_from_the_best_and_what_is_unknown_has_none(land):
    found = table(land[0], asked(), land[1])
    known = found["suitability"].notna()
    assert found["rank"][known].tolist() == [*range(1, known.sum() + 1)]
    assert found["rank"][~known].isna().all()
    assert known.is_monotonic_decreasing
    assert found["suitability"][known].round(9).is_monotonic_decreasing
    assert (found["tier"][~known] == "").all()


def test_ties_go_by_the_id_of_the_site():
    cells = np.full((3, 4), 0.5)
    agencies = ["USFS", "BLM", "FWS", "BLM"]
    found = table(cells, asked(), agencies=agencies)
    assert found["site_id"].tolist() == sorted(found["site_id"])
    assert found["rank"].tolist() == [1, 2, 3, 4]
    # What agrees in nine decimals is a tie, too.
    assert found["agency"].tolist() == ["BLM", "BLM", "FWS", "USFS"]


# ── the ranks that a site may have ────────────────────────────────────────────────────────────
def scored(*rows):
    """Sites in order, from (suitability, lowest, highest); ids by letter."""
    table = pd.DataFrame(rows, columns=["suitability", "suitability_low", "suitability_high"])
    return in_order(table.assign(site_id=[chr(97 + k) for k in range(len(rows))]))


def spans(table):
    return {
        i: (b, w)
        for i, b, w in zip(table["site_id"], table["rank_best"], table["rank_worst"], strict=True)
    }


def test_a_site_may_have_the_ranks_that_the_unknown_leaves_open():
    found = scored((0.9, 0.9, 0.9), (0.6, 0.2, 0.95), (0.5, 0.5, 0.5), (0.1, 0.1, 0.1))
    assert found["rank"].tolist() == [1, 2, 3, 4]
    assert spans(found) == {"a": (1, 2), "b": (1, 3), "c": (2, 3), "d": (4, 4)}


def test_a_tie_is_decided_by_the_id_in_the_interval_too():
    found = scored((0.5, 0.5, 0.5), (0.5 + 1e-12, 0.5 + 1e-12, 0.5 + 1e-12), (0.5, 0.3, 0.5))
    assert spans(found) == {"a": (1, 1), "b": (2, 2), "c": (3, 3)}


def test_a_site_without_a_rank_may_take_one_from_the_others():
    found = scored((np.nan, 0.8, 1.0), (0.5, 0.5, 0.5))
    assert found["site_id"].tolist() == ["b", "a"]
    assert found["rank"].isna().tolist() == [False, True]
    # It is surely better, and not ranked: nobody else is moved until it is.
    assert spans(found) == {"a": (1, 1), "b": (1, 2)}


scores_ = st.integers(0, 8).map(lambda n: n / 8)
intervals = st.lists(st.tuples(scores_, scores_, scores_).map(sorted), min_size=1, max_size=9)


@given(intervals)
def test_the_interval_holds_the_rank_and_every_rank_that_may_be(rows):
    found = scored(*((middle, low, high) for low, middle, high in rows))
    assert (found["rank_best"] <= found["rank"]).all()
    assert (found["rank"] <= found["rank_worst"]).all()
    assert (found["rank_best"] >= 1).all()
    assert (found["rank_worst"] <= len(found)).all()
    for k in range(len(rows)):
        # The best case of one site: its own highest, all others at their lowest.
        for mine, others, column in ((2, 0, "rank_best"), (0, 2, "rank_worst")):
            case = [r[mine] if i == k else r[others] for i, r in enumerate(rows)]
            then = scored(*((c, c, c) for c in case)).set_index("site_id")
            name = chr(97 + k)
            assert then.at[name, "rank"] == found.set_index("site_id").at[name, column]


@given(intervals)
def test_where_all_is_known_the_interval_is_the_rank(rows):
    found = scored(*((r[1], r[1], r[1]) for r in rows))
    assert found["rank_best"].tolist() == found["rank"].tolist() == found["rank_worst"].tolist()


@given(intervals, st.integers(0, 8), scores_, scores_)
def test_more_knowledge_never_widens_the_interval(rows, which, low, high):
    before = [(m, lo, hi) for lo, m, hi in rows]
    middle, least, most = before[which % len(rows)]
    # The ends come nearer to the middle, or stay.
    after = [*before]
    after[which % len(rows)] = (middle, max(least, min(low, middle)), min(most, max(high, middle)))
    one, two = (scored(*r).sort_values("site_id") for r in (before, after))
    assert (two["rank_best"].to_numpy() >= one["rank_best"].to_numpy()).all()
    assert (two["rank_worst"].to_numpy() <= one["rank_worst"].to_numpy()).all()


@and_topsis
@few
@given(land=lands(), missing=st.sampled_from(("unknown", "worst", "renormalise")))
def test_every_table_has_its_ranks_between_best_and_worst(combination, land, missing):
    found = table(land[0], asked(combination, missing), land[1])
    ranked_ = found[found["rank"].notna()]
    assert (ranked_["rank_best"] <= ranked_["rank"]).all()
    assert (ranked_["rank"] <= ranked_["rank_worst"]).all()
    assert (found["rank_best"] <= found["rank_worst"]).all()


def test_ids_of_sites_say_where_they_are_and_are_never_the_same():
    found = table(np.full((3, 20), 0.5), asked())
    assert found["site_id"].is_unique
    assert "BLM-W7712N2203" in set(found["site_id"])
    assert "BLM-W7712N2202" in set(found["site_id"])
    codes = pd.Series(summed(np.full((3, 1), 0.5), asked())["anchor"])
    assert site_ids(codes, ["DOD"]) == ["DOD-W7712N2203"]


def test_east_and_south_of_the_origin_are_called_so():
    far = (2**30 + 12) * 2**31 + (2**30 + 5)
    assert site_ids(pd.Series([far, far - 12 * 2**31 - 5]), ["BLM", "BLM"]) == [
        "BLM-E5S12",
        "BLM-E0S0",
    ]


# ── tiers, flaws, gaps ────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("scores", "tier", "flaw"),
    [
        ((0.7, 0.7, 0.7), "A", ""),
        ((0.69, 0.69, 0.69), "B", ""),
        ((0.4, 0.4, 0.4), "B", ""),
        ((0.39, 0.39, 0.39), "C", ""),
        ((1, 0, 1), "C", "Evidence"),
        ((0, 1, 1), "B", ""),
    ],
)
def test_a_fatal_flaw_caps_the_tier(scores, tier, flaw):
    found = table(np.array(scores, float)[:, None], asked()).iloc[0]
    assert (found["tier"], found["fatal_flaws"]) == (tier, flaw)


def test_what_is_not_known_of_a_flaw_is_no_flaw_but_is_said():
    found = table([[1.0], [np.nan], [1.0]], asked(missing="renormalise")).iloc[0]
    assert found["fatal_flaws"] == ""
    assert found["not_examined"] == "Evidence"
    assert found["known_weight_pct"] == pytest.approx(75)
    assert found["suitability"] == 1
    assert found["suitability_low"] == pytest.approx(0.75)


def test_doubtful_land_is_told_apart():
    found = table(np.full((3, 4), 0.5), asked(), [0] * 4, unknown=[True, False, False, False])
    row = found.iloc[0]
    assert (row["area_ha"], row["clear_ha"], row["unknown_ha"]) == (4, 3, 1)
    assert row["acres"] == pytest.approx(9.884215)
    assert row["suitability_p90"] == pytest.approx(0.505)


def test_measures_are_named_with_their_unit_and_a_category_by_its_name():
    assert [measure_column(c, 90.0) for c in CHOSEN] == [
        "rail_distance_m",
        "evidence_slope_at_90m_pct",
        "zone_category_category",
    ]
    cells = [[0.1, 0.2, 0.6], [0.5, 0.5, np.nan], [1, 1, 0]]
    row = table(cells, asked(missing="renormalise"), [0] * 3).iloc[0]
    assert row["rail_distance_m"] == pytest.approx(2700)
    assert row["evidence_slope_at_100m_pct"] == pytest.approx(4.5)
    assert row["zone_category_category"] == "a"
    nowhere = table([[0.1], [0.5], [np.nan]], asked(missing="renormalise")).iloc[0]
    assert nowhere["zone_category_category"] == ""


def test_a_criterion_that_reads_nothing_has_an_empty_column():
    how = asked(missing="renormalise")
    unread = (*CHOSEN[:2], Chosen(CRITERIA[2], None))
    sums = summed([[0.5], [0.5], [np.nan]], how)
    found = ranked(sums, how, unread, ["BLM"], resolution=100.0).iloc[0]
    assert np.isnan(found["zone_category_category"])
    assert found["not_examined"] == "Zone"


def test_no_sites_make_a_table_without_rows_with_the_same_columns():
    how = asked()
    none = summed(np.full((3, 1), 0.5), how).iloc[:0]
    found = ranked(none, how, CHOSEN, [], resolution=100.0)
    assert found.empty
    assert [*found] == [*table(np.full((3, 1), 0.5), how)]


@given(lands())
def test_under_worst_a_cell_that_is_not_known_earns_nothing(land):
    cells, site = land
    found = table(cells, asked(missing="worst"), site)
    assert found["suitability"].tolist() == pytest.approx(
        found["suitability_surface"].tolist(), abs=1e-4
    )


@given(lands())
def test_under_unknown_a_site_is_known_where_every_cell_is(land):
    cells, site = land
    found = table(cells, asked(missing="unknown"), site).sort_index()
    for index, value in zip(found.index, found["suitability"], strict=True):
        mine = site == np.unique(site)[index]
        assert np.isnan(value) == np.isnan(cells[:, mine]).any()


def test_an_installation_of_several_parcels_is_one_choice():
    found = table([[0.2, 0.9, 0.5]] * 2 + [[1, 1, 1]], asked(), [0, 1, 2])
    found = found.assign(parcel=["fort", "camp", "fort"])
    best = best_of_each(found, ["agency", "parcel"])
    assert best["parcel"].tolist() == ["fort", "camp"]
    assert best["rank"].tolist() == [1, 2]
    assert best["other_pads"].tolist() == [1, 0]


def test_a_site_that_might_be_poor_is_not_in_tier_a():
    # One criterion of three is not known: the others carry a site to A, the interval does not.
    cells = [[1.0], [1.0], [np.nan]]
    how = asked(missing="renormalise", tiers={"a": "0.9", "b": "0.85", "known": "0"})
    row = table(cells, how).iloc[0]
    assert row["suitability"] == pytest.approx(1)
    assert row["suitability_low"] < 0.85
    assert row["tier"] == "B"
