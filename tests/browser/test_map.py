"""The map in a browser: it works, it says what it must, and strangers' text does nothing."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import Transformer

from geosite.report import write_map
from tests.browser.hostile import hostile_content
from tests.browser.toycontent import ALBERS, CELL, COLUMNS, LEFT, ROWS, TOP, toy_content

pytestmark = pytest.mark.browser
READY = "html[data-geosite=ready]"
FIRST_PIN = ".gs-marker >> text=/^1$/"


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    path = tmp_path_factory.mktemp("map") / "map.html"
    write_map(toy_content(), path)
    return path.as_uri()


def opened(tab, address):
    tab.goto(address)
    tab.wait_for_selector(READY, state="attached")
    return tab


def test_the_page_opens_without_a_fault_and_asks_for_nothing_but_leaflet(tab, toy):
    opened(tab, toy)
    assert tab.faults == []
    assert tab.locator("#gs-waiting").count() == 0


def test_the_page_says_what_it_is(tab, toy):
    side = opened(tab, toy).inner_text("#gs-side")
    for words in ("Pre-decisional screening.", "Data: synthetic; rules as of 2025-11-21",
                  "SYNTHETIC WORLD", "public data only", "case files control",
                  "critical habitat"):  # fmt: skip
        assert words in side


def test_a_site_opens_with_its_contributions(tab, toy):
    content = toy_content()
    opened(tab, toy).click("#gs-best button >> nth=0")
    card = tab.locator(".gs-card")
    text = card.inner_text()
    site = content.sites.iloc[0]
    assert site["name"] in text
    assert site["site_id"] in text
    assert card.locator(".gs-bar").count() == len(content.criteria)
    shown = [float(v) for v in card.locator(".gs-bar .gs-value").all_inner_texts()]
    assert sum(shown) == pytest.approx(site["suitability"], abs=0.002)
    low, high = site["suitability_low"], site["suitability_high"]
    for words in ("Mineral evidence", "1.4 km (0.8 mi)", "Sage-grouse habitat", "43 CFR 3809",
                  f"Suitability from {low:.2f} to {high:.2f} with what is not known",
                  "80 % of the weight was measured", "confirmed: Toy roster, 2024"):  # fmt: skip
        assert words in text
    first = tab.inner_text("#gs-best button >> nth=0")
    assert f"{low:.2f}–{high:.2f}" in first


def test_a_pin_and_an_outline_open_the_same_card(tab, toy):
    opened(tab, toy).locator(".gs-marker", has_text="4").first.click()
    assert "Toy prospect 4" in tab.inner_text(".gs-card h3")


def test_bars_are_as_long_as_weight_times_score(tab, toy):
    content = toy_content()
    opened(tab, toy).click("#gs-best button >> nth=0")
    heaviest = max(c.weight for c in content.criteria)
    widths = tab.evaluate(
        "[...document.querySelectorAll('.gs-bar')].map(b => b.querySelector('.gs-done')"
        ".getBoundingClientRect().width / b.children[1].getBoundingClientRect().width)"
    )
    expected = [content.sites.iloc[0][f"contribution_{c.id}"] / heaviest for c in content.criteria]
    assert widths == pytest.approx(expected, abs=0.02)


def test_the_layer_control_switches_layers_and_keeps_its_headings(tab, toy):
    opened(tab, toy)
    control = tab.locator(".leaflet-control-layers-overlays")
    assert control.locator(".gs-head").all_inner_texts() == [
        "BACKGROUND (NEEDS A NETWORK)", "SURFACES", "RESULT", "LAND BY AGENCY",
        "EXCLUDED BY RULE", "EXTENT",
    ]  # fmt: skip
    pins = tab.locator(".gs-marker")
    assert pins.count() == 10
    box = control.locator("label", has_text="Sites by rank").locator("input")
    box.uncheck()
    assert pins.count() == 0
    box.check()
    assert pins.count() == 10
    for label in ("Suitability", "Designated wilderness", "Forest Service"):
        box = control.locator("label", has_text=label).locator("input")
        box.uncheck()
        box.check()
    tab.evaluate("map_run.removeLayer(image_overlay_unknown)")
    assert control.locator(".gs-head").count() == 6
    assert tab.faults == []


def test_hovering_an_exclusion_cites_its_rule(tab, toy):
    opened(tab, toy)
    where = tab.evaluate(
        "(() => { const g = feature_group_g6.getLayers()[0].getBounds().getCenter();"
        "const p = map_run.latLngToContainerPoint(g), r = map_run.getContainer()"
        ".getBoundingClientRect(); return [p.x + r.x, p.y + r.y]; })()"
    )
    tab.mouse.move(*where)
    tip = tab.inner_text(".gs-tip")
    assert "Dry Lake" in tip
    assert "project practice" in tip


def test_hovering_land_names_its_owner_below_the_pictures(tab, toy):
    opened(tab, toy)
    where = tab.evaluate(
        "(() => { const b = feature_group_g3.getBounds(), p = map_run.latLngToContainerPoint("
        "[b.getSouth() * 0.7 + b.getNorth() * 0.3, b.getCenter().lng]), r = map_run.getContainer()"
        ".getBoundingClientRect(); return [p.x + r.x, p.y + r.y]; })()"
    )
    tab.mouse.move(*where)
    assert "Toy Army Depot" in tab.inner_text(".gs-tip")


@pytest.mark.parametrize(("row", "column"), [(3, 3), (24, 20), (40, 30), (26, 56), (5, 30)])
def test_a_cell_lies_where_the_grid_says(tab, tmp_path, row, column):
    # One bright cell alone: its pixels, by the bounds of the overlay, must be on its place.
    alone = np.full((ROWS, COLUMNS), np.nan, np.float32)
    alone[row, column] = 1.0
    write_map(toy_content(suitability=alone), tmp_path / "one.html")
    opened(tab, (tmp_path / "one.html").as_uri())
    lon, lat = tab.evaluate(
        """async () => {
          const image = new Image(); image.src = image_overlay_suitability._url;
          await image.decode();
          const c = document.createElement('canvas');
          c.width = image.width; c.height = image.height;
          const pen = c.getContext('2d'); pen.drawImage(image, 0, 0);
          const alpha = pen.getImageData(0, 0, c.width, c.height).data;
          let x = 0, y = 0, n = 0;
          for (let i = 3; i < alpha.length; i += 4) if (alpha[i]) {
            const p = (i - 3) / 4; x += p % c.width + 0.5; y += Math.floor(p / c.width) + 0.5; n++;
          }
          const b = image_overlay_suitability.getBounds(), crs = L.CRS.EPSG3857;
          const nw = crs.project(b.getNorthWest()), se = crs.project(b.getSouthEast());
          const at = L.point(nw.x + x / n / c.width * (se.x - nw.x),
                             nw.y + y / n / c.height * (se.y - nw.y));
          const found = crs.unproject(at); return [found.lng, found.lat];
        }"""
    )
    x, y = Transformer.from_crs(4326, ALBERS, always_xy=True).transform(lon, lat)
    expected = LEFT + (column + 0.5) * CELL, TOP - (row + 0.5) * CELL
    assert np.hypot(x - expected[0], y - expected[1]) < 0.1 * CELL


def test_an_edge_of_a_footprint_opens_its_acres(tab, tmp_path):
    corner = (LEFT + 20 * CELL, TOP - 40 * CELL)
    shape = shapely.box(*corner, corner[0] + 8 * CELL, corner[1] + 4 * CELL)
    acres = {"acres": 900.0, "acres_open": 600.0, "acres_claimed": 100.0}
    acres |= {"acres_withdrawn": 0.0, "acres_unknown": 200.0}
    table = {"site_id": ["X-1"], "part": ["pit"], "title": ["Pit"], **acres}
    parts = gpd.GeoDataFrame(table, geometry=[shape], crs=ALBERS)
    write_map(toy_content(footprints=parts), tmp_path / "map.html")
    opened(tab, (tmp_path / "map.html").as_uri())
    edge = tab.locator('path[stroke="#0a4f8f"]')
    assert edge.count() == 1
    assert edge.get_attribute("fill") == "none"
    edge.dispatch_event("click")
    said = tab.inner_text(".leaflet-popup-content")
    assert "Pit: 900 acres" in said
    assert "600 open, 100 claimed, 0 withdrawn, 200 unknown" in said
    assert tab.faults == []


def test_strangers_text_is_shown_and_runs_nothing(tab, toy, tmp_path):
    scripts = opened(tab, toy).locator("script").count()
    write_map(hostile_content(), tmp_path / "map.html")
    opened(tab, (tmp_path / "map.html").as_uri())
    for i in range(10):
        tab.locator("#gs-best button").nth(i).click()
        tab.wait_for_selector(".gs-card")
    tab.evaluate(
        """map_run.eachLayer((layer) => {
          if (layer.getTooltip && layer.getTooltip()) layer.openTooltip();
          if (layer.getPopup && layer.getPopup()) layer.openPopup();
        })"""
    )
    tab.wait_for_timeout(200)
    assert tab.evaluate("window.__hit") is None
    assert tab.faults == []
    assert tab.locator("img[src=x], svg[onload]").count() == 0
    assert "<img src=x onerror" in tab.inner_text("#gs-side h1")
    assert tab.locator("script").count() == scripts


def test_without_leaflet_the_page_says_so(tab, toy):
    tab.route("**/leaflet.js", lambda route: route.abort())
    tab.goto(toy)
    assert "could not be loaded" in tab.inner_text("#gs-waiting")
    assert "Pre-decisional" in tab.inner_text("#gs-side footer")
