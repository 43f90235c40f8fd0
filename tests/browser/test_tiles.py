"""Layers drawn from tiles, in a browser: on disk and served, asked what lies at a place."""

from __future__ import annotations

import json
import threading

import geopandas as gpd
import pytest
import shapely

from geosite.crs import WGS84, projected
from geosite.map import content_block, saved_map
from geosite.map.entries import Entry, Layers, Tiles
from geosite.viewing import Viewer
from tests.browser.resting import frames
from tests.browser.toycontent import ALBERS, at, block, toy_content

pytestmark = pytest.mark.browser
HOSTILE = '</script><img src=x onerror="window.hurt=1"><b>\n{{ 7*7 }}'
LAND = Entry(
    "toy-land", "Toy land", ("Toy",), "tiles", "toy", "land", ("kind", ("blm",)),
    {"fill": "#00ff00", "opacity": 1.0, "width": 0}, shown=True,
)  # fmt: skip
OTHER = Entry(
    "toy-other", "Other land", ("Toy",), "tiles", "toy", "land", ("kind", ("usfs",)),
    {"fill": "#0000ff", "opacity": 1.0, "width": 0},
)  # fmt: skip
LINES = Entry(
    "toy-lines", "Toy lines", ("Toy",), "tiles", "toy", "lines",
    style={"stroke": "#ff0000", "width": 5, "opacity": 1.0}, shown=True,
)  # fmt: skip
DOTS = Entry(
    "toy-dots", "Toy dots", ("Toy",), "tiles", "toy", "dots",
    style={"fill": "#ff00ff", "radius": 6, "opacity": 1.0, "width": 0, "label": "name"},
    shown=True,
)  # fmt: skip


def frame(shapes, **columns):
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=ALBERS)


def toy_layers(_content):
    hole = block(2, 2, 30, 46).difference(block(10, 20, 16, 28))
    land = frame([hole, block(30, 2, 58, 46)], kind=["blm", "usfs"], words=[HOSTILE, "other"])
    lines = frame([shapely.LineString([at(4, 8), at(28, 8)])], words=["a line"])
    dots = frame([shapely.Point(at(20, 36))], name=[HOSTILE], words=["a dot"])
    tiles = Tiles("toy", {"land": land, "lines": lines, "dots": dots}, frozenset({"land"}))
    return Layers((LAND, OTHER, LINES, DOTS), (tiles,))


@pytest.fixture
def content(monkeypatch):
    for name in ("parcel_layers", "exclusion_layers", "deposit_layers", "surface_layers"):
        monkeypatch.setattr(content_block, name, lambda _content: Layers())
    monkeypatch.setattr(content_block, "result_layers", lambda _content, _sites: Layers())
    monkeypatch.setattr(content_block, "context_layers", toy_layers)
    return toy_content()


def place(column, row):
    point = projected(frame([shapely.Point(at(column, row))]), WGS84).geometry[0]
    return [point.y, point.x]


def opened(tab, url):
    tab.goto(url)
    tab.wait_for_selector("html[data-geosite=ready]", state="attached")


def drawn(tab):
    # All that is waited for has been drawn.
    tab.wait_for_function(
        """() => { const tiles = Array.from(document.querySelectorAll("canvas.leaflet-tile"));
        return !geosite.painting.waiting.length && tiles.length > 0 &&
          tiles.every((c) => c.dataset.drawn); }"""
    )


def colour(tab, pane, where):
    """Colour of a pane's canvas at a place, as [r, g, b, a]."""
    return tab.evaluate(
        """([pane, where]) => {
        const { map } = geosite.current, p = map.latLngToContainerPoint(where);
        const box = map.getContainer().getBoundingClientRect();
        for (const c of document.querySelectorAll(`.leaflet-${pane}-pane canvas.leaflet-tile`)) {
          const r = c.getBoundingClientRect();
          const x = p.x + box.left - r.left, y = p.y + box.top - r.top;
          if (x < 0 || y < 0 || x >= r.width || y >= r.height) continue;
          const k = c.width / r.width;
          const pen = Object.assign(document.createElement("canvas"), { width: 1, height: 1 })
            .getContext("2d", { willReadFrequently: true });
          pen.drawImage(c, Math.floor(x * k), Math.floor(y * k), 1, 1, 0, 0, 1, 1);
          return Array.from(pen.getImageData(0, 0, 1, 1).data);
        }
        return null; }""",
        [pane, where],
    )


def found(tab, where):
    return tab.evaluate(
        """async ([where]) => (await geosite.tiles.at(geosite.current, L.latLng(where),
        geosite.current.data.layers)).map((f) => [f.entry.id, f.words, f.props.name || ""])""",
        [where],
    )


def test_layers_are_drawn_where_they_are(tab, content, tmp_path):
    saved_map(content, tmp_path / "map.html")
    opened(tab, (tmp_path / "map.html").as_uri())
    for zoom in (7, 9, 12, 14):
        for where, pane, expected in (
            ((6, 40), "gs-land", [0, 255, 0, 255]),
            ((13, 24), "gs-land", [0, 0, 0, 0]),
            ((44, 20), "gs-land", [0, 0, 0, 0]),
            ((16, 8), "gs-lines", [255, 0, 0, 255]),
            ((20, 36), "gs-points", [255, 0, 255, 255]),
        ):
            spot = place(*where)
            tab.evaluate(
                "([p, z]) => geosite.current.map.setView(p, z, { animate: false })", [spot, zoom]
            )
            drawn(tab)
            assert colour(tab, pane, spot) == expected, (zoom, where)
    assert tab.faults == []


