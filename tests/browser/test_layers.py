"""The tree of layers: what is shown, its legends, and what lies under the pointer."""

from __future__ import annotations

import io
from functools import partial
from importlib import resources

import geopandas as gpd
import numpy as np
import pytest
from PIL import Image
from pyproj import Transformer

from geosite.map import content_block, write_map
from geosite.map.entries import Entry, Layers, Legend
from geosite.map.pictures import Picture, _data_url
from tests.browser.hostile import hostile_content
from tests.browser.resting import drawn
from tests.browser.toycontent import ALBERS, CELL, LEFT, TOP, block, toy_content

pytestmark = pytest.mark.browser
AXE = "node_modules/axe-core/axe.min.js"
READY = "html[data-geosite=ready]"


def opened(tab, address):
    tab.goto(address)
    tab.wait_for_selector(READY, state="attached")
    tab.click("#gs-tab-layers-tab")
    drawn(tab)
    return tab


def line(tab, id_):
    return tab.locator(f'#gs-layers [data-layer="{id_}"]')


def heading(tab, title):
    return tab.get_by_label(f"All of {title}", exact=True)


def pixels(tab):
    """Pixels of the map without what stands over it."""
    tab.add_style_tag(content=".leaflet-control-container, .gs-tip { visibility: hidden }")
    drawn(tab)
    picture = Image.open(io.BytesIO(tab.locator(".folium-map").screenshot())).convert("RGB")
    return np.asarray(picture).astype(int)


def at(tab, column, row):
    """Place on the screen of a place of the drawn world, in cells."""
    lon, lat = Transformer.from_crs(ALBERS, 4326, always_xy=True).transform(
        LEFT + column * CELL, TOP - row * CELL
    )
    return tab.evaluate(
        "([lat, lon]) => { const p = map_run.latLngToContainerPoint([lat, lon]),"
        " r = map_run.getContainer().getBoundingClientRect(); return [p.x + r.x, p.y + r.y]; }",
        [lat, lon],
    )


def shown(tab):
    return set(tab.evaluate("[...geosite.current.layers.shown]"))


def pointed(tab, place):
    tab.mouse.move(place[0] - 3, place[1])
    tab.mouse.move(*place)
    tip = tab.locator(".gs-tip")
    tip.wait_for(state="visible")
    drawn(tab)
    return tip.inner_text()


def test_the_tree_has_every_layer_under_its_headings_with_its_number(tab, toy):
    opened(tab, toy)
    for words in ("Result", "Land by agency", "Excluded by rule", "Mineral deposits"):
        assert heading(tab, words).count() == 1
    assert line(tab, "land-blm").inner_text().split() == [
        "Bureau", "of", "Land", "Management", "1",
    ]  # fmt: skip
    wilderness = line(tab, "rule-wilderness").inner_text()
    assert "16 USC 1133(d)" in wilderness
    assert "takes 61,000 ha (150,734 acres), of these 52,000 ha" in wilderness
    assert tab.faults == []


def test_switching_a_layer_changes_what_is_drawn(tab, toy):
    opened(tab, toy)
    before = pixels(tab)
    line(tab, "land-dod").locator("input").uncheck()
    without = pixels(tab)
    assert (before != without).any()
    assert "land-dod" not in shown(tab)
    line(tab, "land-dod").locator("input").check()
    assert (pixels(tab) == before).all()
    assert tab.faults == []


def test_a_layer_costs_nothing_before_it_is_shown(tab, toy):
    opened(tab, toy)
    made = "id => geosite.current.layers.layer(id) !== null"
    assert not tab.evaluate(made, "commodity-lithium")
    assert tab.evaluate(made, "land-blm")
    tab.evaluate("geosite.current.layers.set('commodity-lithium', true)")
    assert tab.evaluate(made, "commodity-lithium")
    assert line(tab, "commodity-lithium").locator("input").is_checked()


def test_a_heading_switches_all_under_it_and_tells_of_some(tab, toy):
    opened(tab, toy)
    box = heading(tab, "Land by agency")
    mixed = "e => e.indeterminate"
    assert box.is_checked()
    line(tab, "land-dod").locator("input").uncheck()
    assert box.evaluate(mixed)
    assert "3 of 4 shown" in tab.inner_text("#gs-layers")
    box.check()
    assert not box.evaluate(mixed)
    assert {"land-dod", "land-blm"} <= shown(tab)
    box.uncheck()
    assert not {i for i in shown(tab) if i.startswith("land-")}
    outer, inner = heading(tab, "Mineral deposits"), heading(tab, "By commodity")
    assert outer.evaluate(mixed)
    outer.check()
    assert inner.is_checked()


