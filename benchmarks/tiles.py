"""A map of 100,000 parcels through PMTiles: made, served on loopback, panned and zoomed.

    python benchmarks/tiles.py RUN [--parcels 100000]

The map of a finished run is written with its full tiles to a folder that is thrown away, and
the archive of its parcels is exchanged for one of drawn ones that fill its area without a gap;
it is served as ``geosite view`` does. A browser drags and zooms it, and the page itself tells
the time between frames: the bar is none over 250 ms. Needs playwright and Chromium. Nothing
here is timed by the tests.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from machine import machine, stamp, versions
from playwright.sync_api import sync_playwright

from geosite.map import saved_map
from geosite.map.land import parcel_layers
from geosite.map.saving import FINEST
from geosite.map.tiles import archive
from geosite.runs import content, open_run
from geosite.viewing import Viewer

BAR_MS = 250
AGENCIES = ("BLM", "USFS", "NPS", "FWS", "DOD", "TRIBAL")
FRAMES = """() => {
  const frames = (window.frames_ = []);
  let last = performance.now();
  const tick = (now) => { frames.push(now - last); last = now; requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
}"""


def drawn(count, bounds, crs, seed):
    """Parcels that fill some bounds: cells about random points, with crooked shared borders."""
    rng = np.random.default_rng(seed)
    left, bottom, right, top = bounds
    points = rng.uniform((left, bottom), (right, top), (count, 2))
    whole = shapely.box(*bounds)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(points), extend_to=whole))
    side = np.sqrt((right - left) * (top - bottom) / count)
    cells = shapely.intersection(cells, whole)
    cells = shapely.segmentize(shapely.set_precision(cells, 0.1), side / 3)

    def crooked(xy):
        shift = np.column_stack([np.sin(xy[:, 1] * 9 / side), np.cos(xy[:, 0] * 7 / side)])
        return xy + 0.04 * side * shift

    shapes = shapely.make_valid(shapely.transform(cells, crooked))
    n = len(shapes)
    agency = rng.choice(AGENCIES, n, p=(0.6, 0.2, 0.05, 0.05, 0.05, 0.05))
    return gpd.GeoDataFrame(
        {
            "parcel_id": [f"P{i}" for i in range(n)], "agency": agency,
            "name": [f"Parcel {i}" for i in range(n)], "state": "Nevada", "county": "Nye",
            "area_ha": shapely.area(shapes) / 1e4, "status": "", "ownership_conflict": "",
        },
        geometry=shapes, crs=crs,
    )  # fmt: skip


def moved(tab):
    """Drag and zoom the map as a reader does; seconds it took and times between frames [ms]."""
    box = tab.locator(".folium-map").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    phases = {}
    tab.evaluate(FRAMES)

    def phase(name):
        print(name, file=sys.stderr)
        phases[name] = tab.evaluate("window.frames_.splice(0)")

    def drag(dx, dy):
        tab.mouse.move(x, y)
        tab.mouse.down()
        for step in range(1, 13):
            tab.mouse.move(x + dx * step / 12, y + dy * step / 12)
        tab.mouse.up()
        tab.wait_for_timeout(900)

    tab.wait_for_timeout(3000)
    phase("opened")
    for zoom in range(7):
        drag(-300, 150)
        drag(250, -200)
        phase(f"panned at +{zoom}")
        tab.mouse.move(x, y)
        tab.mouse.wheel(0, -120)
        tab.wait_for_timeout(2000)
        phase(f"zoomed to +{zoom + 1}")
    for _ in range(7):
        tab.mouse.wheel(0, 120)
        tab.wait_for_timeout(1500)
    phase("zoomed out")
    return phases


def main() -> None:
    """Make, serve, move, and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--parcels", type=int, default=100_000)
    parser.add_argument("--finest", type=int, default=FINEST, help="Zoom of the finest tiles.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--chromium", default=os.environ.get("CHROMIUM", "/usr/bin/chromium"))
    parser.add_argument("--archive", type=Path, help="Take the tiles from here if they are there.")
    parser.add_argument("--picture", type=Path, help="Keep a picture of the map here.")
    asked = parser.parse_args()
    shown = content(open_run(asked.run))
    parcels = drawn(asked.parcels, shown.aoi.total_bounds, shown.crs, asked.seed)
    vertices = int(shapely.get_num_coordinates(parcels.geometry.array).sum())
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        began = time.perf_counter()
        saved_map(shown, folder / "map.html", is_served=True)
        page = time.perf_counter() - began
        began, used = time.perf_counter(), time.process_time()
        (tiles,) = parcel_layers(replace(shown, parcels=parcels)).tiles
        if asked.archive and asked.archive.is_file():
            raw = asked.archive.read_bytes()
        else:
            raw = archive(tiles, drawn={"agency"}, finest=asked.finest)
        if asked.archive:
            asked.archive.write_bytes(raw)
        made, busy = time.perf_counter() - began, time.process_time() - used
        (folder / "map-tiles/parcels.pmtiles").write_bytes(raw)
        print(f"made in {made:.0f} s", file=sys.stderr)
        sizes = {p.name: p.stat().st_size for p in folder.rglob("*") if p.is_file()}
        server = Viewer(folder)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with sync_playwright() as p:
            browser = p.chromium.launch(executable_path=asked.chromium, args=["--no-sandbox"])
            tab = browser.new_page(viewport={"width": 1440, "height": 900})
            faults = []
            tab.on("pageerror", lambda error: faults.append(str(error)))
            tab.on("console", lambda m: m.type == "error" and faults.append(m.text))
            tab.goto(server.url)
            tab.wait_for_selector("html[data-geosite=ready]", state="attached")
            phases = moved(tab)
            if asked.picture:
                tab.screenshot(path=asked.picture)
            browser.close()
        server.shutdown()
        server.server_close()
    longest = {name: round(max(frames, default=0.0)) for name, frames in phases.items()}
    frames = [f for name in phases for f in phases[name]]
    found = {
        "parcels": len(parcels), "vertices": vertices, "page_s": round(page, 1),
        "tiles_s": round(made, 1), "tiles_cpu_s": round(busy, 1), "bytes": sizes,
        "longest_ms": longest, "frames": len(frames),
        "p99_ms": round(float(np.percentile(frames, 99))), "faults": faults,
        "bar_ms": BAR_MS, "within": max(longest.values()) <= BAR_MS,
        "machine": machine(), "versions": versions(), "at": stamp(),
    }  # fmt: skip
    print(json.dumps(found, indent=1, default=str))


if __name__ == "__main__":
    main()
