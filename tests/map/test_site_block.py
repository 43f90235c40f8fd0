"""Columns of the sites: all of them, in one order, small, with what is left out said."""

import json

import pytest

from geosite.map.content_block import block_of
from geosite.map.site_block import best_sites, site_block, site_notes
from geosite.report.text import script_json
from tests.browser.toycontent import sites, toy_content


@pytest.fixture(scope="module")
def content():
    return toy_content()


def words(column):
    at = column["at"]
    return [
        [column["words"][k] for k in v] if isinstance(v, list) else column["words"][v] for v in at
    ]


def test_every_column_has_a_value_a_site(content):
    block = site_block(content, best_sites(content, 100))
    table = content.sites
    assert block["n"] == len(table)
    assert block["name"] == table["name"].tolist()
    assert words(block["county"]) == table["county"].tolist()
    assert words(block["commodities"]) == [["lithium", "tungsten"]] * len(table)
    assert words(block["agency"]) == ["Bureau of Land Management"] * len(table)
    for name in ("lon", "lat", "rank", "suitability", "area_ha", "shapes", "rank_p05"):
        assert len(block[name]) == block["n"]
    assert [len(row) for row in block["scores"]] == [block["n"]] * len(content.criteria)


def test_scores_are_steps_and_unknown_ones_are_negative(content):
    table = content.sites.copy()
    table.loc[3, "effective_rail"] = None
    changed = toy_content(sites=table)
    block = site_block(changed, best_sites(changed, 100))
    assert block["scores"][1][3] == -1
    assert block["scores"][0][0] == round(1e4 * table["effective_evidence"][0])


def test_the_best_are_kept_and_the_rest_is_said(content):
    block = site_block(content, best_sites(content, 5))
    assert (block["n"], block["left_out"]) == (5, len(content.sites) - 5)
    assert block["rank"] == [1, 2, 3, 4, 5]
    (said,) = site_notes(block)
    assert "The best 5 sites" in said
    assert site_notes(site_block(content, best_sites(content, 100))) == ()


def test_sites_keep_to_their_share_of_the_page():
    content = toy_content(sites=sites(400))
    whole = len(script_json(site_block(content, best_sites(content, 400))))
    block = block_of(content, max_mb=0.85 * whole / 0.4e6, max_sites=400)
    held = block.data["sites"]
    assert len(script_json(held)) <= 0.85 * whole + 50
    assert held["undrawn"] > 0
    assert any("without an outline" in note for note in block.notes)


def test_a_run_without_sites_has_a_block(content):
    empty = toy_content(sites=content.sites.iloc[:0])
    block = site_block(empty, best_sites(empty, 10))
    assert block["n"] == 0
    assert json.loads(script_json(block))["shapes"] == []