def test_the_legend_on_the_map_follows_what_is_shown(tab, toy):
    opened(tab, toy)
    legend = tab.locator(".gs-legend-body")
    assert "Department of Defense" in legend.inner_text()
    assert "2–3" in legend.inner_text()
    line(tab, "land-dod").locator("input").uncheck()
    line(tab, "sites").locator("input").uncheck()
    assert "Department of Defense" not in legend.inner_text()
    assert "2–3" not in legend.inner_text()
    assert line(tab, "sites").locator(".gs-under").is_hidden()
    tab.locator(".gs-legend summary").click()
    assert legend.is_hidden()


def test_sites_can_be_hidden(tab, toy):
    opened(tab, toy)
    before = pixels(tab)
    line(tab, "sites").locator("input").uncheck()
    hidden = pixels(tab)
    assert (before != hidden).any()
    line(tab, "sites").locator("input").check()
    assert (pixels(tab) == before).all()


def test_the_keyboard_switches_layers_and_folds_headings(tab, toy):
    opened(tab, toy)
    box = line(tab, "land-dod").locator("input")
    box.focus()
    tab.keyboard.press("Space")
    assert "land-dod" not in shown(tab)
    summary = tab.locator("#gs-layers summary", has_text="By commodity")
    assert line(tab, "commodity-lithium").is_hidden()
    summary.focus()
    tab.keyboard.press("Enter")
    assert line(tab, "commodity-lithium").is_visible()
    tab.keyboard.press("Shift+Tab")
    assert tab.evaluate("document.activeElement.ariaLabel") == "All of By commodity"


def test_pointing_at_an_exclusion_names_it_and_cites_its_rule(tab, toy):
    opened(tab, toy)
    said = pointed(tab, at(tab, 47, 12))
    for words in ("Toy Peak", "Designated wilderness", "16 USC 1133(d)", "takes 61,000 ha",
                  "Toiyabe National Forest", "Forest Service"):  # fmt: skip
        assert words in said
    line(tab, "rule-wilderness").locator("input").uncheck()
    said = pointed(tab, at(tab, 47, 12.2))
    assert "Toy Peak" not in said
    assert "Toiyabe National Forest" in said
    tab.mouse.move(*at(tab, 63, 24))
    drawn(tab)
    assert tab.locator(".gs-tip").is_hidden()
    assert tab.faults == []


def test_pointing_at_a_site_tells_the_site_first(tab, toy):
    opened(tab, toy)
    lat, lon = tab.evaluate(
        "(() => { const s = geosite.current.data.sites; return [s.lat[0], s.lon[0]]; })()"
    )
    x, y = Transformer.from_crs(4326, ALBERS, always_xy=True).transform(lon, lat)
    said = pointed(tab, at(tab, (x - LEFT) / CELL, (TOP - y) / CELL))
    assert said.startswith("Rank 1 · Toy prospect 1")
    assert "Bureau of Land Management" in said
    tab.mouse.down()
    tab.mouse.up()
    drawn(tab)
    assert tab.evaluate("geosite.current.state.selected") == 0
    assert tab.locator(".gs-here").count() == 0


def test_pointing_at_the_edge_of_a_footprint_tells_its_acres_by_tenure(tab, tmp_path):
    acres = {"acres": 900.0, "acres_open": 600.0, "acres_claimed": 100.0}
    acres |= {"acres_withdrawn": 0.0, "acres_unknown": 200.0}
    said = {"site_id": ["X-1"], "part": ["pit"], "title": ["Pit"], **acres}
    parts = gpd.GeoDataFrame(said, geometry=[block(20, 36, 28, 40)], crs=ALBERS)
    write_map(toy_content(footprints=parts), tmp_path / "map.html")
    opened(tab, (tmp_path / "map.html").as_uri())
    tab.evaluate("map_run.setZoom(10, { animate: false })")
    tab.evaluate("geosite.current.layers.set('sites', false)")
    edge = at(tab, 24, 36)
    told = pointed(tab, edge)
    assert told.startswith("Pit: 900 acres")
    assert "600 open, 100 claimed, 0 withdrawn, 200 unknown" in told
    tab.mouse.click(*edge)
    popup = tab.locator(".gs-here")
    popup.wait_for()
    assert "Footprint that fits" in popup.inner_text()
    assert tab.faults == []


