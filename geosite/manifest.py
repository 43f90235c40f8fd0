"""What a run says of itself: ``run.json``."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyproj
import rasterio
import shapely

from geosite import report
from geosite.engine import summed_peaks
from geosite.matrix import matrix_of, set_reversals
from geosite.question import asked, hash_of
from geosite.rule_records import excluded_land, rule_records, unasked_records
from geosite.sites import measure_column
from geosite.voices import LISTED, voice_column
from geosite.weighting import per_mille, voices

if TYPE_CHECKING:
    from geosite.model.permit import Pathway, Permit
    from geosite.pipeline import Analysis
    from geosite.planning import Plan


_YEAR = re.compile(r"(?<!\d)(?:1[6-9]|20)\d\d(?!\d)")
_NAMED = 5
"""Rank reversals that the notes name; the manifest has all."""


def data_years(plan: Plan) -> report.DataYears:
    """From when the layers are that a plan reads: by the first year that each vintage names.

    A layer made of others is as old as they are.
    """
    ids = sorted({u.layer for u in plan.uses if not u.missing})
    queue, read = ids, set()
    while queue:
        id_ = queue.pop()
        parts = plan.catalog[id_].union_of if id_ in plan.catalog else ()
        queue += [p for p in parts if p not in read]
        read.add(id_)
    whole = [i for i in sorted(read) if i in plan.catalog and not plan.catalog[i].union_of]
    found = {i: _YEAR.search(plan.catalog[i].vintage) for i in whole}
    years = [int(m[0]) for m in found.values() if m]
    return report.DataYears(
        min(years, default=None),
        max(years, default=None),
        tuple(i for i, m in found.items() if not m),
    )


def notice(plan: Plan) -> str:
    """What every table says of itself."""
    used = {u.layer for u in plan.uses if not u.missing}
    words = data_years(plan).words(plan.as_of.isoformat(), synthetic=is_synthetic(plan, used))
    return f"{report.DISCLAIMER} {words}. [{plan.scenario.marking}]"


def places(plan: Plan, folder: Path) -> dict[str, str]:
    """Where the catalogue and the layers were, as seen from a run's folder.

    Relative, so that a run and its layers may be moved together.
    """
    found = {}
    for key, path in (("layers", plan.catalog.root), ("data", plan.data)):
        # On another drive there is no way from here to there.
        with suppress(ValueError):
            found[key] = Path(os.path.relpath(path.absolute(), folder.absolute())).as_posix()
    return found


def is_synthetic(plan: Plan, layers: Iterable[str]) -> bool:
    """Whether any of some layers is made up."""
    return any(plan.catalog[i].status == "synthetic" for i in layers)


def manifest(analysis: Analysis, started: datetime) -> dict[str, Any]:
    """Content of ``run.json``: the scenario as resolved, inputs with their hashes, counts, timings.

    ``hash`` covers what the answer depends on, see `question.asked`: scenario, outline, day,
    rules, input files, how the catalogue reads them, and version; not where and in what
    tiles it was worked on, which stands in ``engine``.
    """
    plan, ready = analysis.plan, analysis.prepared
    files = {
        layer: [{k: v for k, v in asdict(f).items() if v is not None} for f in found]
        for layer, found in ready.files.items()
    }
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
                "union_of",
            },
        )
        | {"files": files.get(i, [])}
        for i in sorted(used | set(files))
    ]
    scenario = plan.scenario.model_dump(mode="json", by_alias=True)
    grid, years = plan.grid, data_years(plan)
    excluded, nothing_left = excluded_land(analysis)
    ranking, ranking_notes = _ranking(analysis)
    return {
        "notice": notice(plan),
        "hash": hash_of(asked(plan, ready.files)),
        "title": plan.scenario.title,
        "scenario": scenario,
        "aoi": plan.aoi_name,
        "as_of": plan.as_of.isoformat(),
        "data_years": {"oldest": years.oldest, "newest": years.newest, "undated": [*years.undated]},
        "synthetic": is_synthetic(plan, used | set(files)),
        "grid": {
            "crs": grid.crs.to_string(),
            "resolution_m": grid.resolution,
            "column": grid.column,
            "row": grid.row,
            "rows": grid.shape[0],
            "columns": grid.shape[1],
            "origin_m": list(grid.origin),
            "cells": grid.cells,
            "halo_cells": plan.halo,
        },
        "criteria": criteria,
        "rules": rule_records(plan, analysis.removed),
        "resolution": list(plan.order),
        "rules_not_asked": dict(plan.not_asked),
        "unasked": unasked_records(plan),
        "layers": layers,
        "missing": [
            {"layer": u.layer, "purpose": u.purpose, "reason": u.missing} for u in plan.missing
        ],
        "notes": [*plan.notes, *ready.notes, *nothing_left, *ranking_notes],
        "no_land": nothing_left,
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
            "excluded": excluded,
            "unknown": analysis.status_ha["unknown"],
            "clear": analysis.status_ha["clear"],
        },
        "left_out": {k: {"number": n, "area_ha": a} for k, (n, a) in analysis.left_out.items()},
        **({"likelihood": dict(ready.surface.report)} if ready.surface else {}),
        "sites": len(analysis.sites),
        "robustness": dict(analysis.robust.summary),
        "authorities": {
            agency: [e.model_dump(mode="json") for e in entries]
            for agency, entries in ready.authorities.items()
        },
        "permits": _written(plan, plan.rulebook.permits.permits),
        "pathways": _written(plan, plan.rulebook.permits.pathways),
        "import_reliance": {
            c.id: c.import_reliance.model_dump(mode="json")
            | {"main_supplier": c.main_supplier and c.main_supplier.model_dump(mode="json")}
            for c in plan.rulebook.commodities.commodities
            if c.import_reliance
        },
        **ranking,
        "potential": {
            "citation": plan.rulebook.potential.citation,
            "note": plan.rulebook.potential.note,
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
        "engine": {
            "scheduler": analysis.layout.engine.kind,
            "workers": analysis.layout.engine.most,
            "tile_cells": analysis.layout.tile,
            "tiles": analysis.layout.tiles,
            "resumed_tiles": analysis.resumed,
            "estimate_bytes": analysis.layout.bytes,
            "peak_bytes": summed_peaks(analysis.peaks),
        },
        "timings_s": {k: round(v, 3) for k, v in analysis.timings.items()},
        "started": started.isoformat(timespec="seconds"),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _written(plan: Plan, entries: Iterable[Permit | Pathway]) -> list[dict[str, Any]]:
    project = plan.scenario.project
    return [e.model_dump(mode="json") for e in entries if project in e.projects]


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


def _ranking(analysis: Analysis) -> tuple[dict[str, Any], list[str]]:
    """What ``run.json`` says of the ranking besides the sites, and what the notes say of it."""
    scenario, sites = analysis.plan.scenario, analysis.sites
    ids = [c.id for c in scenario.criteria]
    found: dict[str, Any] = {}
    notes = []
    if scenario.combination.kind == "topsis":
        columns = {str(c): v.to_numpy() for c, v in analysis.matrix.items()}
        weights = per_mille([c.weight for c in scenario.criteria])
        names = list(analysis.matrix["site_id"])
        turned = set_reversals(matrix_of(columns, ids), weights, names, scenario.missing)
        found["rank_reversals"] = [asdict(r) for r in turned]
        notes += [
            f"rank reversal: without {r.site} {r.moved} other sites stand elsewhere, by "
            f"{r.most} places at most"
            for r in turned[:_NAMED]
        ] or ["rank reversal: leaving out any one site reorders no others"]
    if heard := voices(scenario.weighting, ids):
        found["voices"] = [
            {
                "name": name,
                "weights": dict(zip(ids, weights.tolist(), strict=True)),
                "best": list(
                    sites.sort_values(voice_column(name), kind="stable")["site_id"].head(LISTED)
                ),
            }
            for name, weights in heard.items()
        ]
        kept = list(sites.loc[sites["no_regret"], "site_id"])
        found["no_regret"] = kept
        notes.append(
            f"among the first {LISTED} under each of the weightings {', '.join(heard)}: "
            f"{', '.join(kept) or 'no site'}"
        )
    return found, notes
