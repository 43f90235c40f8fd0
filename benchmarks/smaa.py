"""Rank acceptability of 10,000 sites under 10,000 weightings of 8 criteria, by every rule.

    python benchmarks/smaa.py

The bar is 5 s and 1 GB on two processors. Nothing here is timed by the test suite.
"""

from __future__ import annotations

import argparse
import json
import resource
import time

import numpy as np
from machine import ROOT, machine, stamp, versions
from pydantic import TypeAdapter

from geosite.acceptability import acceptability
from geosite.model.combination import Combination
from geosite.reweighting import drawn_weights
from geosite.tipping import tippings

KINDS = ("weighted_sum", "geometric_mean", "evidence_gated", "topsis")
TOP = (10, 50)


def main() -> None:
    """Time the draws and the smallest changes of each rule, and print what they took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sites", type=int, default=10_000)
    parser.add_argument("--criteria", type=int, default=8)
    parser.add_argument("--draws", type=int, default=10_000)
    parser.add_argument("--missing", type=float, default=0.0, help="Share of unknown scores.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rule", choices=KINDS, help="This rule only; for its own peak memory.")
    asked = parser.parse_args()
    rng = np.random.default_rng(asked.seed)
    # Whole ten-thousandths, as those of sites are.
    scores = rng.integers(0, 10_001, (asked.criteria, asked.sites)) / 10_000
    scores[1:][rng.random((asked.criteria - 1, asked.sites)) < asked.missing] = np.nan
    weights = rng.uniform(1, 5, asked.criteria)
    ids = ["evidence", *(f"criterion_{k}" for k in range(1, asked.criteria))]
    drawn = drawn_weights(weights, asked.draws, asked.seed, 0.5)
    took = {}
    for kind in [asked.rule] if asked.rule else KINDS:
        rule = TypeAdapter(Combination).validate_python({"kind": kind})
        # Compiled on a small case first: what is compiled is kept on disk between runs.
        acceptability(scores[:, :9], drawn[:9], rule, ids, missing="renormalise", top=TOP)
        began, used = time.perf_counter(), time.process_time()
        acceptability(scores, drawn, rule, ids, missing="renormalise", top=TOP)
        whole, busy = time.perf_counter() - began, time.process_time() - used
        began = time.perf_counter()
        tippings(scores, weights, rule, ids, missing="renormalise", top=TOP)
        took[kind] = {
            "draws_s": round(whole, 2),
            "draws_cpu_s": round(busy, 2),
            "smallest_changes_s": round(time.perf_counter() - began, 2),
        }
    found = {
        "sites": asked.sites,
        "criteria": asked.criteria,
        "draws": asked.draws,
        "rules": took,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "machine": machine(),
        "versions": versions(),
        "measured": stamp(),
    }
    path = ROOT / "benchmarks/work/smaa.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1), encoding="utf-8")
    keys = ("sites", "criteria", "draws", "rules", "peak_bytes")
    print(json.dumps({k: found[k] for k in keys}, indent=1))


if __name__ == "__main__":
    main()
