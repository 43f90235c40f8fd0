"""The whole page in a browser: offline, used in every way, by everyone, with hostile words."""

from __future__ import annotations

import functools
import http.server
import os
import threading
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest

from geosite import assets
from geosite.map import write_map
from tests.browser.accessibility import findings
from tests.browser.crawl import READY, TABS, crawl, opened
from tests.browser.hostile import hostile_content
from tests.browser.resting import drawn, frames, still
from tests.browser.toycontent import toy_content

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[2]
SHOTS = Path(os.environ.get("GEOSITE_SCREENSHOTS", ROOT / "build" / "screenshots"))
PHONE = {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    path = tmp_path_factory.mktemp("hostile") / "map.html"
    write_map(hostile_content(), path)
    return path


def kept(tab, name):
    """A screenshot for people to look at."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    tab.screenshot(path=SHOTS / f"{name}.png")


# ── offline ───────────────────────────────────────────────────────────────────────────────────
def test_the_file_asks_for_nothing_and_has_no_fault(tab, toy):
    opened(tab, toy)
    assert tab.faults == []
    assert tab.locator("#gs-waiting").count() == 0
    kept(tab, "file")


def test_on_loopback_it_is_the_same(tab, toy):
    path = Path(url2pathname(urlsplit(toy).path))
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(path.parent))
    handler.log_message = lambda *_: None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            opened(tab, f"http://127.0.0.1:{server.server_address[1]}/{path.name}")
        finally:
            server.shutdown()
    assert [f for f in tab.faults if "favicon" not in f] == []


def test_the_page_says_what_it_is(tab, toy):
    opened(tab, toy)
    tab.evaluate("geosite.current.openTab('gs-tab-about')")
    side = tab.inner_text("#gs-side")
    for words in ("Pre-decisional screening.", "Data: synthetic; rules as of 2025-11-21",
                  "SYNTHETIC WORLD", "public data only", "case files control",
                  "critical habitat"):  # fmt: skip
        assert words in side


def test_without_packed_files_they_are_linked_and_the_page_says_so(tab, tmp_path, monkeypatch):
    monkeypatch.setattr(assets, "BUILT", tmp_path / "none")
    path = tmp_path / "map.html"
    write_map(toy_content(), path)
    tab.goto(path.as_uri())
    assert "cdn.jsdelivr.net" in tab.inner_text("#gs-waiting")
    assert "make assets" in tab.inner_text("#gs-waiting")
    assert any("asked for https://cdn.jsdelivr.net/npm/leaflet@" in f for f in tab.faults)


# ── every control, and hostile words ──────────────────────────────────────────────────────────
def test_every_control_can_be_used_without_a_fault(tab, toy):
    used = crawl(opened(tab, toy))
    assert len(used) > 40
    assert [u for u in used if not u[1]] == [], "controls without a name"
    # Switched on by the crawl, as a reader would, base maps alone ask for the network.
    left = [f for f in tab.faults if "asked for" not in f and "ERR_FAILED" not in f]
    assert left == []
    asked = {f.split("/")[2] for f in tab.faults if "asked for" in f}
    assert asked <= {"basemap.nationalmap.gov", "tile.openstreetmap.org"}


def test_strangers_words_run_nothing_however_the_page_is_used(tab, hostile):
    opened(tab, hostile.as_uri())
    assert tab.faults == []
    crawl(tab)
    for x in range(420, 1400, 70):
        for y in range(60, 880, 90):
            tab.mouse.move(x, y)
    tab.mouse.click(800, 450)
    assert drawn(tab).evaluate("window.__hit") is None
    assert tab.locator("img[src=x], svg[onload], [onerror]").count() == 0
    left = [f for f in tab.faults if "asked for" not in f and "ERR_FAILED" not in f]
    assert left == []


# ── for everyone ──────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("size", [{"width": 1440, "height": 900}, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing_serious_in_any_panel(tab, toy, size):
    tab.set_viewport_size(size)
    opened(tab, toy)
    found = {}
    for panel in TABS:
        tab.evaluate("id => geosite.current.openTab(id)", panel)
        drawn(tab)
        kept(tab, f"{panel}-{size['width']}")
        # The map and all around it once; of the other panels what they add.
        found[panel] = findings(tab, *([] if panel == TABS[0] else [f"#{panel}"]))
    tab.evaluate("geosite.current.select(0, 'table')")
    kept(still(tab), f"card-{size['width']}")
    found["card"] = findings(tab, "#gs-card")
    assert {k: v for k, v in found.items() if v} == {}


def test_a_phone_shows_map_and_panel_without_scrolling_sideways(tab, toy):
    tab.set_viewport_size(PHONE)
    opened(tab, toy)
    assert tab.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    for part in (".folium-map", "#gs-side"):
        box = tab.locator(part).bounding_box()
        assert box["width"] >= PHONE["width"] - 1
        assert box["height"] >= 0.35 * PHONE["height"]


def test_the_keyboard_reaches_the_panels_and_the_skip_link(tab, toy):
    opened(tab, toy)
    tab.keyboard.press("Tab")
    names = set()
    for _ in range(80):
        names.add(
            tab.evaluate("document.activeElement.className + '#' + document.activeElement.id")
        )
        tab.keyboard.press("Tab")
    assert any("gs-skip" in n for n in names)
    assert any("gs-tab-sites-tab" in n for n in names)
    tab.locator("#gs-tab-sites-tab").focus()
    tab.keyboard.press("ArrowRight")
    assert tab.evaluate("document.activeElement.id") == "gs-tab-weights-tab"
    assert tab.locator("#gs-tab-weights").is_visible()


def test_print_shows_the_table_and_what_the_page_is(tab, toy):
    opened(tab, toy)
    tab.emulate_media(media="print")
    kept(frames(tab), "print")
    side = tab.inner_text("#gs-side")
    assert "Pre-decisional screening." in side
    assert "Toy prospect 1" in side
    assert not tab.locator("#gs-tabs").is_visible()


def test_who_wants_no_motion_gets_none(tab, toy):
    tab.emulate_media(reduced_motion="reduce")
    opened(tab, toy)
    assert tab.evaluate("geosite.current.map.options.zoomAnimation") is False
    assert tab.locator(READY).count() == 1
