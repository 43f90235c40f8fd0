"""Back-test of the evidence surface on the snapshot: the method against the plain sum, in one run.

``python -m benchmarks.prospectivity --data /path/to/snapshot [--seeds 5] [--out results.json]``

A part of the known deposits is held out, everything near them is taken from the evidence,
and each is ranked against the land of its own state. Nothing is fitted to what is held out.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import rasterio
from pyproj import CRS
from rasterio.features import rasterize
from rasterio.warp import Resampling, reproject

from geosite.catalog import open_catalog, open_rulebook, open_scenario
from geosite.crs import projected
from geosite.evidence import Question, asked_commodities
from geosite.grid import Grid
from geosite.model.prospectivity import Prospectivity
from geosite.occurrences import occurrences
from geosite.prospectivity import (
    Ground,
    known_deposits,
    likelihood,
    plain_sum,
    removed_near,
    terrain,
)
from geosite.prospectivity.ground import ranks_within
from geosite.prospectivity.rings import reach
from geosite.sources import read_features

if TYPE_CHECKING:
    from numpy.typing import NDArray

LAYERS = ("critical_deposits", "usmin", "deposit_databases", "zinc_lead", "mrds", "state_sites")
NAMED = ("minerals/critical_deposits", "minerals/usmin", "minerals/deposit_databases")
"""Layers whose named deposits are held out."""
STATES = ("AZ", "CA", "CO", "ID", "MT", "NM", "NV", "OR", "UT", "WA", "WY")
DEM = "rasters/dem_srtm30plus_z6_us_incl_alaska_2km.tif"
LEAK, BLOCK = 5000.0, 25_000.0
BEST, DRAWS = 0.9, 2000


def all_records(data: Path) -> pd.DataFrame:
    """Every occurrence of the snapshot near the West, with ``asked``: EO minerals without coal."""
    catalog = open_catalog(Path(__file__).parents[1] / "tests" / "snapshot" / "layers")
    table = open_rulebook().commodities
    question = Question.of("eo14241", table)
    spec = open_scenario("mine/open-pit").evidence
    if spec is None:  # pragma: no cover -- the preset has evidence
        msg = "the preset mine/open-pit has no evidence"
        raise SystemExit(msg)
    crs = CRS(5070)
    frames = []
    for name in LAYERS:
        layer = catalog[f"minerals/{name}"]
        frame = projected(read_features(layer, catalog, data).frame, crs)
        frames.append((layer, frame[~frame.geometry.is_empty]))
    asked = asked_commodities("eo14241", table) - {"metallurgical-coal"}
    found = occurrences(frames, question, spec)
    # A record of nothing the rulebook names still tells that somebody looked there.
    found["commodities"] = found["commodities_all"]
    found["asked"] = found["commodities"].map(lambda c: bool(asked.intersection(c)))
    return found[np.isfinite(found["x"]) & np.isfinite(found["y"])].reset_index(drop=True)


def west(data: Path, cell: float) -> Ground:
    """Land, states and terrain of the eleven western states."""
    crs = CRS(5070)
    catalog = open_catalog(Path(__file__).parents[1] / "tests" / "snapshot" / "layers")
    states = projected(read_features(catalog["aoi/states"], catalog, data).frame, crs)
    states = states[states["code"].isin(STATES)].set_index("code").loc[list(STATES)]
    grid = Grid.covering(tuple(states.total_bounds), crs, resolution=cell)
    codes = rasterize(
        [(shape, i + 1) for i, shape in enumerate(states.geometry)],
        out_shape=grid.shape,
        transform=grid.transform,
        dtype="int16",
    )
    height = np.full(grid.shape, np.nan, np.float32)
    with rasterio.open(data / DEM) as source:
        band = source.read(1).astype(np.float32)
        band[band == source.nodata] = np.nan
        reproject(
            band,
            height,
            src_transform=source.transform,
            src_crs=source.crs,
            src_nodata=np.nan,
            dst_transform=grid.transform,
            dst_crs=crs.to_wkt(),
            dst_nodata=np.nan,
            resampling=Resampling.average,
        )
    return Ground(grid, codes > 0, codes, terrain(height, cell))


def named(records: pd.DataFrame, ground: Ground) -> pd.DataFrame:
    """Named deposits that are held out in turn, on the land, those of 1 km once."""
    spec = Prospectivity(known_classes=("reserve", "plan", "resource", "past_producer"))
    of = records["layer"].isin(NAMED)
    small = (records["evidence_class"] == "past_producer") & (records["layer"] != NAMED[1])
    found = known_deposits(records[of & ~small], spec)
    return found[ground.cells_of(found[["x", "y"]].to_numpy(float)) >= 0].reset_index(drop=True)


def hold_outs(deposits: pd.DataFrame, kind: str, seed: int) -> NDArray[np.bool_]:
    """A random fifth of the deposits, or those of a random fifth of the blocks."""
    rng = np.random.default_rng(seed)
    if kind == "random":
        of = np.arange(len(deposits))
    else:
        blocks = np.floor(deposits[["x", "y"]].to_numpy(float) / BLOCK).astype(int)
        of = np.unique(blocks, axis=0, return_inverse=True)[1].ravel()
    count = int(of.max()) + 1
    return np.isin(of, rng.permutation(count)[: count // 5])


def evidence_without(records: pd.DataFrame, held: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Records farther than 5 km from what is held out, and in none of its blocks."""
    xy = held[["x", "y"]].to_numpy(float)
    left = removed_near(records, xy, LEAK)
    if kind == "random":
        return left
    blocks = set(map(tuple, np.floor(xy / BLOCK).astype(int).tolist()))
    mine = np.floor(left[["x", "y"]].to_numpy(float) / BLOCK).astype(int).tolist()
    return left[[tuple(b) not in blocks for b in mine]].reset_index(drop=True)


