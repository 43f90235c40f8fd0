"""The page as text: made with Folium, the same every time, and hostile words stay words."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import folium
import pytest

from geosite.map import render_map, write_map
from geosite.map.page import SCRIPTS, STYLES
from geosite.report.frame import static
from tests.browser.hostile import hostile_content
from tests.browser.toycontent import toy_content
from tests.pages import blob_of, data_of, page_of

DISCLAIMER = "BLM master title plats and case files control"


@pytest.fixture(scope="module")
def page():
    return page_of(toy_content())


def test_the_map_is_a_folium_map_that_links_nothing(page):
    assert isinstance(render_map(toy_content()), folium.Map)
    own = re.sub(r"<(script|style)[^>]*>.*?</\1>", "", page, flags=re.DOTALL)
    assert re.findall(r"(?:src|href)=\"(?!#)([^\"]+)\"", own) == []
    assert "L.map(" in page


def test_the_same_content_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_map(toy_content(), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_page_carries_the_disclaimer_the_marking_and_the_world(page):
    for words in (
        DISCLAIMER,
        "Data: synthetic; rules as of 2025-11-21",
        "public data only",
        "SYNTHETIC WORLD",
    ):
        assert words in page
    real = page_of(toy_content(synthetic=False, marking="CUI"))
    assert "SYNTHETIC WORLD" not in real
    assert "Data as of 2011 to 2024, 1 layer undated; rules as of 2025-11-21." in real
    assert "CUI" in real


def test_hostile_text_stays_text_in_the_page(page):
    hostile = page_of(hostile_content())

    def scripts(text):
        return len(re.findall(r"<script(?! type=\"text/plain\")", text))

    assert scripts(hostile) == scripts(page)
    assert "<img src=x" not in hostile
    assert "{{ 7*7 }}" in json.dumps(data_of(hostile)) + blob_of(hostile, "cards")
    assert "x" * 2000 not in hostile
    hostile.encode("utf-8")


def test_only_the_best_sites_are_drawn_and_the_page_says_so():
    found = data_of(page_of(toy_content(), max_sites=5))["sites"]
    assert found["rank"] == [1, 2, 3, 4, 5]
    assert found["n"] == 5
    assert found["left_out"] == 9


def test_scores_are_whole_steps_of_the_decision_matrix(page):
    data, sites = data_of(page), toy_content().sites
    for row, criterion in zip(data["sites"]["scores"], data["criteria"], strict=True):
        stated = sites[f"effective_{criterion['id']}"].to_numpy()
        assert row == [round(10_000 * v) for v in stated]
    assert sum(c["weight"] for c in data["criteria"]) == 1000


def test_columns_that_are_not_there_are_not_shown():
    bare = toy_content().sites[["rank", "site_id", "geometry"]]
    found = data_of(page_of(toy_content(sites=bare)))["sites"]
    assert set(found["suitability"]) == {None}


def test_every_script_and_style_is_in_the_page_once_and_none_lies_about():
    from pathlib import Path  # noqa: PLC0415

    from geosite import map as room  # noqa: PLC0415

    folder = Path(room.__file__).parent / "static"
    assert {p.name for p in folder.iterdir()} == {*SCRIPTS, *STYLES}
    assert len({*SCRIPTS}) == len(SCRIPTS)


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_script_reads_text_as_html(name):
    text = static("geosite.map", name)
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert word not in text
    assert len(text.splitlines()) <= 400


def test_a_run_without_a_matrix_still_has_its_map():
    bare = replace(toy_content(), criteria=())
    assert data_of(page_of(bare))["criteria"] == []
