"""The cards of a page: one a site, small, every text a plain text."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from geosite.map.cards import card_block
from geosite.map.site_block import best_sites
from geosite.report.text import script_json
from tests.browser.hostile import hostile_content
from tests.browser.toycontent import toy_content

LIMIT = 500
"""Bytes of a card where a page holds thousands."""


def block(content, most=100):
    return card_block(content, best_sites(content, most))


def test_there_is_a_card_for_every_site_that_is_shown():
    content = toy_content()
    for most in (3, 100):
        found = block(content, most)
        n = min(most, len(content.sites))
        assert [len(found[k]) for k in ("low", "high", "known")] == [n] * 3
        assert all(len(f["values"]) in (1, n) for f in found["facts"])
        assert all(len(places) == n for places in found["named"].values())


def test_a_card_holds_the_interval_of_the_score_and_what_was_measured():
    content = toy_content()
    found, site = block(content), content.sites.iloc[0]
    assert found["low"][0] == round(site["suitability_low"], 4)
    assert found["high"][0] == round(site["suitability_high"], 4)
    assert found["known"][0] == 80


def test_what_other_weights_would_do_is_said_where_it_was_asked():
    content = toy_content()
    assert block(content)["weighting"] == []
    sites = content.sites.assign(rank_p05=1, rank_p95=9, top10_share_pct=83.0)
    robust = {"draws": 10_000, "reads_weights": True}
    found = block(toy_content(sites=sites, robustness=robust))
    assert found["texts"][found["weighting"][0]] == (
        "stays in the top 10 in 83 % of 10,000 weightings; rank 1–9 in nine of ten weightings"
    )


def test_a_page_of_the_dossier_is_linked_for_the_sites_that_have_one():
    content = toy_content()
    second = content.sites["site_id"].iloc[1]
    linked = toy_content(dossier={second: "../run.review/x.html", "another": "../y.html"})
    assert block(linked)["dossier"] == {"1": "../run.review/x.html"}


def test_what_reviewers_decided_stands_on_the_card_of_its_site():
    site = toy_content().sites["site_id"].iloc[2]
    row = {
        "site_after": site, "decision": "applies", "finding": "", "rule": "sage-grouse",
        "reason": "seen", "role": "biologist", "date": "2026-01-02", "rank_before": 3,
        "rank_after": 3, "suitability_before": 0.5, "suitability_after": 0.5, "moved": "stays",
    }  # fmt: skip
    found = block(toy_content(reviews={"rows": [row]}))["reviews"]
    assert list(found) == ["2"]
    assert "sage-grouse: seen (biologist, 2026-01-02" in found["2"][0][1]


def test_thousands_of_cards_are_small():
    content = toy_content()
    n = 2_000
    many = pd.concat([content.sites] * (n // len(content.sites) + 1), ignore_index=True).iloc[:n]
    random = np.random.default_rng(5)
    for column in ("distance_rail_m", "distance_power_m", "slope_pct", "suitability_low"):
        many[column] = random.uniform(0, 100_000, n)
    many["site_id"] = [f"BLM-{i}" for i in range(n)]
    many["deposits"] = [f"Lode {i}; Lode {i + 1}" for i in range(n)]
    many["rules_unknown"] = "wilderness; lakes"
    many["rules_not_examined"] = "; ".join(f"a rule that cannot tell {k}" for k in range(45))
    text = script_json(block(toy_content(sites=many), n))
    assert len(text) < LIMIT * n


def test_texts_of_strangers_are_plain_lines_and_end_no_script():
    found = script_json(block(hostile_content()))
    assert "<" not in found
    assert "\\u2028" not in found
    texts = json.loads(found)["texts"]
    assert any("<img src=x onerror=" in t for t in texts)
    assert max(map(len, texts)) <= 300


def test_a_run_without_sites_has_no_cards():
    content = toy_content()
    found = block(toy_content(sites=content.sites.iloc[:0]))
    assert (found["facts"], found["low"], found["near"], found["named"]) == ([], [], [], {})
