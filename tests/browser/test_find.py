"""Search, filters and coordinates in a browser."""

from __future__ import annotations

import json

import numpy as np
import pytest

from geosite.map.page import write_map
from tests.browser.hostile import hostile_content
from tests.browser.toycontent import sites, toy_content

pytestmark = pytest.mark.browser
READY = "html[data-geosite=ready]"
COUNT = "#gs-count"
AGENCY, STATE, COMMODITY, TIER = (f".gs-fields select >> nth={i}" for i in range(4))
LEAST, TOP = (f".gs-fields input[type=number] >> nth={i}" for i in range(2))


def varied():
    frame = sites()
    names = [f"Toy prospect {i}" for i in range(len(frame))]
    names[0], names[1] = "Peñón Él Dorado", "ZÜRICH lode"
    return frame.assign(
        name=names,
        state=["Nevada" if i % 2 else "Utah" for i in range(len(frame))],
        agency=["BLM" if i < 9 else "USFS" for i in range(len(frame))],
        commodities=["lithium; tungsten" if i % 3 else "copper" for i in range(len(frame))],
    )


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    path = tmp_path_factory.mktemp("find") / "map.html"
    write_map(toy_content(sites=varied()), path)
    return path.as_uri()


@pytest.fixture
def page(tab, toy):
    tab.goto(toy)
    tab.wait_for_selector(READY, state="attached")
    yield tab
    assert tab.faults == []


def visible(page):
    return page.evaluate("Array.from(geosite.current.state.visible)")


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ("penon", 1), ("PEÑÓN", 1), ("zurich lode", 1), ("lode ZURICH", 1), ("lode penon", 0),
        ("utah", 7), ("nye copper", 5), ("forest service", 5), ("BLM-", 14), ("  ", 14),
    ],
)  # fmt: skip
def test_every_word_has_to_match_whatever_its_case_and_marks(page, words, count):
    page.fill("#gs-search", words)
    assert page.inner_text(COUNT) == f"{count} of 14 sites"
    assert sum(visible(page)) == count


def test_filters_narrow_together_and_are_cleared(page):
    content = varied()
    page.click(".gs-filters summary")
    page.select_option(STATE, "Utah")
    page.select_option(COMMODITY, "copper")
    expected = ((content["state"] == "Utah") & (content["commodities"] == "copper")).to_numpy()
    assert visible(page) == expected.astype(int).tolist()
    assert page.inner_text(".gs-filters summary") == "Filters (2 on)"
    page.click(".gs-search button")
    assert page.inner_text(COUNT) == "14 of 14 sites"
    assert page.input_value(STATE) == ""
    page.select_option(TIER, "A")
    assert sum(visible(page)) == int((content["tier"] == "A").sum())
    page.select_option(TIER, "")
    page.select_option(AGENCY, index=2)
    assert sum(visible(page)) in (5, 9)


def test_score_and_rank_are_those_of_the_weights_now(page):
    page.click(".gs-filters summary")
    page.fill(TOP, "3")
    assert np.flatnonzero(visible(page)).tolist() == [0, 1, 2]
    ranks = page.evaluate(
        "() => { const a = geosite.current; a.choose([0, 0, 0, 1000]); if (a.settle) a.settle();"
        "return Array.from(a.state.ranking.rank); }"
    )
    best = np.flatnonzero(np.array(ranks) <= 3).tolist()
    assert best != [0, 1, 2]
    assert np.flatnonzero(visible(page)).tolist() == best
    page.evaluate(
        "() => { const a = geosite.current; a.choose(a.stated.weights); if (a.settle) a.settle(); }"
    )
    assert np.flatnonzero(visible(page)).tolist() == [0, 1, 2]
    page.fill(TOP, "")
    least = float(varied()["suitability"].iloc[4])
    page.fill(LEAST, f"{least - 1e-6:.6f}")
    assert sum(visible(page)) == 5


def test_only_what_the_map_shows(page):
    page.click(".gs-filters summary")
    page.check(".gs-check input")
    assert page.inner_text(COUNT) == "14 of 14 sites"
    page.evaluate(
        "() => { const a = geosite.current, s = a.data.sites;"
        "a.map.setView([s.lat[0], s.lon[0]], 15, { animate: false }); }"
    )
    assert 1 <= sum(visible(page)) < 14
    assert visible(page)[0] == 1


def test_the_slash_comes_to_the_search_from_another_panel_and_the_count_is_said(page):
    page.click("#gs-tab-layers-tab")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "gs-search"
    page.keyboard.type("zur/")
    assert page.input_value("#gs-search") == "zur/"
    page.keyboard.press("Escape")
    assert page.input_value("#gs-search") == ""
    page.keyboard.type("zurich")
    page.wait_for_function("document.getElementById('gs-status').textContent === '1 of 14 sites'")
    page.keyboard.press("Enter")
    assert page.evaluate("geosite.current.state.selected") == 1


