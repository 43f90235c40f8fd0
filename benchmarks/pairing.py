"""633 mines and 269 plants over a drawn network of a nation's size; seeded.

    python benchmarks/pairing.py

As many mines and plants as the mines and plants of the conterminous states in the snapshot, and
lines about as many and as long as its rail and freeway graphs (13,066 and 15,595 edges, 184,000
and 94,000 km): a bent grid of both over 4,500 by 2,600 km.
Nothing here is timed by the test suite.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np
import shapely
from machine import ROOT, machine, stamp, versions
from pyproj import CRS

from geosite.catalog import open_freight
from geosite.haulage import Haulage
from geosite.network import lines_graph
from geosite.pairing import Terms, pairing

ALBERS = CRS.from_epsg(5070)
WEST, SOUTH, WIDE, HIGH = -2.2e6, 4e5, 4.5e6, 2.6e6


def lines(apart_m: float, piece_m: float, rng: np.random.Generator) -> np.ndarray:
    """A bent grid of lines so far apart, cut into pieces of about one length, in the CRS."""
    across, down = int(WIDE / apart_m) + 1, int(HIGH / apart_m) + 1
    x, y = np.meshgrid(np.linspace(0, WIDE, across), np.linspace(0, HIGH, down))
    at = np.stack([WEST + x, SOUTH + y], axis=-1) + rng.normal(0, apart_m / 9, (*x.shape, 2))
    pairs = [
        np.stack([at[:, :-1], at[:, 1:]], axis=2).reshape(-1, 2, 2),
        np.stack([at[:-1], at[1:]], axis=2).reshape(-1, 2, 2),
    ]
    whole = shapely.segmentize(shapely.linestrings(np.concatenate(pairs)), piece_m)
    corners, line = shapely.get_coordinates(whole, return_index=True)
    steps = np.stack([corners[:-1], corners[1:]], axis=1)[line[1:] == line[:-1]]
    return shapely.linestrings(steps)


def main() -> None:
    """Time each step and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mines", type=int, default=633)
    parser.add_argument("--plants", type=int, default=269)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    rng = np.random.default_rng(asked.seed)
    places = [
        np.column_stack([rng.uniform(WEST, WEST + WIDE, n), rng.uniform(SOUTH, SOUTH + HIGH, n)])
        for n in (asked.mines, asked.plants)
    ]
    # Compiled once, before the clock runs.
    road, rail = (lines_graph(lines(5e5, 5e4, rng), ALBERS) for _ in range(2))
    Haulage(places[0][:2], places[1][:2], road, rail, open_freight(), ALBERS).hauls()
    took = {}
    began = time.perf_counter()
    grids = lines(250e3, 6e3, rng), lines(127e3, 14e3, rng)
    road, rail = (lines_graph(grid, ALBERS) for grid in grids)
    took["graph"] = time.perf_counter() - began
    haulage = Haulage(*places, road, rail, open_freight(), ALBERS)
    took["join"] = time.perf_counter() - began - took["graph"]
    hauls = haulage.hauls()
    took["search"] = time.perf_counter() - began - sum(took.values())
    value = [rng.uniform(0, 1, len(p)) for p in places]
    found = pairing(
        value[0], value[1], value[0], hauls.usd, np.ones_like(hauls.is_straight), Terms(15.0)
    )
    took["pairing"] = time.perf_counter() - began - sum(took.values())
    for m in range(asked.mines):
        if not hauls.is_straight[m, found.best[m]]:
            haulage.route(m, int(found.best[m]))
    took["routes"] = time.perf_counter() - began - sum(took.values())
    said = {
        "mines": asked.mines,
        "plants": asked.plants,
        "lines": [len(grid) for grid in grids],
        "nodes": len(road.nodes) + len(rail.nodes),
        "edges": len(road.tail) + len(rail.tail),
        "seconds": {k: round(v, 2) for k, v in took.items()},
        "total_s": round(time.perf_counter() - began, 2),
        "machine": machine(),
        "versions": versions(),
        "measured": stamp(),
    }
    path = ROOT / "benchmarks/work/pairing.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(said, indent=1), encoding="utf-8")
    print(
        json.dumps(
            {k: said[k] for k in ("lines", "nodes", "edges", "seconds", "total_s")}, indent=1
        )
    )


if __name__ == "__main__":
    main()
