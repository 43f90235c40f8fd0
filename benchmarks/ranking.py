"""`geosite rank` on a saved run of many sites, from the start of Python to the printed table.

    python benchmarks/ranking.py

The run's files are made here, seeded: only what a ranking reads. Each rule is asked five times
in a process of its own; nothing here is timed by the test suite.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from machine import ROOT, machine, stamp, versions

RULES = ("weighted_sum", "geometric_mean", "minimum", "fuzzy_gamma:0.9", "topsis")
TIMES = 5


def saved_run(folder: Path, sites: int, criteria: int, seed: int) -> list[str]:
    """What `geosite rank` reads of a run; gives the criteria's ids."""
    rng = np.random.default_rng(seed)
    ids = [f"c{k:02}" for k in range(criteria)]
    effective = rng.random((criteria, sites))
    known = rng.choice([0.0, 0.5, 1.0, 1.0, 1.0], (criteria, sites))
    effective[known == 0] = np.nan
    names = [f"BLM-W{k}N{k % 977}" for k in range(sites)]
    columns = {f"effective_{i}": x for i, x in zip(ids, effective, strict=True)}
    columns |= {f"known_{i}": x for i, x in zip(ids, known, strict=True)}
    pd.DataFrame({"site_id": names, **columns}).to_parquet(folder / "matrix.parquet")
    table = {
        "site_id": names,
        "name": [f"Site {k}" for k in range(sites)],
        "tier": "B",
        "fatal_flaws": "",
        "rank": pd.array(np.arange(1, sites + 1), dtype="Int64"),
        "suitability": 0.5,
    }
    pd.DataFrame(table).to_parquet(folder / "sites.parquet")
    said = {
        "notice": "made up for a benchmark",
        "criteria": [{"id": i, "title": i, "weight": 1.0} for i in ids],
        "scenario": {
            "combination": {"kind": "weighted_sum"},
            "missing": "renormalise",
            "tiers": {"a": 0.6, "b": 0.4, "known": 0.6},
        },
    }
    (folder / "run.json").write_text(json.dumps(said), encoding="utf-8")
    return ids


def main() -> None:
    """Time the verb under each rule and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sites", type=int, default=10_000)
    parser.add_argument("--criteria", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    wall: dict[str, float] = {}
    processor: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        ids = saved_run(Path(folder), asked.sites, asked.criteria, asked.seed)
        weights = ",".join(f"{i}={k + 1}" for k, i in enumerate(ids))
        for rule in (*RULES, "owa:" + ",".join(str(k + 1) for k in range(len(ids)))):
            words = ["rank", folder, "--weights", weights, "--rule", rule]
            spent, used = [], []
            for _ in range(TIMES):
                began, before = time.perf_counter(), os.times()
                subprocess.run(
                    [sys.executable, "-m", "geosite", *words],
                    check=True,
                    capture_output=True,
                    cwd=ROOT,
                )
                after = os.times()
                spent.append(time.perf_counter() - began)
                used.append(
                    after.children_user
                    + after.children_system
                    - before.children_user
                    - before.children_system
                )
            name = rule.partition(":")[0]
            wall[name] = round(statistics.median(spent), 2)
            processor[name] = round(statistics.median(used), 2)
    found = {
        "sites": asked.sites,
        "criteria": asked.criteria,
        "wall_s": wall,
        "processor_s": processor,
        "machine": machine(),
        "versions": versions(),
        "measured": stamp(),
    }
    path = ROOT / "benchmarks/work/ranking.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1), encoding="utf-8")
    shown = ("sites", "criteria", "wall_s", "processor_s")
    print(json.dumps({k: found[k] for k in shown}, indent=1))


if __name__ == "__main__":
    main()