def test_the_filter_can_be_set_and_read_by_other_panels(page):
    page.evaluate(
        "geosite.current.filter.set({ text: 'lode', state: 'Atlantis', top: '5', least: 'x' })"
    )
    chosen = page.evaluate("geosite.current.filter.chosen")
    assert (chosen["text"], chosen["state"], chosen["top"], chosen["least"]) == ("lode", "", 5, 0)
    assert page.input_value("#gs-search") == "lode"


# ── coordinates ──
VIEW = [[36.0, -120.0], [42.0, -114.0]]
READ = [
    ("39.5, -117.1", 39.5, -117.1, "latitude first"),
    ("39.5 -117.1", 39.5, -117.1, "latitude first"),
    ("39.5;\u2212117.1", 39.5, -117.1, "latitude first"),
    ("-117.1 39.5", 39.5, -117.1, "longitude first"),
    ("39.5 117.1", 39.5, -117.1, "no minus was given"),
    ("N 40 30 W 117", 40.5, -117.0, "letters"),
    ("40°30'15\"N 117°06'W", 40.504167, -117.1, "letters"),
    ("40 30 15 N, 117 6 0 W", 40.504167, -117.1, "letters"),
    ("W117.1 N39.5", 39.5, -117.1, "letters"),
    ("39.5° north, 117.1° west", 39.5, -117.1, "letters"),
    ("lat 39.5 lon -117.1", 39.5, -117.1, "latitude first"),
    ("40 30 15 -117 6 0", 40.504167, -117.1, "latitude first"),
    ("40′30 N", None, None, ""), ("40 61 N 117 W", None, None, ""), ("mine 39.5", None, None, ""),
    ("95 N 117 W", None, None, ""), ("39.5", None, None, ""), ("", None, None, ""),
    ("40.5 30 N 117 W", None, None, ""), ("40 N 117 N", None, None, ""), ("1 2 3", None, None, ""),
    ("200 300", None, None, ""), ("1,2,3", None, None, ""),
]  # fmt: skip


@pytest.mark.parametrize(("words", "lat", "lon", "how"), READ, ids=[w or "-" for w, *_ in READ])
def test_a_coordinate_is_read_as_it_is_written(page, words, lat, lon, how):
    found = page.evaluate(f"geosite.coordinates.read({json.dumps(words)}, {json.dumps(VIEW)})")
    if lat is None:
        assert found == []
        return
    assert found[0]["lat"] == pytest.approx(lat, abs=1e-6)
    assert found[0]["lon"] == pytest.approx(lon, abs=1e-6)
    assert how in found[0]["how"]


def test_what_can_be_read_two_ways_is_offered_both_ways(page):
    near = json.dumps([[20.0, 20.0], [40.0, 40.0]])
    found = page.evaluate(f"geosite.coordinates.read('30 35', {near})")
    assert [(f["lat"], f["lon"]) for f in found] == [(30, 35), (35, 30)]


def test_a_coordinate_is_gone_to_and_says_what_is_there(page):
    lat, lon = page.evaluate("(s => [s.lat[0], s.lon[0]])(geosite.current.data.sites)")
    page.fill("#gs-search", f"{lat}, {lon}")
    assert page.inner_text(COUNT) == "14 of 14 sites"
    offer = page.locator(".gs-offer")
    assert "latitude first" in offer.inner_text()
    offer.click()
    panel = page.inner_text(".gs-result")
    assert "Within 1 site:" in panel
    assert "1 · Peñón Él Dorado" in panel
    assert "mi)" in panel
    assert "false" not in panel
    assert page.locator(".gs-mark").count() == 1
    page.click(".gs-result .gs-find-link >> nth=0")
    assert page.evaluate("geosite.current.state.selected") == 0
    page.click(".gs-result >> text=Close")
    assert page.locator(".gs-mark").count() == 0


def test_hostile_names_are_words(tab, tmp_path):
    write_map(hostile_content(), tmp_path / "map.html")
    tab.goto((tmp_path / "map.html").as_uri())
    tab.wait_for_selector(READY, state="attached")
    tab.fill("#gs-search", "<img")
    lat, lon = tab.evaluate("(s => [s.lat[0], s.lon[0]])(geosite.current.data.sites)")
    tab.evaluate(f"geosite.current.goTo({lat}, {lon})")
    d = 0.5
    ring = [[lon - d, lat - d], [lon + d, lat - d], [lon + d, lat + d], [lon - d, lat + d]]
    tab.evaluate(f"geosite.current.outline({ring})")
    assert tab.locator(".gs-result li").count() > 3
    assert tab.evaluate("window.__hit") is None
    assert tab.faults == []
