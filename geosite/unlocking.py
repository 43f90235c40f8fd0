"""The unlock analysis of a finished run: from its folder to tables in another one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geosite import report
from geosite.disk import assembled
from geosite.unlock import Blocking, blocking_sets, parcel_table, rule_table, set_table, valued_ha

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from geosite.runs import Run

_SOVEREIGN = ("TRIBAL",)
"""Agencies whose land is outside the analysis."""
_HARD = ("exclude", "require")


def unlocked(run: Run) -> report.Unlocked:
    """What blocks the excluded land of a run.

    Raises
    ------
    RunError
        If a file of the run is damaged.
    """
    said = run.manifest
    path = run.path / "rule_sets.parquet"
    with report.reading(path):
        rule_sets = pd.read_parquet(path)
    parcels = run.layer("parcels")
    rules = blocking_rules(said["rules"])
    sets = blocking_sets(rule_sets, rules, _asked(parcels, said["parcels"], rule_sets))
    cell_ha = float(said["grid"]["resolution_m"]) ** 2 / 10_000
    return report.Unlocked(
        said["title"],
        said["aoi"],
        said["as_of"],
        said["notice"],
        rule_table(sets, rules, cell_ha=cell_ha),
        set_table(sets, rules, cell_ha=cell_ha),
        parcel_table(sets, rules, pd.DataFrame(parcels), cell_ha=cell_ha),
        valued_ha(sets, rules, cell_ha=cell_ha),
    )


def blocking_rules(rules: Sequence[Mapping[str, Any]]) -> tuple[Blocking, ...]:
    """The rules of a ``run.json`` as the analysis needs them.

    A run from before rules said who could act or whose land is sovereign says neither: its
    rule about tribal land is known by its layer, and what included lifted every rule.
    """
    index = {r["id"]: k for k, r in enumerate(rules)}
    return tuple(
        Blocking(
            rule["id"],
            rule["title"],
            rule["authority"],
            rule["citation"],
            rule.get("who_can_act") or "",
            rule["tier"] in _HARD,
            bool(rule.get("sovereign", rule["layer"] == "land/tribal")),
            tuple(index[i] for i in rule.get("lifts", index) if i in index)
            if rule["tier"] == "include"
            else (),
        )
        for rule in rules
    )


def _asked(
    parcels: pd.DataFrame, counted: Sequence[Mapping[str, Any]], rule_sets: pd.DataFrame
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    # Parcels that the run ranks, by their number; 0 is land without a parcel.
    ranked = {(p["agency"], p["status"]) for p in counted if not p["reason"]}
    top = max([0, *parcels["parcel_id"], *rule_sets["parcel"]])
    asked = np.zeros(int(top) + 1, bool)
    mine = [
        (a, s) in ranked and a not in _SOVEREIGN
        for a, s in zip(parcels["agency"], parcels["status"], strict=True)
    ]
    asked[parcels["parcel_id"].to_numpy(np.int64)] = mine
    return asked


def saved(found: report.Unlocked, folder: Path) -> Path:
    """Write the tables to a new folder; gives its path, or the first numbered one that is free.

    Raises
    ------
    RunError
        If it cannot be written.
    """

    def fill(new: Path) -> None:
        for name in ("rules", "sets", "parcels"):
            table = getattr(found, name)
            report.write_table(table, new / f"unlock_{name}.csv", notice=found.notice)
        text = report.unlock_text(found, best=len(found.rules))
        (new / "README.txt").write_text(f"{text}\n", encoding="utf-8")

    return assembled(folder, fill)
