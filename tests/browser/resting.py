"""Waits until a page has done what it was asked for: conditions, where pauses would be guesses."""

from __future__ import annotations

FRAMES = """async () => {
  // A panel answers within a frame; what it starts there is begun in the next.
  for (let k = 0; k < 3; k++) {
    await new Promise((f) => requestAnimationFrame(() => setTimeout(f)));
  }
}"""
DRAWN = """() => !geosite.painting.waiting.length
  && Array.from(document.querySelectorAll("canvas.leaflet-tile")).every((c) => c.dataset.drawn)
  && Array.from(document.images).every((i) => i.complete)"""
STILL = """() => {
  const { map } = geosite.current, now = [map.getCenter(), map.getZoom()].join();
  const same = window.lastView === now;
  window.lastView = now;
  return same;
}"""


def frames(tab):
    """The page, after its panels have answered."""
    tab.evaluate(FRAMES)
    return tab


def drawn(tab):
    """The page, after its tiles and pictures are drawn."""
    frames(tab).wait_for_function(DRAWN)
    return tab


def still(tab):
    """The page, after its map has come to rest."""
    # Between two looks lies more than a frame of a flight.
    frames(tab).wait_for_function(STILL, polling=120)
    return tab
