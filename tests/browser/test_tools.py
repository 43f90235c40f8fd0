"""The map's toolbar in a browser: outlines, lengths and areas, the whole view, full screen."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import shapely
from pyproj import Geod, Transformer

from tests.browser.accessibility import findings
from tests.browser.toycontent import ALBERS, toy_content

pytestmark = pytest.mark.browser
READY = "html[data-geosite=ready]"
PARTS = ("#gs-find", ".leaflet-control-container")
"""Where tools are, and where they answer."""
READOUT = "document.querySelector('.gs-readout').textContent"
WGS84 = Geod(ellps="WGS84")


@pytest.fixture
def page(tab, toy):
    tab.goto(toy)
    tab.wait_for_selector(READY, state="attached")
    yield tab
    assert tab.faults == []


def on_screen(page, points):
    """Pixels of the window of [longitude, latitude]."""
    return page.evaluate(
        "points => points.map(([x, y]) => { const p = map_run.latLngToContainerPoint([y, x]),"
        "r = map_run.getContainer().getBoundingClientRect(); return [p.x + r.x, p.y + r.y]; })",
        [list(p) for p in points],
    )


def square(page, half=0.06):
    """A ring around the best site, in degrees."""
    lon, lat = page.evaluate("(s => [s.lon[0], s.lat[0]])(geosite.current.data.sites)")
    return [
        (lon - half, lat - half), (lon + half, lat - half),
        (lon + half, lat + half), (lon - half, lat + half),
    ]  # fmt: skip


def held(ring):
    """Sites of the toy run with land in a ring, and wholly in it, by their exact outlines."""
    to = Transformer.from_crs("EPSG:4326", ALBERS, always_xy=True)
    back = Transformer.from_crs(ALBERS, "EPSG:4326", always_xy=True)
    assert to is not back
    polygon = shapely.Polygon(ring)
    shapes = [
        shapely.transform(g, lambda xy: np.column_stack(back.transform(*xy.T)))
        for g in toy_content().sites.geometry
    ]
    return (
        [i for i, g in enumerate(shapes) if g.intersects(polygon)],
        [i for i, g in enumerate(shapes) if polygon.contains(g)],
    )


# ── figures ──
def test_lengths_are_those_of_the_ellipsoid(page):
    random = np.random.default_rng(5)
    pairs = np.column_stack([
        random.uniform(-170, -60, 200), random.uniform(-60, 75, 200),
        random.uniform(-170, -60, 200), random.uniform(-60, 75, 200),
    ])  # fmt: skip
    found = page.evaluate(
        "pairs => pairs.map(([a, b, c, d]) => geosite.geodesy.metres([a, b], [c, d]))",
        pairs.tolist(),
    )
    _, _, expected = WGS84.inv(*pairs.T)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-3)
    same, opposite = page.evaluate(
        "[geosite.geodesy.metres([1, 2], [1, 2]), geosite.geodesy.metres([0, 0.2], [179.9, 0])]"
    )
    assert same == 0
    assert opposite == pytest.approx(2e7, rel=0.01)


@pytest.mark.parametrize(("size", "within"), [(0.01, 1e-5), (0.3, 1e-5), (3.0, 1e-4)])
def test_areas_are_those_of_the_ellipsoid(page, size, within):
    random = np.random.default_rng(11)
    for lat in (-55.0, 0.0, 31.0, 40.0, 49.0, 66.0):
        turn = np.sort(random.uniform(0, 2 * np.pi, 9))
        reach = size * random.uniform(0.4, 1.0, 9)
        x, y = -117 + reach * np.cos(turn), lat + reach * np.sin(turn)
        found = page.evaluate("r => geosite.geodesy.area(r)", np.column_stack([x, y]).tolist())
        area, perimeter = WGS84.polygon_area_perimeter(x, y)
        assert found == pytest.approx(abs(area), rel=within)
        ring = np.column_stack([x, y]).tolist()
        around = page.evaluate("r => geosite.geodesy.length(r, true)", ring)
        assert around == pytest.approx(perimeter, rel=1e-9, abs=1e-3)


def test_figures_are_written_in_both_systems(page):
    said = page.evaluate(
        "[geosite.geodesy.way(420), geosite.geodesy.way(12345), geosite.geodesy.ground(1e6),"
        "geosite.geodesy.point(-39.5, -117.1)]"
    )
    assert said == [
        "420 m (1,378 ft)", "12.3 km (7.67 mi)", "247 acres (100 ha)", "39.50000° S, 117.10000° W",
    ]  # fmt: skip


# ── outlines ──
def test_an_outline_is_drawn_and_says_what_is_in_it(page):
    ring = square(page)
    page.click("#gs-tool-outline")
    points = on_screen(page, ring)
    for x, y in points:
        page.mouse.move(x - 3, y)
        page.mouse.click(x, y)
    page.wait_for_function(f"{READOUT}.includes('acres')")
    page.keyboard.press("Enter")
    text = page.inner_text(".gs-result")
    some, whole = held(ring)
    assert whole
    assert f"{len(some)} site" in text
    assert f"{len(whole)} wholly inside" in text
    area, perimeter = WGS84.polygon_area_perimeter(*zip(*ring, strict=True))
    acres = float(re.search(r"([\d,.]+) acres", text)[1].replace(",", ""))
    assert acres == pytest.approx(abs(area) / 4046.8564224, rel=0.02)  # a click is a whole pixel
    assert perimeter > 0
    said = json.loads(page.input_value(".gs-result textarea"))
    drawn = shapely.geometry.shape(said["geometry"])
    assert drawn.symmetric_difference(shapely.Polygon(ring)).area < 0.02 * drawn.area
    assert page.evaluate("geosite.current.state.selected") == -1  # corners select nothing
    assert page.get_attribute("#gs-tool-outline", "aria-pressed") == "false"


def test_a_double_click_ends_an_outline_and_does_not_zoom(page):
    zoom = page.evaluate("map_run.getZoom()")
    page.click("#gs-tool-outline")
    points = on_screen(page, square(page))
    for x, y in points[:-1]:
        page.mouse.click(x, y)
    page.mouse.dblclick(*points[-1])
    page.wait_for_selector(".gs-result")
    assert page.evaluate("map_run.getZoom()") == zoom


def test_escape_cancels_and_too_few_corners_do_not_end(page):
    page.click("#gs-tool-outline")
    x, y = on_screen(page, square(page))[0]
    page.mouse.click(x, y)
    page.keyboard.press("Enter")
    page.wait_for_function("document.getElementById('gs-status').textContent.includes('3 corners')")
    page.keyboard.press("Escape")
    assert page.get_attribute("#gs-tool-outline", "aria-pressed") == "false"
    assert page.locator(".gs-result").count() == 0
    assert page.evaluate("map_run.pm.globalDrawModeEnabled()") is False


def test_an_outline_ends_by_a_button_too(page):
    page.click("#gs-tool-outline")
    for x, y in on_screen(page, square(page)):
        page.mouse.click(x, y)
    page.click("#gs-tool-done")
    assert "wholly inside" in page.inner_text(".gs-result")
    assert not page.is_visible(".gs-readout")
    page.click(".gs-result >> text=Close")
    assert page.evaluate("document.activeElement.id") == "gs-search"
    page.click("#gs-tool-measure")
    page.focus("#gs-tool-cancel")
    page.keyboard.press("Enter")
    assert page.get_attribute("#gs-tool-measure", "aria-pressed") == "false"


STUB = """() => {
  const app = geosite.current;
  const entry = { id: "w", kind: "tiles", title: "<b>Wilderness</b>", group: ["Excluded by rule"],
                  words: ["16 USC 1133(d)"] };
  app.data.layers = [entry, { id: "s", kind: "sites", title: "Sites" }];
  const row = (name) => ({ entry, id: 1, kind: 3, props: { name }, words: "" });
  window.asked = [];
  geosite.tiles.at = async (a, where, entries) => {
    window.asked.push(entries.map((e) => e.id).join());
    return [row("Toy <i>Peak</i>"), row("Toy <i>Peak</i>")];
  };
  geosite.tiles.within = async (a, ring, entries) => {
    if (window.broken) throw new Error("broken");
    return window.empty ? [] : [row("Toy Peak"), { ...row(""), words: "Grey Range" }];
  };
}"""


def test_rules_and_parcels_come_from_the_tiles_with_their_citation(page):
    page.evaluate(STUB)
    page.evaluate("geosite.current.goTo(39.5, -117.1)")
    page.wait_for_selector(".gs-result h3 >> text=Excluded by rule")
    text = page.inner_text(".gs-result")
    assert "Excluded by rule · <b>Wilderness</b>" in text
    assert text.count("Toy <i>Peak</i>") == 1
    assert "16 USC 1133(d)" in text
    assert page.evaluate("window.asked.join()") == "w"
    ring = json.dumps(square(page))
    page.evaluate(f"geosite.current.outline({ring})")
    page.wait_for_selector(".gs-result li >> text=Grey Range")
    assert "geosite review RUN --polygon" in page.inner_text(".gs-result")
    page.evaluate(f"(window.empty = true, geosite.current.outline({ring}))")
    page.wait_for_selector("text=No outline of the map’s layers is here.")
    page.evaluate(f"(window.broken = true, geosite.current.outline({ring}))")
    page.wait_for_selector("text=could not be read")


def test_geoman_leaves_the_sites_alone_and_shows_no_toolbar(page):
    page.click("#gs-tool-outline")
    page.keyboard.press("Escape")
    assert page.locator(".leaflet-pm-toolbar").count() == 0
    made = page.evaluate(
        "(() => { let n = 0; map_run.eachLayer(l => {"
        " if (l.options && l.options.pane === 'gs-sites' && l.pm) n += 1; }); return n; })()"
    )
    assert made == 0


def test_corners_can_be_typed(page):
    ring = square(page)
    page.click("#gs-tool-corners")
    assert page.evaluate("document.activeElement.id") == "gs-corners"
    page.keyboard.type("39.5, -117.1\nnowhere\n39.6")
    page.click("#gs-use-corners")
    faults = page.locator(".gs-fault").all_inner_texts()
    assert [f.split(":")[0] for f in faults] == ["line 2", "line 3"]
    page.fill("#gs-corners", "\n".join(f"{y:.6f}, {x:.6f}" for x, y in ring))
    page.click("#gs-use-corners")
    some, whole = held(ring)
    assert f"{len(some)} site" in page.inner_text(".gs-result")
    page.click("text=Show only these")
    shown = page.evaluate("Array.from(geosite.current.state.visible)")
    assert np.flatnonzero(shown).tolist() == some
    assert set(whole) <= set(some)
    page.click("#gs-tool-clear")
    assert page.inner_text("#gs-count") == "14 of 14 sites"
    assert page.locator(".gs-result").count() == 0


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"type": "Polygon"', "not GeoJSON"),
        ('{"type": "Point", "coordinates": [1, 2]}', "one Polygon without holes"),
        ('{"type": "Polygon", "coordinates": [[[1, 2], [500, 2], [3, 4]]]}', "1 corners are not"),
        ('{"type": "Polygon", "coordinates": [[null, 7, [3, 4]]]}', "2 corners are not"),
        ("39 -117\n40 -117", "at least 3 corners; 2 found"),
        ("39 -117\n40 -116\n39 -116\n40 -117", "crosses itself"),
        ("39 -117\n39 -117\n40 -116\n39 -117", "at least 3 corners; 2 found"),
        ("", "at least 3 corners; 0 found"),
    ],
)
def test_what_is_no_outline_is_said(page, text, fault):
    page.click("#gs-tool-corners")
    page.fill("#gs-corners", text)
    page.click("#gs-use-corners")
    assert fault in page.inner_text(".gs-fault >> nth=0")


def test_geojson_goes_in_and_comes_out_and_sites_are_saved(page):
    ring = square(page, 0.3)
    said = {
        "type": "FeatureCollection",
        "features": [{"type": "Feature", "properties": {},
                      "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}}],
    }  # fmt: skip
    page.click("#gs-tool-corners")
    page.fill("#gs-corners", json.dumps(said))
    page.click("#gs-use-corners")
    back = json.loads(page.input_value(".gs-result textarea"))
    assert shapely.geometry.shape(back["geometry"]).equals_exact(shapely.Polygon(ring), 1e-6)
    with page.expect_download() as saved:
        page.click("text=Save as CSV")
    lines = saved.value.path().read_text(encoding="utf-8").splitlines()
    some, _ = held(ring)
    assert lines[0].startswith("rank,site_id,name")
    assert lines[0].endswith("ranked_by,marking,notice")
    assert len(lines) == len(some) + 1
    assert all("the run's ranking; rule" in x and "Pre-decisional" in x for x in lines[1:])
    with page.expect_download() as saved:
        page.click("text=Save as GeoJSON")
    assert json.loads(saved.value.path().read_text(encoding="utf-8")) == back


def test_sites_in_random_outlines_are_those_that_share_land(page):
    random = np.random.default_rng(2)
    (west, south), (east, north) = page.evaluate(
        "(v => [[v[0][1], v[0][0]], [v[1][1], v[1][0]]])(geosite.current.data.view)"
    )
    for _ in range(25):
        x, y = random.uniform(west, east), random.uniform(south, north)
        turn = np.sort(random.uniform(0, 2 * np.pi, 6))
        reach = random.uniform(0.02, 0.3, 6)
        ring = np.column_stack([x + reach * np.cos(turn), y + reach * np.sin(turn)]).tolist()
        found = page.evaluate("r => geosite.inside.sitesIn(geosite.current.data.sites, r)", ring)
        some, whole = held(ring)
        assert [f["index"] for f in found] == some
        assert [f["index"] for f in found if f["whole"]] == whole


# ── measure, home, full screen, scale ──
def test_a_line_is_measured_as_it_grows(page):
    ring = square(page, 0.1)
    page.click("#gs-tool-measure")
    points = on_screen(page, ring[:3])
    page.mouse.click(*points[0])
    page.mouse.move(*points[1], steps=3)
    page.wait_for_function(f"{READOUT}.includes('km')")
    page.mouse.click(*points[1])
    page.mouse.click(*points[2])
    page.keyboard.press("Enter")
    last = page.inner_text(".gs-readout")
    assert "on the ellipsoid" in last
    km = float(re.match(r"([\d.]+) km", last)[1])
    assert km == pytest.approx(WGS84.line_length(*zip(*ring[:3], strict=True)) / 1000, rel=0.02)


def test_the_whole_area_comes_back(page):
    before = page.evaluate("map_run.getBounds().toBBoxString()")
    page.evaluate("map_run.setView([0, 0], 3, { animate: false })")
    page.click("#gs-tool-home")
    page.wait_for_function("s => map_run.getBounds().toBBoxString() === s", arg=before)


def test_the_map_fills_the_screen_and_comes_back(page):
    page.click("#gs-tool-full")
    page.wait_for_selector("html.gs-full", state="attached")
    assert page.evaluate("Boolean(document.fullscreenElement)")
    assert page.get_attribute("#gs-tool-full", "aria-pressed") == "true"
    assert not page.is_visible("#gs-side")
    page.click("#gs-tool-full")
    page.wait_for_selector("html:not(.gs-full)", state="attached")
    assert page.is_visible("#gs-side")


def test_the_scale_bar_has_both_systems(page):
    lines = page.locator(".leaflet-control-scale-line").all_inner_texts()
    assert len(lines) == 2
    assert lines[0].endswith("m")
    assert lines[1].endswith(("mi", "ft"))


def test_every_tool_has_a_name_and_is_reached_by_keyboard(page):
    for name in ("outline", "corners", "measure", "clear", "home", "full"):
        button = page.locator(f"#gs-tool-{name}")
        assert button.get_attribute("aria-label")
        button.focus()
        assert page.evaluate("document.activeElement.id") == f"gs-tool-{name}"


@pytest.mark.parametrize("width", [1440, 360])
def test_axe_finds_nothing_serious_while_tools_are_used(page, width):
    page.set_viewport_size({"width": width, "height": 740})
    page.evaluate(f"geosite.current.outline({json.dumps(square(page))})")
    page.evaluate("document.querySelector('.gs-filters').open = true")
    assert findings(page, *PARTS) == []
    page.click("#gs-tool-corners")
    page.click("#gs-use-corners")
    assert findings(page, *PARTS) == []
    page.click("#gs-tool-measure")
    page.evaluate("map_run.fire('click', { latlng: map_run.getCenter() })")
    assert findings(page, *PARTS) == []
