"""Whether sites stay where they are: drawn outlines, cuts and thresholds, and the verb's text."""

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geosite.model.scenario import Tiers
from geosite.report.stability import Stability, stability_text
from geosite.stability import matches, steadiness, threshold_moves, tier_moves
from tests.toyworld import ALBERS, toygrid

CUTS = Tiers(a=0.7, b=0.4)


def frame(*boxes, first=1):
    ids = [f"BLM-{k}" for k in range(first, first + len(boxes))]
    return gpd.GeoDataFrame(
        {"rank": pd.array(range(1, len(boxes) + 1), "Int64"), "site_id": ids},
        geometry=[shapely.box(*b) for b in boxes],
        crs=ALBERS,
    )


A, B, C = (0, 0, 10, 10), (20, 0, 30, 10), (40, 0, 50, 10)


# ── the same sites ────────────────────────────────────────────────────────────────────────────
def test_a_site_is_the_one_it_shares_the_most_land_with():
    other = frame((21, 0, 33, 10), (0, 0, 4, 10), (4, 0, 10, 10), (45.1, 0, 60, 10), first=7)
    found = matches(frame(A, B, C), other)
    assert found["other_site_id"].tolist() == ["BLM-9", "BLM-7", ""]
    assert found["other_rank"].tolist() == [3, 1, pd.NA]
    assert found["overlap_pct"].tolist() == pytest.approx([100, 90, 49])
    assert found["covered_pct"].tolist() == pytest.approx([100, 90, 49])


def test_sites_that_have_grown_together_are_found_again_once():
    grown, parts = frame((0, 0, 50, 10), first=7), frame(A, (20, 0, 32, 10), C)
    found = matches(parts, grown)
    assert found["other_site_id"].tolist() == ["", "BLM-7", ""]
    assert found["overlap_pct"].tolist() == pytest.approx([100, 100, 100])
    said = steadiness(parts, grown, found)
    assert (said["matched"], said["kept"][10]) == (1, pytest.approx(100 / 3))
    assert steadiness(grown, parts, matches(grown, parts))["matched"] == 1


def test_an_analysis_is_as_steady_as_can_be_against_itself():
    sites = frame(A, B, C)
    pairs = matches(sites, sites)
    said = steadiness(sites, sites, pairs)
    assert pairs["site_id"].tolist() == pairs["other_site_id"].tolist()
    assert said["kept"] == {10: 100.0, 50: 100.0}
    assert (said["kendall"], said["spearman"], said["jaccard"]) == (1, 1, pytest.approx(1))
    assert (said["sites"], said["matched"]) == (3, 3)


def test_another_order_and_other_land_by_hand():
    sites, other = frame(A, B, C), frame(C, B, (0, 0, 10, 5))
    said = steadiness(sites, other, matches(sites, other))
    assert said["kendall"] == said["spearman"] == -1
    assert said["jaccard"] == pytest.approx(250 / 300)
    assert said["area_ha"] == pytest.approx(250 / 10_000)


def test_no_site_is_like_no_other():
    sites, none = frame(A, B), frame()
    for one, two in ((sites, none), (none, sites), (none, none)):
        said = steadiness(one, two, matches(one, two))
        assert said["matched"] == 0
        assert np.isnan(said["kendall"])


# ── cuts ──────────────────────────────────────────────────────────────────────────────────────
def graded(*rows):
    columns = ["suitability", "suitability_low", "known_weight_pct", "fatal_flaws"]
    return pd.DataFrame(rows, columns=columns)


def test_tiers_move_with_their_cuts():
    sites = graded(
        (0.72, 0.6, 100, ""), (0.68, 0.6, 100, ""), (0.42, 0.4, 100, ""), (0.1, 0.1, 100, ""),
        (0.9, 0.9, 100, "wilderness"), (np.nan, 0, 0, ""), (0.69, 0.6, 10, ""),
    )  # fmt: skip
    found = tier_moves(sites, CUTS, (-0.05, 0.0, 0.05)).set_index(["cut", "shift"])
    counts = ["tier_a", "tier_b", "tier_c", "up", "down"]
    assert found.loc[("both", 0.0), counts].tolist() == [1, 3, 2, 0, 0]
    assert found.loc[("a", -0.05), counts].tolist() == [2, 2, 2, 1, 0]
    assert found.loc[("b", 0.05), counts].tolist() == [1, 2, 3, 0, 1]
    assert found.loc[("both", 0.05), counts].tolist() == [0, 3, 3, 0, 2]