def test_a_low_map_gets_a_low_tip_that_says_what_it_leaves_out(tab, toy):
    tab.set_viewport_size({"width": 1000, "height": 260})
    opened(tab, toy)
    place = at(tab, 47, 12)
    assert "Toy Peak" in pointed(tab, place)
    everything = tab.evaluate(
        "([x, y]) => { const r = map_run.getContainer().getBoundingClientRect();"
        " return geosite.current.at(map_run.containerPointToLatLng([x - r.x, y - r.y]))"
        ".then((f) => f.length); }",
        place,
    )
    assert tab.locator(".gs-tip li").count() == 2
    if everything > 2:
        assert f"and {everything - 2} more" in tab.inner_text(".gs-tip")


def test_a_view_can_be_restored(tab, toy):
    opened(tab, toy)
    tab.evaluate("geosite.current.layers.set(['sites', 'rule-lakes', 'no such layer'])")
    assert shown(tab) == {"sites", "rule-lakes"}
    assert line(tab, "rule-lakes").locator("input").is_checked()
    assert not line(tab, "land-blm").locator("input").is_checked()


def test_a_click_keeps_what_lies_there(tab, toy):
    opened(tab, toy)
    tab.mouse.click(*at(tab, 48, 12))
    popup = tab.locator(".gs-here")
    popup.wait_for()
    assert "16 USC 1133(d)" in popup.inner_text()
    assert "Designated wilderness" in popup.inner_text()
    assert float(popup.locator("h3").inner_text().split(",")[0]) == pytest.approx(39.5, abs=1.5)
    tab.mouse.click(*at(tab, 63, 24))
    drawn(tab)
    assert "says anything" in popup.inner_text()


def test_enter_reads_the_middle_of_the_map(tab, toy):
    opened(tab, toy)
    tab.evaluate("geosite.current.layers.set('sites', false)")
    tab.locator(".folium-map").focus()
    tab.keyboard.press("Enter")
    popup = tab.locator(".gs-here")
    popup.wait_for()
    assert "Battle Mountain District" in popup.inner_text()
    assert tab.evaluate("document.activeElement.tagName") == "H3"
    tab.keyboard.press("Escape")
    drawn(tab)
    assert tab.evaluate("document.activeElement === map_run.getContainer()")


def test_a_deposit_that_is_drawn_twice_is_told_once(tab, toy):
    opened(tab, toy)
    tab.evaluate("geosite.current.layers.set('commodity-lithium', true)")
    point = toy_content().deposits.geometry.iloc[0]
    tab.evaluate("geosite.current.layers.set('sites', false)")
    place = at(tab, (point.x - LEFT) / CELL, (TOP - point.y) / CELL)
    said = pointed(tab, place)
    assert said.startswith("Occurrence 0\n")
    assert said.count("Occurrence 0\n") == 1
    tab.mouse.click(*place)
    popup = tab.locator(".gs-here")
    popup.wait_for()
    assert "record quality A" in popup.inner_text()


def test_only_an_online_map_asks_for_the_network(tab, toy):
    opened(tab, toy)
    assert tab.faults == []
    tab.get_by_label("OpenStreetMap").check()
    tab.wait_for_selector("text=could not be loaded")
    asked = [f for f in tab.faults if f.startswith("asked for")]
    assert asked
    assert all("tile.openstreetmap.org" in f for f in asked)
    tab.get_by_label("None", exact=True).check()
    assert tab.locator("text=could not be loaded").count() == 0


def test_the_filter_finds_layers_by_words_and_citations(tab, toy):
    opened(tab, toy)
    tab.get_by_label("Find a layer").fill("usc 1133")
    assert line(tab, "rule-wilderness").is_visible()
    assert line(tab, "rule-lakes").is_hidden()
    assert line(tab, "land-blm").is_hidden()
    assert "1 of " in tab.inner_text(".gs-layer-filter")
    # A heading switches what was found only.
    heading(tab, "Excluded by rule").click()
    assert "rule-lakes" in shown(tab)
    assert "rule-wilderness" not in shown(tab)
    tab.get_by_label("Find a layer").fill("lithium")
    assert line(tab, "commodity-lithium").is_visible()
    tab.get_by_label("Find a layer").fill("")
    assert line(tab, "commodity-lithium").is_hidden()
    assert line(tab, "land-blm").is_visible()


