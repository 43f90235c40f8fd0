"""A small screen: the panel scrolls as a whole, and can have all of the screen."""

from __future__ import annotations

import pytest

from geosite.map import write_map
from tests.browser.crawl import TABS, opened
from tests.browser.toycontent import toy_content

pytestmark = pytest.mark.browser
PHONE = {"width": 360, "height": 740}
OVER = "s => { const e = document.querySelector(s); return e.scrollWidth - e.clientWidth; }"
LONG = "Verylongnamewithoutanyspace" * 8


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    content = toy_content()
    content.sites["name"] = LONG
    path = tmp_path_factory.mktemp("map") / "map.html"
    write_map(content, path)
    return path


def test_the_panel_can_have_all_of_the_screen_and_gives_it_back(tab, toy):
    tab.set_viewport_size(PHONE)
    opened(tab, toy.as_uri())
    assert tab.locator("#gs-side").bounding_box()["height"] < 0.55 * PHONE["height"]
    pull = tab.locator("#gs-pull")
    pull.click()
    assert pull.get_attribute("aria-expanded") == "true"
    assert tab.locator("#gs-side").bounding_box()["height"] == PHONE["height"]
    assert tab.locator(".gs-grid").bounding_box()["height"] > 0.5 * PHONE["height"]
    pull.click()
    assert tab.locator("#gs-side").bounding_box()["height"] < 0.55 * PHONE["height"]


def test_head_and_foot_scroll_away_and_the_tabs_stay(tab, toy):
    tab.set_viewport_size(PHONE)
    opened(tab, toy.as_uri())
    tab.evaluate("document.getElementById('gs-side').scrollTop = 1e4")
    side, tabs = (tab.locator(s).bounding_box() for s in ("#gs-side", "#gs-tabs"))
    assert tabs["y"] == pytest.approx(side["y"] + 1, abs=1)
    assert tab.locator("#gs-side header").bounding_box()["y"] < side["y"]
    assert tab.locator("#gs-side footer").is_visible()
    # Another panel is read from its beginning.
    tab.evaluate("geosite.current.openTab('gs-tab-layers')")
    assert tab.locator("#gs-layers").bounding_box()["y"] >= tabs["y"]


def test_a_desk_has_no_such_button(tab, toy):
    opened(tab, toy.as_uri())
    assert not tab.locator("#gs-pull").is_visible()


@pytest.mark.parametrize("width", [360, 761, 1024, 1440])
def test_long_words_widen_no_panel(tab, toy, width):
    tab.set_viewport_size({"width": width, "height": 740})
    opened(tab, toy.as_uri())
    wide = {}
    for panel in TABS:
        tab.evaluate("id => geosite.current.openTab(id)", panel)
        wide[panel] = tab.evaluate(OVER, ".gs-panel:not([hidden])")
    tab.evaluate("geosite.current.select(0, 'map')")
    wide["card"] = tab.evaluate(OVER, "#gs-card")
    wide["page"] = tab.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert {k: v for k, v in wide.items() if v > 0} == {}


@pytest.mark.parametrize("width", [800, 1024, 1440])
def test_the_card_does_not_lie_on_the_wide_table(tab, toy, width):
    tab.set_viewport_size({"width": width, "height": 740})
    opened(tab, toy.as_uri())
    tab.locator(".gs-widen").click()
    tab.evaluate("geosite.current.select(0, 'map')")
    side = tab.locator("#gs-side").bounding_box()
    assert tab.locator("#gs-card").bounding_box()["x"] >= side["x"] + side["width"]