def placed(
    surface: NDArray[np.float32], ground: Ground, at: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Rank of each place within its state and, in the second column, on all land."""
    values = surface[ground.land]
    within = ranks_within(values, ground.states)[at]
    everywhere = ranks_within(values, np.ones(len(values), int))[at]
    return np.stack([within, everywhere], 1).astype(float)


def summary(
    plain: NDArray[np.float64], method: NDArray[np.float64], ids: NDArray[np.int64]
) -> dict[str, Any]:
    """AUC and share in the best tenth of both, and the 95 % bootstrap interval of the gain.

    Deposits are drawn, not hold-outs: one that several seeds held out is one deposit.
    """
    out: dict[str, Any] = {}
    rng = np.random.default_rng(0)
    who, inverse = np.unique(ids, return_inverse=True)
    times = rng.multinomial(len(who), np.full(len(who), 1 / len(who)), size=DRAWS)[:, inverse]
    for column, name in enumerate(("within_state", "global")):
        p, m = plain[:, column], method[:, column]
        for label in ("auc", "best_tenth"):
            old, new = (p, m) if label == "auc" else (1.0 * (p >= BEST), 1.0 * (m >= BEST))
            drawn = (times * (new - old)).sum(1) / times.sum(1)
            out[f"{name}_{label}"] = {
                "plain": round(float(old.mean()), 4),
                "method": round(float(new.mean()), 4),
                "gain": round(float((new - old).mean()), 4),
                "interval_95": [round(float(q), 4) for q in np.quantile(drawn, (0.025, 0.975))],
            }
    return out


def near_the_ground(records: pd.DataFrame, ground: Ground, spec: Prospectivity) -> pd.DataFrame:
    """Records that a kernel can carry to the ground."""
    left, bottom, right, top = ground.grid.bounds
    far = reach(spec.widths)
    x, y = records["x"], records["y"]
    keep = (x > left - far) & (x < right + far) & (y > bottom - far) & (y < top + far)
    return records[keep].reset_index(drop=True)


def back_test(
    records: pd.DataFrame, ground: Ground, spec: Prospectivity, kind: str, seeds: int
) -> dict[str, Any]:
    """Both methods on the same hold-outs."""
    deposits = named(records, ground)
    at = ground.cells_of(deposits[["x", "y"]].to_numpy(float))
    plain, weighted, method, ids, seconds = [], [], [], [], []
    for seed in range(seeds):
        held = hold_outs(deposits, kind, seed)
        left = evidence_without(records, deposits[held], kind)
        plain.append(placed(plain_sum(left, ground), ground, at[held]))
        weighted.append(placed(plain_sum(left, ground, weighted=True), ground, at[held]))
        began = time.perf_counter()
        found = likelihood(left, ground, spec)
        seconds.append(time.perf_counter() - began)
        method.append(placed(found.values, ground, at[held]))
        ids.append(np.flatnonzero(held))
    new, who = np.concatenate(method), np.concatenate(ids)
    return {
        "held_out": len(who),
        "deposits": len(np.unique(who)),
        "against_plain_sum": summary(np.concatenate(plain), new, who),
        "against_weighted_sum": summary(np.concatenate(weighted), new, who),
        "seconds_likelihood": round(float(np.median(seconds)), 1),
    }


def main() -> None:
    """Read, test, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--cell", type=float, default=1000.0)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    spec = Prospectivity(cell=given.cell, leak=LEAK)
    ground = west(given.data, given.cell)
    records = near_the_ground(all_records(given.data), ground, spec)
    results: dict[str, Any] = {
        "records": len(records),
        "asked": int(records["asked"].sum()),
        "land_cells": int(ground.land.sum()),
        "cell_m": given.cell,
        "leak_m": LEAK,
        "block_m": BLOCK,
        "seeds": given.seeds,
    }
    for kind in ("random", "blocks"):
        results[kind] = back_test(records, ground, spec, kind, given.seeds)
        print(kind, json.dumps(results[kind], indent=1))
    if given.out:
        given.out.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
