"""A small run by hand: a basin of 60 × 48 cells in central Nevada, with everything a map shows."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from affine import Affine
from pyproj import CRS
from shapely.geometry import Point, Polygon, box

from geosite.report.content import (
    AuthorityLabel,
    Content,
    CriterionLabel,
    DataYears,
    LayerLabel,
    RuleLabel,
)

ALBERS = CRS.from_epsg(5070)
CELL = 1000.0
LEFT, TOP = -1_780_000.0, 2_060_000.0
ROWS, COLUMNS = 48, 60
CRITERIA = (
    CriterionLabel("evidence", "Mineral evidence", 0.4, "", critical=True),
    CriterionLabel("rail", "Distance to a railway", 0.25, "m", measure="distance_rail_m"),
    CriterionLabel("power", "Distance to a substation", 0.2, "m", measure="distance_power_m"),
    CriterionLabel("terrain", "Steepness", 0.15, "%", measure="slope_pct"),
)
RULES = (
    RuleLabel("wilderness", "Designated wilderness", "exclude", "statute", "16 USC 1133(d)",
              "environment/wilderness", 61_000.0, 52_000.0, "confirmed",
              ("valid existing rights",), "none", ("no permit is possible",)),
    RuleLabel("lakes", "Lakes and reservoirs", "exclude", "practice", "project practice",
              "hydrography/lakes", 9_000.0, 9_000.0),
    RuleLabel("sage-grouse", "Sage-grouse habitat", "avoid", "plan", "land use plan",
              "environment/sage_grouse", 0.0, 0.0),
)  # fmt: skip


def at(column, row):
    return LEFT + column * CELL, TOP - row * CELL


def block(c0, r0, c1, r1):
    (left, top), (right, bottom) = at(c0, r0), at(c1, r1)
    return box(left, bottom, right, top)


def wavy(column, row, radius, phase=0.0):
    x, y = at(column, row)
    turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    reach = radius * CELL * (1 + 0.22 * np.sin(3 * turn + phase) + 0.1 * np.sin(7 * turn))
    return Polygon(np.column_stack([x + reach * np.cos(turn), y + reach * np.sin(turn)]))


def frame(columns, shapes):
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=ALBERS)


def sites(count=14):
    random = np.random.default_rng(7)
    shapes, rows = [], []
    for _ in range(count):
        c, r = int(random.integers(4, 34)), int(random.integers(3, 44))
        shapes.append(block(c, r, c + 2, r + 1).union(block(c + 1, r, c + 3, r + 2)))
        scores = random.uniform(0.25, 0.98, len(CRITERIA))
        parts = [k.weight * s for k, s in zip(CRITERIA, scores, strict=True)]
        rows.append((sum(parts), c, r, scores, parts))
    order = np.argsort([-row[0] for row in rows], kind="stable")
    table = []
    for rank, i in enumerate(order, start=1):
        total, c, r, scores, parts = rows[i]
        row = {
            "rank": rank, "tier": "A" if total > 0.7 else "B" if total > 0.55 else "C",
            "site_id": f"BLM-{c:03d}-{r:03d}", "name": f"Toy prospect {rank}", "agency": "BLM",
            "state": "Nevada", "county": "Nye", "commodities": "lithium; tungsten",
            "evidence_class": "past_producer", "suitability": total,
            "suitability_low": total - 0.2, "suitability_high": min(1.0, total + 0.1),
            "known_weight_pct": 80.0, "parcel_status": "confirmed",
            "status_source": "Toy roster, 2024",
            "suitability_surface": total, "suitability_p90": min(1.0, total + 0.05),
            "acres": 988.4, "area_ha": 400.0, "clear_ha": 300.0, "unknown_ha": 100.0,
            "authority": "43 CFR 3809 plan of operations", "rules_avoid": "sage-grouse",
            "rules_mitigate": "", "rules_flag": "", "fatal_flaws": "", "not_examined": "lakes",
            "distance_rail_m": 1000.0 * rank + 350, "distance_power_m": 800.0 * rank,
            "slope_pct": 2.0 + rank, "data_oldest": "2011", "as_of": "2025-11-21",
        }  # fmt: skip
        for criterion, score, part in zip(CRITERIA, scores, parts, strict=True):
            row[f"effective_{criterion.id}"] = score
            row[f"contribution_{criterion.id}"] = part
        table.append(row)
    columns = {key: [row[key] for row in table] for key in table[0]}
    return frame(columns, [shapes[i] for i in order])


def parcels():
    rows = [
        ("BLM-1", "BLM", "Battle Mountain District", block(2, 2, 38, 46)),
        ("USFS-1", "USFS", "Toiyabe National Forest", block(38, 2, 58, 28)),
        ("DOD-1", "DOD", "Toy Army Depot", block(38, 28, 58, 40)),
        ("TRIBAL-1", "TRIBAL", "Toy Reservation", block(38, 40, 58, 46)),
    ]
    ids, agencies, names, shapes = zip(*rows, strict=True)
    return frame(
        {
            "parcel_id": ids, "agency": agencies, "name": names, "state": "Nevada",
            "county": "Nye", "area_ha": [s.area / 1e4 for s in shapes],
            "status": ["", "", "status unconfirmed", ""], "ownership_conflict": "",
        },
        list(shapes),
    )  # fmt: skip


def surfaces(excluded):
    rows, columns = np.indices((ROWS, COLUMNS))
    status = np.zeros((ROWS, COLUMNS), np.uint8)
    status[2:46, 2:58] = 1
    status[2:46, 2:38] = 4
    status[2:28, 38:58] = 4
    status[30:46, 2:16] = 3
    x = LEFT + (columns + 0.5) * CELL
    y = TOP - (rows + 0.5) * CELL
    status[shapely.contains_xy(excluded, x, y) & (status > 1)] = 2
    good = 0.5 + 0.45 * np.sin(columns / 9) * np.cos(rows / 7)
    suitability = np.where(status >= 3, good, np.nan).astype(np.float32)
    return suitability, status


def toy_content(**changed):
    shapes = [wavy(47, 12, 6), wavy(24, 10, 4, 1.0), wavy(30, 36, 2.4, 2.0)]
    exclusions = frame(
        {
            "rule": ["wilderness", "wilderness", "lakes"],
            "name": ["Toy Peak", "Grey Range", "Dry Lake"],
        },
        shapes,
    )
    suitability, status = surfaces(exclusions.union_all())
    random = np.random.default_rng(3)
    places = [
        Point(*at(c, r))
        for c, r in zip(random.uniform(3, 57, 40), random.uniform(3, 45, 40), strict=True)
    ]
    deposits = frame(
        {"name": [f"Occurrence {i}" for i in range(40)], "commodities": "lithium",
         "evidence_class": "prospect", "quality": ["ABCDE"[i % 5] for i in range(40)]}, places,
    )  # fmt: skip
    content = {
        "title": "Open-pit mine for critical minerals", "aoi_name": "Toy basin",
        "as_of": "2025-11-21", "marking": "public data only", "synthetic": True,
        "project": "mine", "criteria": CRITERIA, "rules": RULES, "sites": sites(),
        "parcels": parcels(), "exclusions": exclusions, "deposits": deposits,
        "aoi": frame({"name": ["Toy basin"]}, [block(2, 2, 58, 46)]),
        "suitability": suitability, "status": status,
        "transform": Affine(CELL, 0, LEFT, 0, -CELL, TOP), "crs": ALBERS,
        "warnings": ("3 occurrences had no coordinates",),
        "unknown_rules": ("critical habitat: no such layer in this catalogue",),
        "layers": (
            LayerLabel("environment/wilderness", "Wilderness areas", "USFS", "2024",
                       "public domain", "Toy Service, Wilderness areas, 2024", "synthetic",
                       "its outline & its list differ", decisive=True),
            LayerLabel("infrastructure/rail", "Railways", "DOT", "2023", "public domain",
                       "Toy Railways, 2023", "synthetic", "sidings are left out"),
        ),
        "years": DataYears(2011, 2024, ("land/blm",)),
        "authorities": (
            AuthorityLabel("BLM", "43 CFR 3809 plan of operations", "30 USC 22", "locatable",
                           "confirmed", "open land only"),
        ),
        "tiers": (0.7, 0.55, 0.75),
    }  # fmt: skip
    return Content(**{**content, **changed})