def test_cuts_that_would_be_none_are_left_out():
    near = Tiers(a=0.45, b=0.4)
    found = tier_moves(graded((0.5, 0.5, 100, "")), near, (-0.41, -0.05, 0.1, 0.6))
    assert list(zip(found["cut"], found["shift"], strict=True)) == [
        ("both", -0.05), ("both", 0.1), ("a", 0.1), ("b", -0.05),
    ]  # fmt: skip


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=8), st.floats(-0.2, 0.2))
@settings(max_examples=25, deadline=None)
def test_a_higher_cut_never_raises_a_tier(pairs, shift):
    sites = graded(*((max(p), min(p), 100, "") for p in pairs))
    for row in tier_moves(sites, CUTS, (shift,)).to_dict("records"):
        assert row["tier_a"] + row["tier_b"] + row["tier_c"] == len(sites)
        assert row["up"] == 0 or shift < 0
        assert row["down"] == 0 or shift > 0


# ── thresholds ────────────────────────────────────────────────────────────────────────────────
GRID = toygrid(8, 12)


def moved(suited, parcel, size, **more):
    def read(window):
        rows, columns = GRID.window(window)
        return suited[rows, columns], parcel[rows, columns]

    windows = list(GRID.tiles(size))
    return threshold_moves(read, windows, 0.5, (-0.1, 0.1, 0.7), least_cells=4, **more)


def test_patches_grow_and_shrink_with_the_threshold():
    suited, parcel = np.full(GRID.shape, np.nan, np.float32), np.ones(GRID.shape, np.int32)
    suited[1:4, 1:4] = 0.55
    suited[1:4, 4:6] = 0.45
    suited[6, 1:4] = 0.9  # three cells are no patch
    suited[5:7, 8:10] = 0.8
    found = moved(suited, parcel, 12)
    assert found["threshold"].tolist() == [0.5, 0.4, 0.6]
    assert found["patches"].tolist() == [2, 2, 1]
    assert found["cells"].tolist() == [13, 19, 4]
    assert found["jaccard"].tolist() == pytest.approx([1, 13 / 19, 4 / 13])


@given(st.integers(0, 999), st.sampled_from([3, 4, 5, 12]))
@settings(max_examples=20, deadline=None)
def test_any_tiling_gives_the_same(seed, size):
    rng = np.random.default_rng(seed)
    suited = rng.random(GRID.shape).astype(np.float32)
    suited[rng.random(GRID.shape) < 0.1] = np.nan
    parcel = np.where(np.arange(GRID.shape[1]) < 6, 1, 2) * np.ones(GRID.shape, np.int32)
    one, other = moved(suited, parcel, 12), moved(suited, parcel, size)
    pd.testing.assert_frame_equal(one, other)
    assert (other["jaccard"].fillna(0).between(0, 1)).all()


def test_no_land_is_no_patch():
    found = moved(np.full(GRID.shape, np.nan, np.float32), np.zeros(GRID.shape, np.int32), 5)
    assert found["patches"].tolist() == [0, 0, 0]
    assert found["jaccard"].isna().all()


# ── text ──────────────────────────────────────────────────────────────────────────────────────
def answered(**changes):
    sites = frame(A, B, C)
    pairs = matches(sites, sites)
    cells = {"cell_m": 180.0, **steadiness(sites, sites, pairs), "also_differs": []}
    return Stability(
        **{
            "title": "A *mine*", "aoi": "Nevada", "as_of": "2026-01-02", "notice": "screening",
            "cell_m": 90.0, "sites": 3, "cells": (cells,), "matches": pairs.assign(cell_m=180.0),
            "tiers": tier_moves(graded((0.72, 0.6, 100, "")), CUTS, (0.05,)),
            "tier_cuts": (0.7, 0.4),
            **changes,
        }
    )  # fmt: skip


def test_the_page_says_what_was_found():
    text = stability_text(answered())
    assert "| 180 m | 3 | 3 of 3 | 100 % | 100 % | 1.00 | 1.00 | 1.00 |" in text
    assert "A \\*mine\\*" in text
    assert "| both | +0.05 |" in text
    assert "threshold" not in text
    assert "Something else" not in text


def test_what_else_differs_is_said_and_what_is_not_known_is_null():
    (row,) = answered().cells
    lost = {**row, "kendall": float("nan"), "also_differs": ["layer land/blm is other"]}
    found = answered(cells=(lost,), thresholds=moved(
        np.full(GRID.shape, np.nan, np.float32), np.zeros(GRID.shape, np.int32), 5
    ).assign(area_ha=0.0))  # fmt: skip
    text = stability_text(found)
    assert "Something else was asked otherwise too" in text
    assert "land/blm is other" in text
    assert "## Above another threshold" in text
    said = json.loads(json.dumps(found.said, allow_nan=False))
    assert said["cells"][0]["kendall"] is None
    assert said["thresholds"][0]["jaccard"] is None
