"""How firm a ranking is: in the table of sites, in the run's folder, on its pages and its map."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import geosite as gs
from geosite.demo import make_world
from geosite.map.cards import card_block
from geosite.model.robustness import Robustness
from geosite.report import read_sites, readme_text, site_table
from geosite.report.robustness import robustness_section, weighting_words
from geosite.robustness import robustness
from geosite.run_shape import misshapen
from geosite.runs import content, open_run
from tests import worlds
from tests.browser.toycontent import toy_content
from tests.test_sites import GATED, GEO, SUM, asked, table


def sites_of(count=30, seed=1, how=None, gaps=0.0):
    rng = np.random.default_rng(seed)
    cells = rng.random((3, count))
    cells[rng.random(cells.shape) < gaps] = np.nan
    how = how or asked(SUM)
    return table(cells, how), how


# ── the table ─────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("combination", [SUM, GEO, GATED], ids=lambda c: c["kind"])
def test_a_row_a_ranked_site_and_its_rank_inside_the_interval_of_all_weightings(combination):
    sites, how = sites_of(how=asked(combination, missing="renormalise"), gaps=0.1)
    found = robustness(sites, how)
    ranked = sites[sites["rank"].notna()]
    assert found.table["site_id"].tolist() == ranked["site_id"].tolist()
    assert found.table["rank"].tolist() == ranked["rank"].tolist()
    assert found.columns.index.equals(sites.index)
    assert list(found.columns) == ["rank_p05", "rank_p95", "top10_share_pct", "top50_share_pct"]
    assert found.columns.loc[sites["rank"].isna()].isna().all(axis=None)
    assert (found.table["rank_p05"] <= found.table["rank_p95"]).all()
    assert found.table["top10_share_pct"].between(0, 100).all()
    assert found.table["top10_share_pct"].sum() == pytest.approx(100 * min(10, len(ranked)))
    weights = found.table[[c for c in found.table if c.startswith("central_")]].dropna()
    np.testing.assert_allclose(weights.sum(axis=1), 100)
    stated = found.table[f"rank_{combination['kind']}"]
    assert stated.tolist() == found.table["rank"].tolist()
    assert (found.table["rank_rules_best"] <= stated).all()
    assert (found.table["rank_rules_worst"] >= stated).all()


def test_the_same_question_has_the_same_answer_whatever_the_order_of_the_rows():
    sites, how = sites_of()
    one, other = robustness(sites, how), robustness(sites.iloc[::-1], how)
    pd.testing.assert_frame_equal(one.table, other.table.loc[one.table.index])
    assert one.summary == other.summary
    seeded = how.model_copy(update={"robustness": Robustness(seed=1)})
    assert not robustness(sites, seeded).table.equals(one.table)


def test_weights_may_be_others_than_the_scenario_states():
    sites, how = sites_of()
    stated = [c.weight for c in how.criteria]
    pd.testing.assert_frame_equal(
        robustness(sites, how, stated).table, robustness(sites, how).table
    )
    assert not robustness(sites, how, [1, 1, 9]).table.equals(robustness(sites, how).table)


@pytest.mark.parametrize("kind", ["minimum", "maximum", "fuzzy_gamma", "topsis"])
def test_other_rules(kind):
    sites, how = sites_of(how=asked({"kind": kind}))
    found = robustness(sites, how)
    reads = kind == "topsis"
    assert found.summary["reads_weights"] == reads
    assert found.summary["rules"][0] == kind
    assert found.table[f"rank_{kind}"].tolist() == found.table["rank"].tolist()
    same = (found.table["rank_p05"] == found.table["rank"]) & (
        found.table["rank_p95"] == found.table["rank"]
    )
    assert same.all() != reads
    assert found.table["central_rail_pct"].notna().any() == reads


def test_the_lists_are_those_the_scenario_asks_for():
    sites, how = sites_of()
    how = how.model_copy(update={"robustness": Robustness(top=(3,), draws=500, spread=None)})
    found = robustness(sites, how)
    assert list(found.columns) == ["rank_p05", "rank_p95", "top3_share_pct"]
    (said,) = found.summary["lists"]
    assert said["k"] == said["sites"] == 3
    assert said["stay"] <= 3 <= said["ever"]
    assert said["first_to_drop"]["site_id"] in sites["site_id"].tolist()[:3]
    assert not misshapen(json.loads(json.dumps(found.summary)), {"draws": int, "top": [int]})


def test_no_site_is_no_fault():
    sites, how = sites_of(3)
    found = robustness(sites.iloc[:0], how)
    assert found.table.empty
    assert json.loads(json.dumps(found.summary, allow_nan=False))["lists"][0]["sites"] == 0


@pytest.mark.parametrize(
    "wrong", [{"draws": 10}, {"spread": 0}, {"spread": 2}, {"top": []}, {"top": [0]}, {"seed": -1}]
)
def test_a_question_that_means_nothing_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Robustness(**wrong)


# ── a run's folder ────────────────────────────────────────────────────────────────────────────
@pytest.fixture(scope="module")
def demo_run(tmp_path_factory):
    world = worlds.shared_demo(tmp_path_factory)
    path = next(p.parent for p in sorted(world.folder.parent.rglob("mine-open-pit/*/run.json")))
    return open_run(path)


def test_the_columns_stand_after_the_other_interval(demo_run):
    columns = list(pd.read_csv(demo_run.path / "sites.csv", nrows=0))
    assert columns[:7] == [
        "rank", "rank_best", "rank_worst", "rank_p05", "rank_p95", "top10_share_pct",
        "top50_share_pct",
    ]  # fmt: skip


def test_the_table_in_the_folder_is_that_of_the_sites(demo_run):
    sites, told = read_sites(demo_run.path), pd.read_csv(demo_run.path / "robustness.csv")
    assert told["site_id"].tolist() == sites["site_id"].tolist()
    assert told["rank_p95"].tolist() == sites["rank_p95"].tolist()
    np.testing.assert_allclose(told["top10_share_pct"], sites["top10_share_pct"], atol=0.006)
    assert told["notice"].str.contains("Pre-decisional").all()


def test_the_page_tells_the_two_intervals_apart(demo_run):
    text = (demo_run.path / "README.md").read_text(encoding="utf-8")
    section = text.partition("## How firm the ranking is")[2].partition("\n## ")[0]
    said = " ".join(section.split())
    assert "10,000 weightings were drawn about the stated one" in said
    assert "once all is known that is not" in said
    assert "doi:10.1287/opre.49.3.444.11220" in said
    assert "asked for (evidence × access)" in said
    assert "robustness.csv" in text


def test_the_map_says_what_other_weights_would_do(demo_run):
    shown = content(demo_run)
    cards = card_block(shown, shown.sites)
    said = cards["texts"][cards["weighting"][0]]
    assert said == weighting_words(shown.robustness, shown.sites.iloc[0].to_dict())
    assert said.startswith("stays in the top 10 in ")
    assert "of 10,000 weightings; rank " in said


def test_the_demo_is_as_firm_as_it_was(tmp_path):
    world = make_world(tmp_path / "world", cells=40_000, seed=3)
    plan = gs.plan(
        gs.open_scenario("mine/open-pit"), gs.open_catalog(world.layers), gs.open_rulebook(),
        world.data, aoi=world.aoi, resolution=90.0,
    )  # fmt: skip
    one, two = (gs.analyse(plan, tmp_path / n) for n in ("one", "two"))
    pd.testing.assert_frame_equal(one.robust.table, two.robust.table)
    assert one.robust.summary == two.robust.summary
    pd.testing.assert_frame_equal(
        pd.DataFrame(one.sites[list(one.robust.columns)]), one.robust.columns
    )


# ── words ─────────────────────────────────────────────────────────────────────────────────────
SITE = {
    "rank": 4, "rank_p05": 2, "rank_p95": 14, "top10_share_pct": 83.99, "top50_share_pct": 100.0,
}  # fmt: skip
SAID = {"draws": 10_000, "reads_weights": True}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "stays in the top 10 in 83 % of 10,000 weightings; rank 2–14"),
        ({"rank": 40}, "stays in the top 50 in 100 % of 10,000 weightings; rank 2–14"),
        ({"rank": 90, "top50_share_pct": 1.2}, "comes into the top 50 in 1 % of 10,000"),
        ({"rank_p05": 4, "rank_p95": 4}, "; rank 4 in nine of ten weightings"),
        ({"rank": None}, "rank 2–14 in nine of ten weightings"),
    ],
)
def test_a_site_in_words(changes, words):
    assert words in weighting_words(SAID, SITE | changes)


def test_what_was_not_asked_is_not_said():
    shown = toy_content()
    assert not weighting_words(None, {"rank": 4})
    assert not robustness_section(shown)
    assert "How firm" not in readme_text(shown)
    assert not weighting_words({**SAID, "reads_weights": False}, SITE)


def test_a_rule_without_weights_says_so():
    said = {**SAID, "reads_weights": False, "lists": [], "agreement": []}
    text = robustness_section(replace(toy_content(), robustness=said))
    assert "reads no weights" in text
    assert "were drawn" not in text


def test_any_list_of_the_scenario_has_its_column():
    shown = toy_content()
    sites = shown.sites.assign(rank_p05=1, rank_p95=3, top7_share_pct=50.0)
    columns = list(site_table(replace(shown, sites=sites)))
    assert columns.index("top7_share_pct") == columns.index("rank_p95") + 1
