"""How soon the map of a run can be read, and how soon it follows a weight, in Chromium.

    python benchmarks/map_speed.py --run outputs/mine-open-pit/RUN

Two questions. From opening the file to the first useful paint: the page says that it is ready
(sites drawn, table filled) and a frame has passed; each load in a browser of its own. And from
a weight that moves to the re-ranked map: from the event to the second frame after it, sites,
pins and table with it; in a drawn world of 1,000 and of 10,000 sites, and in the run. Not a
part of run.py. Nothing here is timed by the test suite. Wants Playwright and a Chromium.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import psutil
import shapely
from affine import Affine
from machine import machine, stamp, versions
from playwright.sync_api import sync_playwright
from pyproj import CRS

from geosite import runs
from geosite.map import write_map
from geosite.report.content import Content, CriterionLabel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Browser, Page, Playwright

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results-map.json"
SEED = 11
EDGE = 1_200_000.0
"""Side of the drawn world [m]."""
WEIGHTS = (350, 150, 120, 120, 100, 80, 40, 40)
SIZE_BAR, PAINT_BAR = 10.0, 2000.0
FOLLOW_BARS = {1_000: 50.0, 10_000: 200.0}
VIEW = {"width": 1440, "height": 900}

# Set before any script of the page runs: the time at which it was ready and a frame had passed.
WATCH = """
new MutationObserver((_, self) => {
  if (document.documentElement.dataset.geosite !== "ready") return;
  self.disconnect();
  requestAnimationFrame(() => setTimeout(() => (window.__ready = performance.now()), 0));
}).observe(document, { subtree: true, attributes: true, attributeFilter: ["data-geosite"] });
"""
# A slider where the page has one, else what a slider asks for.
FOLLOW = """
async ([changes, seed]) => {
  let state = seed;
  const random = () => (state = (1103515245 * state + 12345) % 2147483648) / 2147483648;
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const app = geosite.current, n = app.data.criteria.length, found = [], work = [];
  const sliders = [...document.querySelectorAll("#gs-weights input[type=range]")];
  let inside = 0;
  const settle = app.emit;
  app.emit = (event, value) => {
    const start = performance.now();
    settle(event, value);
    if (event === "ranking") inside += performance.now() - start;
  };
  for (let k = 0; k < changes; k++) {
    await new Promise((done) => setTimeout(done, 40 + 30 * random()));
    inside = 0;
    const start = performance.now();
    if (sliders.length === n) {
      const slider = sliders[k % n];
      const low = Number(slider.min), high = Number(slider.max);
      slider.value = String(low + (high - low) * random());
      slider.dispatchEvent(new Event("input", { bubbles: true }));
    } else {
      const raw = Array.from({ length: n }, random), all = raw.reduce((a, b) => a + b, 0);
      const weights = raw.map((v) => Math.floor((1000 * v) / all));
      weights[0] += 1000 - weights.reduce((a, b) => a + b, 0);
      app.choose(weights);
    }
    await frame();
    await frame();
    found.push(performance.now() - start);
    work.push(inside);
  }
  app.emit = settle;
  return { found, work, by: sliders.length === n ? "slider" : "choose" };
}
"""


def drawn(count: int, seed: int = SEED) -> Content:
    """A run of so many sites, drawn from a seed: crowds of ragged outlines, eight criteria."""
    rng = np.random.default_rng(seed)
    crs = CRS.from_epsg(5070)
    left, top = -2_000_000.0, 2_600_000.0
    crowd = rng.uniform(0.1, 0.9, (40, 2)) * EDGE
    middle = crowd[rng.integers(0, 40, count)] + rng.normal(0, 45_000, (count, 2))
    middle = np.clip(middle, 0, EDGE) * [1, -1] + [left, top]
    turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    reach = rng.uniform(900, 2600, (count, 1)) * rng.uniform(0.7, 1.3, (count, 24))
    # As sites of a raster of 250 m: corners on its lattice.
    ring = middle[:, None] + reach[..., None] * np.stack([np.cos(turn), np.sin(turn)], -1)
    outlines = shapely.make_valid(shapely.polygons(np.round(ring / 250) * 250))
    scores = np.round(rng.beta(4, 2, (count, len(WEIGHTS))), 4)
    scores[rng.random(scores.shape) < 0.03] = np.nan
    known = ~np.isnan(scores) * np.array(WEIGHTS)
    total = np.round(np.nansum(scores * WEIGHTS, axis=1) / known.sum(axis=1), 9)
    order = np.argsort(-total, kind="stable")
    metals = np.array(["copper", "gold", "lithium", "nickel", "tungsten", "zinc", "graphite"])
    columns: dict[str, Any] = {
        "rank": np.arange(1, count + 1),
        "site_id": [f"BLM-W{a}N{b}" for a, b in rng.integers(1000, 9999, (count, 2))],
        "name": [f"Drawn prospect number {k}" for k in range(count)],
        "agency": rng.choice(["BLM", "USFS", "DOE"], count),
        "state": rng.choice(["Nevada", "Utah", "Idaho", "Oregon"], count),
        "county": [f"County {k}" for k in rng.integers(0, 150, count)],
        "commodities": ["; ".join(sorted(set(m))) for m in rng.choice(metals, (count, 3))],
        "tier": rng.choice(["A", "B", "C"], count),
        "suitability": total[order],
        "area_ha": shapely.area(outlines)[order] / 1e4,
    }
    columns |= {f"effective_c{k}": scores[order, k] for k in range(len(WEIGHTS))}
    step = EDGE / 60
    world = gpd.GeoDataFrame(
        {"name": ["Drawn world"]},
        geometry=[shapely.box(left, top - EDGE, left + EDGE, top)],
        crs=crs,
    )
    nothing = gpd.GeoDataFrame({"name": []}, geometry=[], crs=crs)
    return Content(
        title=f"Drawn world of {count:,} sites", aoi_name="Drawn world", as_of="2025-11-21",
        marking="public data only", synthetic=True, project="map_speed",
        criteria=tuple(
            CriterionLabel(f"c{k}", f"Criterion {k}", w / 1000, "") for k, w in enumerate(WEIGHTS)
        ),
        rules=(), sites=gpd.GeoDataFrame(columns, geometry=outlines[order], crs=crs),
        parcels=nothing, exclusions=nothing.assign(rule=[]), deposits=nothing, aoi=world,
        suitability=np.full((60, 60), np.nan, np.float32), status=np.zeros((60, 60), np.uint8),
        transform=Affine(step, 0, left, 0, -step, top), crs=crs,
    )  # fmt: skip


def main() -> None:
    """Write the maps, open them, say what it took."""
    asked = options()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        results = _measured(asked, Path(folder), playwright)
    asked.results.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(table(results))


def table(results: dict[str, Any]) -> str:
    """What was found, as a table in Markdown."""
    lines = [
        "| map | sites | file | first useful paint | re-ranked map, median | p95 | our scripts |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {m['map']} | {m['sites']:,} | {m['file_mb']:.2f} MB | {m['paint_ms']:.0f} ms "
        f"| {m['follow_ms']:.0f} ms | {m['follow_p95_ms']:.0f} ms | {m['work_ms']:.1f} ms |"
        for m in results["maps"]
    ]
    return "\n".join(lines)


def _measured(asked: argparse.Namespace, folder: Path, playwright: Playwright) -> dict[str, Any]:
    found = []
    worlds: list[tuple[str, Content | None]] = [
        (f"drawn, {count:,}", drawn(count)) for count in asked.sites
    ]
    if asked.run:
        worlds.append(("the run", runs.content(runs.open_run(asked.run))))
    for name, content in worlds:
        path = folder / "map.html"
        write_map(content, path)
        found.append({"map": name} | _map(asked, path, playwright))
        print(json.dumps({k: v for k, v in found[-1].items() if k != "all"}), flush=True)
    return {
        "maps": found,
        "seed": SEED,
        "loads": asked.loads,
        "changes": asked.changes,
        "window": VIEW,
        "bars": {"file_mb": SIZE_BAR, "paint_ms": PAINT_BAR, "follow_ms": FOLLOW_BARS},
        "measured": stamp(),
        "machine": machine() | {"versions": versions()},
    }


def _map(asked: argparse.Namespace, path: Path, playwright: Playwright) -> dict[str, Any]:
    paints, follows, works, by, count, busy = [], [], [], "", 0, []
    for _ in range(asked.loads):
        psutil.cpu_percent()
        browser = _chromium(playwright)
        page = _opened(browser, path)
        paints.append(page.evaluate("window.__ready"))
        busy.append(psutil.cpu_percent())
        browser.close()
    for turn in range(asked.repeat):
        browser = _chromium(playwright)
        page = _opened(browser, path)
        page.wait_for_timeout(500)
        count = page.evaluate("geosite.current.data.sites.n")
        page.evaluate(FOLLOW, [5, 1])
        said = page.evaluate(FOLLOW, [asked.changes, SEED + turn])
        follows += said["found"]
        works += said["work"]
        by = said["by"]
        browser.close()
    return {
        "sites": count,
        "file_mb": round(path.stat().st_size / 1e6, 3),
        "paint_ms": round(statistics.median(paints), 1),
        "follow_ms": round(statistics.median(follows), 1),
        "follow_p95_ms": round(_p95(follows), 1),
        "work_ms": round(statistics.median(works), 2),
        "asked_by": by,
        "machine_busy_pct": round(statistics.median(busy), 0),
        "all": {
            "paint_ms": [round(v) for v in paints],
            "follow_ms": [round(v, 1) for v in follows],
        },
    }


def _chromium(playwright: Playwright) -> Browser:
    # Debian's, as the tests use it; Playwright's own where that is not there.
    path = os.environ.get("GEOSITE_CHROMIUM", "/usr/bin/chromium")
    return playwright.chromium.launch(
        executable_path=path if Path(path).exists() else None, args=["--no-sandbox"]
    )


def _opened(browser: Browser, path: Path) -> Page:
    page = browser.new_page(viewport=VIEW)  # type: ignore[arg-type]
    page.add_init_script(WATCH)
    page.goto(path.as_uri(), wait_until="commit")
    page.wait_for_function("window.__ready !== undefined", timeout=120_000)
    return page


def _p95(values: Sequence[float]) -> float:
    return float(np.percentile(values, 95))


def options() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, help="folder of a finished run")
    parser.add_argument("--sites", type=int, nargs="*", default=[1_000, 10_000])
    parser.add_argument("--loads", type=int, default=5)
    parser.add_argument("--changes", type=int, default=50)
    parser.add_argument("--repeat", type=int, default=2, help="pages the changes are made in")
    parser.add_argument("--results", type=Path, default=RESULTS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
