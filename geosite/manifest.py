"""What a run says of itself: ``run.json``."""

from __future__ import annotations

import hashlib
import json
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyproj
import rasterio
import shapely

from geosite import report
from geosite.accounting import excluded_ha
from geosite.sites import measure_column

if TYPE_CHECKING:
    from geosite.pipeline import Analysis
    from geosite.planning import Plan


def notice(plan: Plan) -> str:
    """What every table says of itself."""
    return f"{report.DISCLAIMER} Data as of {plan.as_of}. [{plan.scenario.marking}]"


def manifest(analysis: Analysis, started: datetime) -> dict[str, Any]:
    """Content of ``run.json``: the scenario as resolved, inputs with their hashes, counts, timings.

    ``hash`` covers what the answer depends on: scenario, outline, day, rules, input files,
    how the catalogue reads them, and version; two runs of equal hash asked the same of
    the same data.
    """
    plan, ready = analysis.plan, analysis.prepared
    removed = analysis.removed.set_index("rule")
    files = {
        layer: [{"path": f.path, "sha256": f.sha256, "size": f.size} for f in found]
        for layer, found in ready.files.items()
    }
    rules = [
        {
            "id": r.id,
            "title": r.title,
            "layer": r.layer,
            "authority": r.authority,
            "citation": r.citation,
            "evidence": r.evidence,
            "tier": t.tier,
            "note": r.note,
            "treatment": t.model_dump(mode="json"),
            "exceptions": list(r.exceptions),
            "consultation": r.consultation,
            "permits": list(r.permits),
            **(removed.loc[[r.id]].to_dict("records")[0] if r.id in removed.index else {}),
        }
        for r, t in zip(plan.rules, plan.treatments, strict=True)
    ]
    criteria = [
        {
            "id": c.criterion.id,
            "title": c.criterion.title,
            "weight": c.criterion.weight,
            "critical": c.criterion.critical,
            "basis": c.criterion.basis,
            "unit": (c.reading or c.criterion).measure.unit,
            "measure": measure_column(c, plan.grid.resolution),
            "reading": c.reading.model_dump(
                mode="json", include={"layer", "where", "measure", "value", "note"}
            )
            if c.reading
            else None,
        }
        for c in plan.criteria
    ]
    used = {u.layer for u in plan.uses if not u.missing}
    layers = [
        plan.catalog[i].model_dump(
            mode="json",
            include={
                "id",
                "title",
                "agency",
                "vintage",
                "licence",
                "citation",
                "status",
                "absence",
                "problems",
            },
        )
        | {"files": files.get(i, [])}
        for i in sorted(used | set(files))
    ]
    scenario = plan.scenario.model_dump(mode="json", by_alias=True)
    asked = {
        "scenario": scenario,
        "as_of": plan.as_of.isoformat(),
        # A name may mean another outline tomorrow, an entry another reading of the same bytes.
        "aoi": hashlib.sha256(shapely.to_wkb(plan.aoi)).hexdigest(),
        "files": files,
        "layers": [plan.catalog[i].model_dump(mode="json") for i in sorted(used | set(files))],
        "rules": [r.model_dump(mode="json") for r in plan.rules],
        "commodities": plan.rulebook.commodities.model_dump(mode="json"),
        "authorities": plan.rulebook.authorities.model_dump(mode="json"),
        "geosite": version("geosite"),
    }
    grid = plan.grid
    return {
        "notice": notice(plan),
        "hash": hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest(),
        "title": plan.scenario.title,
        "scenario": scenario,
        "aoi": plan.aoi_name,
        "as_of": plan.as_of.isoformat(),
        "synthetic": any(layer["status"] == "synthetic" for layer in layers),
        "grid": {
            "crs": grid.crs.to_string(),
            "resolution_m": grid.resolution,
            "column": grid.column,
            "row": grid.row,
            "rows": grid.shape[0],
            "columns": grid.shape[1],
            "cells": grid.cells,
            "halo_cells": plan.halo,
        },
        "criteria": criteria,
        "rules": rules,
        "rules_not_asked": dict(plan.not_asked),
        "layers": layers,
        "missing": [
            {"layer": u.layer, "purpose": u.purpose, "reason": u.missing} for u in plan.missing
        ],
        "notes": [*plan.notes, *ready.notes],
        "counts": [
            {
                "layer": c.layer,
                "found": c.found,
                "used": c.used,
                "not_selected": c.not_selected,
                "repaired": c.repaired,
                "unreadable": dict(c.unreadable),
                "uncoded": dict(c.uncoded),
                "rejected": dict(c.rejected),
            }
            for c in ready.counts
        ],
        "register": dict(ready.register.counts),
        "parcels": _parcel_counts(analysis),
        "status_ha": dict(analysis.status_ha),
        "offered_ha": {
            "excluded": excluded_ha(
                analysis.rule_sets,
                plan.treatments,
                ready.inputs.offered,
                cell_ha=grid.cell_area,
            ),
            "unknown": analysis.status_ha["unknown"],
            "clear": analysis.status_ha["clear"],
        },
        "left_out": {k: {"number": n, "area_ha": a} for k, (n, a) in analysis.left_out.items()},
        "sites": len(analysis.sites),
        "authorities": {
            agency: [e.model_dump(mode="json") for e in entries]
            for agency, entries in ready.authorities.items()
        },
        "versions": {
            "geosite": version("geosite"),
            "python": platform.python_version(),
            "gdal": rasterio.__gdal_version__,
            "proj": pyproj.proj_version_str,
            "geos": shapely.geos_version_string,
            "numpy": np.__version__,
            "pandas": pd.__version__,
        },
        "timings_s": {k: round(v, 3) for k, v in analysis.timings.items()},
        "started": started.isoformat(timespec="seconds"),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _parcel_counts(analysis: Analysis) -> list[dict[str, Any]]:
    parcels = analysis.prepared.register.parcels.assign(ranked=analysis.prepared.inputs.offered[1:])
    grouped = parcels.groupby(["agency", "status", "ranked"], sort=True)["area_ha"]
    table = grouped.agg(["size", "sum"]).reset_index()
    return [
        {
            "agency": r.agency,
            "status": r.status,
            "ranked": bool(r.ranked),
            "parcels": int(r.size_),
            "area_ha": round(float(r.area), 1),
            "reason": _why_not(analysis.plan, r.agency, r.status) if not r.ranked else "",
        }
        for r in table.rename(columns={"size": "size_", "sum": "area"}).itertuples()
    ]


def _why_not(plan: Plan, agency: str, status: str) -> str:
    project = plan.scenario.project
    known = {a.agency for a in plan.rulebook.authorities.authorities if a.project == project}
    if agency not in known:
        return (
            f"no authority is known by which {agency} land could be made available for a {project}"
        )
    if agency not in plan.scenario.land.offered:
        return f"the scenario asks for {', '.join(plan.scenario.land.offered)} land only"
    return f"status {status}"
