"""20,000 parcels against 100,000 constraint polygons: geosite's dossier table beside geopandas.

    python benchmarks/overlaps.py --repeat 1

The peer is what an analyst would write: `geopandas.overlay`, dissolved by parcel and rule, and
its area. geosite's table says more (names, nearest feature, distance, direction, standing) and
is timed with all of it. Each runs in a process of its own, in turns, on the same files. Not a
part of run.py. Nothing here is timed by the test suite.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from machine import ROOT, machine, stamp, versions
from measured import measured

from geosite.demo.noise import Noise
from geosite.demo.vectors import DRAWN_IN
from geosite.overlaps import touches

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results-overlaps.json"
SEED = 5
RULES = 8
EDGE = 400_000.0
"""Side of the world [m]."""
MANY = 50_000
"""Corners of the most detailed polygons."""
BAR, MEMORY = 5.0, 2e9


def parcels(count: int, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Parcels of 65 to 260 ha, one in a square of a lattice, some of two parts."""
    side = int(np.ceil(np.sqrt(count)))
    step = EDGE / side
    cell = rng.permutation(side * side)[:count]
    size = rng.uniform(800, 1600, (count, 2))
    corner = np.c_[cell % side, cell // side] * step + rng.uniform(0, step - 1600, (count, 2))
    shapes = shapely.box(*corner.T, *(corner + size).T)
    split = rng.random(count) < 0.1
    gap = shapely.box(*(corner + size * [0.4, -1]).T, *(corner + size * [0.6, 2]).T)
    shapes[split] = shapely.difference(shapes[split], gap[split])
    return gpd.GeoDataFrame({"parcel": np.arange(count)}, geometry=shapes, crs=DRAWN_IN)


def constraints(count: int, detailed: int, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Blobs with the demo world's noise along their outlines, a few of them of 50,000 corners."""
    corners = np.clip(10 ** rng.normal(1.6, 0.5, count), 6, 5_000).astype(int)
    radius = np.clip(10 ** rng.normal(2.9, 0.35, count), 60, 15_000)
    corners[:detailed], radius[:detailed] = MANY, rng.uniform(10_000, 30_000, detailed)
    middle = rng.uniform(0, EDGE, (count, 2))
    noises = [(0.3, Noise(SEED, 1, 4_000.0)), (0.12, Noise(SEED, 2, 700.0))]
    shapes = np.empty(count, object)
    for k in range(count):
        turn = np.arange(corners[k]) * (2 * np.pi / corners[k])
        way = np.c_[np.cos(turn), np.sin(turn)]
        ring = middle[k] + radius[k] * way
        scale = 1 + sum(w * noise.at(ring[:, 0], ring[:, 1]) for w, noise in noises)
        shapes[k] = shapely.Polygon(middle[k] + radius[k] * way * scale[:, None])
    hole = rng.random(count) < 0.1
    middles = shapely.points(middle)
    shapes[hole] = shapely.difference(
        shapes[hole], shapely.buffer(middles[hole], 0.3 * radius[hole])
    )
    rule = rng.integers(0, RULES, count)
    name = [f"Demo area {k}" for k in range(count)]
    return gpd.GeoDataFrame({"rule": rule, "name": name}, geometry=shapes, crs=DRAWN_IN)


def by_geosite(sites: gpd.GeoDataFrame, features: gpd.GeoDataFrame) -> pd.Series:
    """The dossier table, whole, of every rule; its areas [m²] by parcel and rule."""
    sites = sites.set_index("parcel")
    tables = {rule: touches(sites, some) for rule, some in features.groupby("rule")}
    area = pd.concat(tables, names=["rule"])["overlap_ha"] * 10_000
    return area[area > 0].swaplevel().sort_index()


def by_geopandas(sites: gpd.GeoDataFrame, features: gpd.GeoDataFrame) -> pd.Series:
    """Areas [m²] by parcel and rule."""
    pieces = gpd.overlay(sites, features, how="intersection", keep_geom_type=True)
    area = pieces.dissolve(by=["parcel", "rule"]).area
    return area[area > 0].sort_index()


WAYS = {"geosite": by_geosite, "geopandas": by_geopandas}


def main() -> None:
    """Make the world, run both in turns, say how they compare."""
    asked = options()
    work: Path = asked.work.resolve()
    if asked.only:
        _one(asked.only, work)
        return
    work.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(SEED)
    parcels(asked.parcels, rng).to_parquet(work / "parcels.parquet")
    blobs = constraints(asked.constraints, asked.detailed, rng)
    blobs.to_parquet(work / "constraints.parquet")
    corners = int(shapely.get_num_coordinates(blobs.geometry.to_numpy()).sum())
    del blobs
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in WAYS}
    for _ in range(asked.repeat):
        for name, runs in found.items():
            command = [sys.executable, __file__, "--only", name, "--work", work]
            run = measured(command, folder=work, environment={"PYTHONPATH": str(ROOT)})
            runs.append(run.said() | {"table_s": run.laps["table"]})
            print(name, runs[-1], flush=True)
    _compared(asked, work, found, corners)


def _one(name: str, work: Path) -> None:
    sites = gpd.read_parquet(work / "parcels.parquet")
    features = gpd.read_parquet(work / "constraints.parquet")
    started = time.perf_counter()
    area = WAYS[name](sites, features)
    print(f"table: {time.perf_counter() - started:.3f}")
    area.rename("area").reset_index().to_parquet(work / f"{name}.parquet")


def _compared(
    asked: argparse.Namespace, work: Path, found: dict[str, list[dict[str, Any]]], corners: int
) -> None:
    ours, theirs = (
        pd.read_parquet(work / f"{name}.parquet").set_index(["parcel", "rule"])["area"]
        for name in WAYS
    )
    both = pd.concat({"ours": ours, "theirs": theirs}, axis=1).fillna(0.0)
    differs = (both["ours"] - both["theirs"]).abs() / both.max(axis=1)
    medians = {n: statistics.median(r["table_s"] for r in runs) for n, runs in found.items()}
    results = {
        "parcels": asked.parcels,
        "constraints": asked.constraints,
        "corners": corners,
        "of_50000_corners": asked.detailed,
        "rules": RULES,
        "seed": SEED,
        "pairs_that_overlap": len(both),
        "largest_relative_difference": float(differs.max()),
        "largest_difference_m2": float((both["ours"] - both["theirs"]).abs().max()),
        "medians_s": medians,
        "times_faster": round(medians["geopandas"] / medians["geosite"], 2),
        "peak_bytes": {n: max(r["peak_bytes"] for r in runs) for n, runs in found.items()},
        "bars": {"times_faster": BAR, "peak_bytes": MEMORY, "relative_difference": 1e-6},
        "runs": found,
        "measured": stamp(),
        "machine": machine() | {"versions": versions()},
    }
    asked.results.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({k: v for k, v in results.items() if k not in {"runs", "machine"}}, indent=1))


def options() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parcels", type=int, default=20_000)
    parser.add_argument("--constraints", type=int, default=100_000)
    parser.add_argument("--detailed", type=int, default=40, help="of 50,000 corners each")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--work", type=Path, default=HERE / "work/overlaps")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--only", choices=WAYS, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