def surface(_content, *, is_shown=True):
    """A picture over the whole view: the left half is of the first class, the right empty."""
    index = np.zeros((20, 20), np.uint8)
    index[:, :10] = 2
    url = _data_url(index, [(240, 240, 250, 222), (59, 121, 175, 222)])
    legend = Legend("ramp", (("", "#f0f0fa", ""), ("", "#3b79af", "")), ("0", "1"))
    entry = Entry(
        id="surface", title="Suitability", group=("Surfaces",), kind="picture", source="surface",
        shown=is_shown, legend=legend, style={"opacity": 0.8},
    )  # fmt: skip
    return Layers((entry,), (), {"surface": Picture(url, -117.5, 39.2, -116.5, 39.9)})


def test_a_picture_has_its_ramp_its_opacity_and_its_words(tab, tmp_path, monkeypatch):
    monkeypatch.setattr(content_block, "surface_layers", surface)
    write_map(toy_content(), tmp_path / "map.html")
    opened(tab, (tmp_path / "map.html").as_uri())
    mine = line(tab, "surface")
    assert mine.get_by_label("colours from 0 to 1").count() == 1
    overlay = tab.locator("img.gs-picture")
    assert overlay.evaluate("e => e.style.opacity") == "0.8"
    tab.get_by_label("Opacity of Suitability").fill("30")
    assert overlay.evaluate("e => e.style.opacity") == "0.3"
    found = (
        "at => geosite.current.at(L.latLng(at)).then((f) => f.map((x) => [x.entry.id, x.words]))"
    )
    left = tab.evaluate(found, [39.5, -117.2])
    assert ["surface", ["step 2 of 2, from 0 to 1"]] in left
    right = tab.evaluate(found, [39.5, -116.8])
    assert "surface" not in [id_ for id_, _ in right]
    assert tab.faults == []


def test_a_picture_that_is_not_shown_is_not_even_decoded(tab, tmp_path, monkeypatch):
    monkeypatch.setattr(content_block, "surface_layers", partial(surface, is_shown=False))
    write_map(toy_content(), tmp_path / "map.html")
    opened(tab, (tmp_path / "map.html").as_uri())
    assert tab.locator("img.gs-picture").count() == 0
    tab.locator("#gs-layers summary", has_text="Surfaces").click()
    line(tab, "surface").locator("input").check()
    assert tab.locator("img.gs-picture").count() == 1


def test_strangers_words_in_the_tree_and_under_the_pointer_do_nothing(tab, tmp_path):
    write_map(hostile_content(), tmp_path / "map.html")
    opened(tab, (tmp_path / "map.html").as_uri())
    tab.evaluate("geosite.current.layers.only(geosite.current.data.layers.map((e) => e.id))")
    tab.evaluate("geosite.current.layers.set('sites', false)")
    for column, row in ((47, 12), (24, 10), (30, 36), (45, 35)):
        tab.mouse.move(*at(tab, column, row))
        drawn(tab)
        tab.mouse.click(*at(tab, column, row))
        tab.locator(".gs-here").wait_for()
    assert tab.evaluate("window.__hit") is None
    assert tab.locator("img[src=x], svg[onload]").count() == 0
    assert "<img src=x onerror" in tab.inner_text("#gs-layers")
    assert tab.faults == []


def test_a_telephone_shows_the_tree_and_a_closed_legend(tab, toy):
    tab.set_viewport_size({"width": 360, "height": 700})
    opened(tab, toy)
    assert tab.locator(".gs-legend-body").is_hidden()
    wide = tab.evaluate("document.documentElement.scrollWidth")
    assert wide <= 360
    assert tab.evaluate(
        "(() => { const b = document.getElementById('gs-tab-layers');"
        " return b.scrollWidth <= b.clientWidth; })()"
    )


def test_the_tree_and_the_legend_have_no_serious_fault_for_assistive_technology(tab, toy):
    opened(tab, toy)
    tab.mouse.click(*at(tab, 48, 12))
    tab.locator(".gs-here").wait_for()
    tab.evaluate((resources.files("geosite.assets") / AXE).read_text(encoding="utf-8"))
    found = tab.evaluate(
        "axe.run({ include: ['#gs-layers', '.gs-legend', '.gs-here'].map((s) => [s]) })"
    )
    grave = [v for v in found["violations"] if v["impact"] in ("serious", "critical")]
    assert [(v["id"], v["nodes"][0]["html"]) for v in grave] == []
