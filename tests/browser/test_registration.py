"""Pictures of surfaces lie where their cells lie, measured on the screen, in cells."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from pyproj import CRS

from geosite.constraints import CLEAR, EXCLUDED
from geosite.crs import WGS84, transformed
from geosite.map.page import write_map
from tests.browser.toycontent import toy_content

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning"),
]
SIDE = 14
"""Cells along the side of an excluded block; its corners are the control points."""
ACROSS = 4.5
"""How far from a corner its two edges are crossed, and how far to each side [cells]."""
WORLDS = {
    # Far from the central meridian, where the grid is turned against north by 12 degrees.
    "Nevada, 1 km": (5070, -1_780_000.0, 2_060_000.0, 1000.0, (96, 120)),
    "Nevada, 250 m": (5070, -1_780_000.0, 2_060_000.0, 250.0, (1800, 2200)),
    "Alaska, 250 m": (3338, 700_000.0, 1_700_000.0, 250.0, (1500, 1700)),
}
"""EPSG code, left, top, cell [m], (rows, columns)."""
ALONE = """
([url, corners]) => {
  const map = geosite.current.map;
  for (const control of document.querySelectorAll(".leaflet-control-container, #gs-side, #gs-card"))
    control.style.display = "none";
  for (const pane of Object.values(map.getPanes()))
    if (pane !== map.getPane("mapPane")) pane.style.display = "none";
  map.createPane("alone").style.zIndex = 1000;
  map.invalidateSize({ animate: false });
  const picture = L.imageOverlay(url, corners, { pane: "alone", interactive: false });
  picture.addTo(map).getElement().style.imageRendering = "pixelated";
}
"""
LOOK = """
([lat, lon, zoom, places]) => {
  const map = geosite.current.map;
  map.setView([lat, lon], zoom, { animate: false });
  const box = map.getContainer().getBoundingClientRect();
  return places.map(([a, b]) => {
    const at = map.latLngToContainerPoint([a, b]);
    return [box.left + at.x, box.top + at.y];
  });
}
"""


def drawn(world):
    """Content of a world of blocks, and where the corners of the blocks are: cells."""
    epsg, left, top, cell, (rows, columns) = WORLDS[world]
    crs = CRS.from_epsg(epsg)
    status = np.full((rows, columns), CLEAR, np.uint8)
    corners = []
    for r in np.linspace(3, rows - SIDE - 3, 3).astype(int):
        for c in np.linspace(3, columns - SIDE - 3, 3).astype(int):
            status[r : r + SIDE, c : c + SIDE] = EXCLUDED
            # Of each block the upper left and the lower right corner, with the way inside.
            corners += [(c, r, 1, 1), (c + SIDE, r + SIDE, -1, -1)]
    toy = toy_content()
    here = {
        name: getattr(toy, name).set_crs(crs, allow_override=True).iloc[:0]
        for name in ("sites", "parcels", "exclusions", "deposits")
    }
    outline = shapely.box(left, top - rows * cell, left + columns * cell, top)
    aoi = toy.aoi.set_crs(crs, allow_override=True).set_geometry([outline], crs=crs)
    content = replace(
        toy, **here, aoi=aoi, crs=crs, status=status, rules=(),
        suitability=np.where(status == CLEAR, 0.5, np.nan).astype(np.float32),
        transform=Affine(cell, 0, left, 0, -cell, top),
    )  # fmt: skip
    return content, corners


def degrees(content, cells):
    """Latitude and longitude of places given in columns and rows: (places, 2)."""
    step = content.transform
    x, y = step.c + cells[:, 0] * step.a, step.f + cells[:, 1] * step.e
    lon, lat = transformed(x, y, content.crs, WGS84)
    return np.column_stack([lat, lon])


def crossing(shown, at, offsets):
    """Where along a path of pixels the colour changes, as an offset from its middle [cells]."""
    x, y = np.floor(at).astype(int).T
    colours = shown[:, y, x].astype(float)
    first, last = colours[:, :1], colours[:, -1:]
    assert np.abs(first - last).max() > 20, "the two sides of an edge look the same"
    nearer_last = np.abs(colours - last).sum(0) < np.abs(colours - first).sum(0)
    return float(offsets[np.argmax(nearer_last)])


@pytest.mark.parametrize("world", WORLDS)
def test_cells_lie_where_they_are(tab, tmp_path, world, record_property):
    content, corners = drawn(world)
    write_map(content, tmp_path / "map.html")
    tab.goto((tmp_path / "map.html").as_uri())
    tab.wait_for_selector("html[data-geosite=ready]", state="attached")
    picture = tab.evaluate("geosite.current.json('picture-excluded')")
    tab.evaluate(ALONE, [picture["url"], picture["corners"]])
    offsets = np.linspace(-ACROSS, ACROSS, 361)
    cell = content.transform.a
    errors = []
    for column, row, right, down in corners:
        inside = np.zeros_like(offsets)
        # Across the vertical edge at some cells below the corner, and across the level one.
        level = np.column_stack([column + offsets, row + down * ACROSS + inside])
        upright = np.column_stack([column + right * ACROSS + inside, row + offsets])
        ((lat, lon),) = degrees(content, np.array([[column, row]], float))
        # A cell takes 16 pixels or more, so that a pixel is no error to speak of.
        zoom = int(np.ceil(np.log2(16 * 156_543 * np.cos(np.radians(lat)) / cell)))
        places = [degrees(content, path).tolist() for path in (level, upright)]
        at = tab.evaluate(LOOK, [lat, lon, zoom, places[0] + places[1]])
        with rasterio.open(BytesIO(tab.screenshot())) as file:
            shown = file.read([1, 2, 3])
        half = len(offsets)
        across = crossing(shown, np.array(at[:half]), offsets)
        along = crossing(shown, np.array(at[half:]), offsets)
        errors.append(np.hypot(across, along))
    assert len(errors) >= 10
    record_property("largest error [cells]", float(max(errors)))
    told = f"{world}: {len(errors)} control points, largest error {max(errors):.2f} cells"
    print(f"{told}, mean {np.mean(errors):.2f}")  # noqa: T201 -- what is measured is to be seen
    assert max(errors) < 1
    assert tab.faults == []
