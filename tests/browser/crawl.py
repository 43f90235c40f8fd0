"""Every control of a page used once, as a restless reader would."""

from __future__ import annotations

from pathlib import Path

from tests.browser.resting import drawn, frames

TABS = ("gs-tab-sites", "gs-tab-weights", "gs-tab-layers", "gs-tab-about")
READY = "html[data-geosite=ready]"
_USE = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")


def opened(tab, address):
    """The page, ready."""
    tab.goto(address)
    tab.wait_for_selector(READY, state="attached")
    return tab


def crawl(tab):
    """Use every control of every panel; gives (kind, name) of what was used."""
    used = []
    for panel in TABS:
        tab.evaluate("id => geosite.current.openTab(id)", panel)
        used += tab.evaluate(_USE, f"#{panel}")
    tab.evaluate("geosite.current.select(0, 'table')")
    frames(tab)
    used += tab.evaluate(_USE, "#gs-card")
    used += tab.evaluate(_USE, ".folium-map")
    drawn(tab)
    return used