def test_a_layer_that_is_switched_is_drawn_and_gone(tab, content, tmp_path):
    saved_map(content, tmp_path / "map.html")
    opened(tab, (tmp_path / "map.html").as_uri())
    there = place(44, 20)
    for shown, expected in ((True, [0, 0, 255, 255]), (False, [0, 0, 0, 0])):
        tab.evaluate("(on) => geosite.current.layers.set('toy-other', on)", shown)
        frames(tab)
        drawn(tab)
        assert colour(tab, "gs-land", there) == expected
    assert tab.faults == []


def test_what_lies_at_a_place_is_told_as_text(tab, content, tmp_path):
    saved_map(content, tmp_path / "map.html")
    opened(tab, (tmp_path / "map.html").as_uri())
    assert found(tab, place(6, 40)) == [["toy-land", HOSTILE, ""]]
    assert found(tab, place(44, 20)) == [["toy-other", "other", ""]]
    assert found(tab, place(13, 24)) == []
    assert found(tab, place(16, 8)) == [["toy-land", HOSTILE, ""], ["toy-lines", "a line", ""]]
    assert found(tab, place(20, 36)) == [
        ["toy-land", HOSTILE, ""], ["toy-dots", "a dot", HOSTILE],
    ]  # fmt: skip
    assert tab.evaluate("window.hurt") is None
    assert tab.faults == []


def test_what_reaches_into_an_outline(tab, content, tmp_path):
    saved_map(content, tmp_path / "map.html")
    opened(tab, (tmp_path / "map.html").as_uri())

    def within(*corners):
        ring = [place(*c)[::-1] for c in corners]
        return tab.evaluate(
            """async (ring) => (await geosite.tiles.within(geosite.current, ring,
            geosite.current.data.layers)).map((f) => f.entry.id)""",
            ring,
        )

    assert within((11, 21), (15, 21), (15, 27), (11, 27)) == []
    assert within((25, 30), (35, 30), (35, 40), (25, 40)) == ["toy-land", "toy-other"]
    assert within((0, 0), (59, 0), (59, 47), (0, 47)) == [
        "toy-land", "toy-other", "toy-lines", "toy-dots",
    ]  # fmt: skip
    assert within((15, 6), (17, 6), (17, 10), (15, 10)) == ["toy-land", "toy-lines"]
    assert within((5, 40), (6, 40), (6, 41)) == ["toy-land"]
    assert tab.faults == []


def test_a_hidden_layer_costs_nothing(tab, content, tmp_path, monkeypatch):
    hidden = [Entry(**{**{k: getattr(e, k) for k in e.__slots__}, "shown": False})
              for e in (LAND, OTHER, LINES, DOTS)]  # fmt: skip
    monkeypatch.setattr(
        content_block, "context_layers", lambda c: Layers(tuple(hidden), toy_layers(c).tiles)
    )
    saved_map(content, tmp_path / "map.html")
    opened(tab, (tmp_path / "map.html").as_uri())
    frames(tab)
    assert tab.evaluate("(geosite.current.archives || new Map()).size") == 0
    assert tab.locator("canvas.leaflet-tile").count() == 0


def test_tiles_beside_the_page_are_read_in_ranges_where_it_is_served(tab, content, tmp_path):
    saved_map(content, tmp_path / "map.html", is_served=True)
    asked = []
    tab.on("response", lambda r: asked.append((r.url, r.status)))
    server = Viewer(tmp_path)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        opened(tab, server.url)
        there = place(6, 40)
        tab.evaluate("(p) => geosite.current.map.setView(p, 14, { animate: false })", there)
        drawn(tab)
        assert colour(tab, "gs-land", there) == [0, 255, 0, 255]
        assert found(tab, there)[0][1] == HOSTILE
        assert tab.evaluate("geosite.tiles.open(geosite.current, 'toy').max") == 12
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    tiles = [status for url, status in asked if url.endswith("/map-tiles/toy.pmtiles")]
    assert tiles
    assert set(tiles) == {206}
    assert tab.faults == []


def test_on_disk_the_tiles_in_the_page_are_drawn(tab, content, tmp_path):
    saved_map(content, tmp_path / "map.html", is_served=True)
    opened(tab, (tmp_path / "map.html").as_uri())
    there = place(6, 40)
    tab.evaluate("(p) => geosite.current.map.setView(p, 14, { animate: false })", there)
    drawn(tab)
    assert colour(tab, "gs-land", there) == [0, 255, 0, 255]
    assert tab.evaluate("geosite.tiles.open(geosite.current, 'toy').max") == 11
    held = json.loads(tab.locator("#gs-data").text_content())["archives"]["toy"]
    assert held["file"] == "map-tiles/toy.pmtiles"
    assert tab.faults == []
