"""What is seen first: the area fills the map, sites leave land to be seen, the legend is small."""

from __future__ import annotations

import dataclasses

import pytest

from geosite.map import write_map
from tests.browser.crawl import opened
from tests.browser.toycontent import toy_content

pytestmark = pytest.mark.browser
SIZES = [(1440, 900), (1024, 768), (360, 740)]


def page(folder, **changes):
    path = folder / "map.html"
    write_map(dataclasses.replace(toy_content(), **changes), path)
    return path.as_uri()


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return page(tmp_path_factory.mktemp("map"))


def filled(tab):
    """Share of the map's width or height that the area takes, the larger of them."""
    return tab.evaluate("""() => {
      const { map, data } = geosite.current, size = map.getSize();
      const [a, b] = data.view.map((p) => map.latLngToContainerPoint(p));
      return Math.max((b.x - a.x) / size.x, (a.y - b.y) / size.y);
    }""")


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_area_fills_the_map(tab, toy, width, height):
    tab.set_viewport_size({"width": width, "height": height})
    opened(tab, toy)
    assert 0.72 <= filled(tab) <= 1


def test_the_tool_of_the_whole_area_gives_the_first_view(tab, toy):
    opened(tab, toy)
    first = tab.evaluate("geosite.current.map.getZoom()")
    tab.evaluate("geosite.current.map.setView([40, -110], 4, { animate: false })")
    tab.emulate_media(reduced_motion="reduce")
    tab.locator("#gs-tool-home").click()
    assert tab.evaluate("geosite.current.map.getZoom()") == first


def test_tiles_are_painted_for_a_zoom_between_whole_ones(tab, toy):
    opened(tab, toy)
    view = "map => map.setView(map.getCenter(), 7.75, { animate: false })"
    tab.evaluate(f"({view})(geosite.current.map)")
    tab.wait_for_function("""() => {
      const all = [...document.querySelectorAll('.gs-between canvas.leaflet-tile')];
      // 512 pixels of zoom 8, shown at 0.84 of their size.
      return all.length && all.every((c) => c.dataset.drawn && c.width === 431);
    }""")
    assert tab.faults == []


def test_the_legend_is_closed_where_the_map_is_small(tab, toy):
    opened(tab, toy)
    legend, room = (tab.locator(s).bounding_box() for s in (".gs-legend", ".folium-map"))
    assert tab.evaluate("document.querySelector('.gs-legend').open")
    assert legend["width"] * legend["height"] < 0.09 * room["width"] * room["height"]
    tab.set_viewport_size({"width": 360, "height": 740})
    opened(tab, toy)
    assert not tab.evaluate("document.querySelector('.gs-legend').open")


def test_the_map_is_a_named_region_and_the_panels_are_the_main_part(tab, toy):
    opened(tab, toy)
    assert tab.get_by_role("main").count() == 1
    assert tab.get_by_role("region", name="Map", exact=True).count() == 1


def test_the_open_card_leaves_the_note_of_other_weights_to_be_read(tab, toy):
    opened(tab, toy)
    tab.evaluate("""() => {
      const app = geosite.current, w = Array.from(app.state.weights);
      [w[0], w[1]] = [w[1], w[0]];
      app.choose(w, app.state.rule);
      app.select(0, "map");
    }""")
    tab.wait_for_selector(".gs-banner-map", state="visible")
    note, card = (tab.locator(s).bounding_box() for s in (".gs-banner-map", "#gs-card"))
    assert note["x"] + note["width"] <= card["x"]


# ── little or nothing to show ─────────────────────────────────────────────────────────────────
def test_a_run_that_found_no_site_says_so(tab, tmp_path):
    opened(tab, page(tmp_path, sites=toy_content().sites.iloc[:0]))
    assert tab.faults == []
    assert "This run found no site" in tab.inner_text("#gs-table")
    assert tab.evaluate("geosite.current.sitesAt(geosite.current.map.getCenter())") == []
    for panel in ("gs-tab-weights", "gs-tab-layers", "gs-tab-about"):
        tab.evaluate("id => geosite.current.openTab(id)", panel)
    assert tab.faults == []


def test_a_run_with_one_site_has_a_card_without_neighbours(tab, tmp_path):
    opened(tab, page(tmp_path, sites=toy_content().sites.iloc[:1]))
    assert tab.inner_text("#gs-count") == "1 of 1 site"
    tab.evaluate("geosite.current.select(0, 'table')")
    assert tab.locator("#gs-card [aria-disabled=true]").count() == 2
    assert tab.faults == []


def test_a_run_without_parcels_is_shown(tab, tmp_path):
    content = toy_content()
    opened(tab, page(tmp_path, parcels=content.parcels.iloc[:0]))
    assert tab.faults == []
