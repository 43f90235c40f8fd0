"""The unlock analysis on a table of a nation's size: parcel × set of rules, seeded.

    python benchmarks/unlock.py

Five million rows of 400,000 parcels and 60 rules in 20,000 different sets: more than a national
run is known to give. Nothing here is timed by the test suite.
"""

from __future__ import annotations

import argparse
import json
import resource
import time

import numpy as np
import pandas as pd
from machine import ROOT, machine, stamp, versions

from geosite.unlock import Blocking, blocking_sets, parcel_table, rule_table, set_table

AUTHORITIES = ("statute", "plan", "practice", "withdrawal")


def nation(
    rows: int, parcels: int, rules: int, sets: int, seed: int
) -> tuple[pd.DataFrame, tuple[Blocking, ...]]:
    """A rule-set table in which a few rules are common and most are rare."""
    rng = np.random.default_rng(seed)
    planes = np.zeros((2, sets), np.uint64)
    for _ in range(4):
        rule = np.minimum(rng.exponential(rules / 5, sets).astype(int), rules - 1)
        for p in range(2):
            mine = rule // 32 == p
            planes[p, mine] |= np.uint64(1) << (2 * (rule[mine] % 32)).astype(np.uint64)
    which = rng.integers(0, sets, rows)
    table = pd.DataFrame(
        {
            "parcel": rng.integers(1, parcels + 1, rows),
            "plane0": planes[0][which],
            "plane1": planes[1][which],
            "cells": rng.integers(1, 1000, rows),
            "evidence": rng.integers(0, 10, rows),
        }
    ).drop_duplicates(["parcel", "plane0", "plane1"])
    named = tuple(
        Blocking(f"rule-{k:02}", f"Rule {k}", AUTHORITIES[k % 4], "none", "nobody", hard=True)
        for k in range(rules)
    )
    return table, named


def main() -> None:
    """Time the four tables and print what they took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--parcels", type=int, default=400_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    table, rules = nation(asked.rows, asked.parcels, 60, 20_000, asked.seed)
    land = pd.DataFrame({"parcel_id": np.arange(1, asked.parcels + 1), "agency": "BLM"})
    land = land.assign(name="tract", state="Nevada", county="Elko")
    which = np.ones(asked.parcels + 1, bool)
    which[0] = False
    took: dict[str, float] = {}
    began = time.perf_counter()
    sets = blocking_sets(table, rules, which)
    for name, made in (
        ("sets", lambda: sets),
        ("rules", lambda: rule_table(sets, rules, cell_ha=0.81)),
        ("set_table", lambda: set_table(sets, rules, cell_ha=0.81)),
        ("parcels", lambda: parcel_table(sets, rules, land, cell_ha=0.81)),
    ):
        made()
        took[name] = round(time.perf_counter() - began, 2)
        began = time.perf_counter()
    found = {
        "rows": len(table),
        "seconds": took,
        "total_s": round(sum(took.values()), 2),
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "machine": machine(),
        "versions": versions(),
        "measured": stamp(),
    }
    path = ROOT / "benchmarks/work/unlock.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1), encoding="utf-8")
    print(json.dumps({k: found[k] for k in ("rows", "seconds", "total_s", "peak_bytes")}, indent=1))


if __name__ == "__main__":
    main()
