"""A back-test as people and programs read it: numbers as JSON, a table of sites, a page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from geosite.report.backtest_content import (
    ALL_LAND,
    LIKELIHOOD,
    NAMESAKE,
    NOT_A_TEST,
    PLAIN,
    SHARES,
    TITLES,
    WITHIN_STATE,
    Backtest,
)
from geosite.report.backtest_pictures import prediction_area_png, success_rate_png
from geosite.report.tables import write_table
from geosite.report.text import escaped_table, markdown, number, plain
from geosite.validation import LEVEL, bootstrapped, crossing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from geosite.validation import Figure, Standing


def write_backtest(found: Backtest, folder: Path) -> None:
    """Write ``backtest.json``, ``sites.csv``, the pictures and ``README.md`` into a folder."""
    said = backtest_json(found)
    text = json.dumps(said, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / "backtest.json").write_text(f"{text}\n", encoding="utf-8")
    write_table(found.sites.drop(columns=["x", "y"]), folder / "sites.csv", notice=found.notice)
    (folder / "success_rate.png").write_bytes(success_rate_png(found))
    (folder / "prediction_area.png").write_bytes(prediction_area_png(found))
    (folder / "README.md").write_text(page_text(said), encoding="utf-8")


def backtest_json(found: Backtest) -> dict[str, Any]:
    """Every number of a back-test, as ``backtest.json`` holds it."""
    return {
        "notice": found.notice,
        "marking": found.marking,
        "synthetic": found.synthetic,
        "title": found.title,
        "scenario": found.scenario,
        "aoi": found.aoi,
        "as_of": found.as_of,
        "tested": found.about,
        "sites": {"given": len(found.sites), **found.counted},
        "leak_m": found.leak_m,
        "namesake_m": NAMESAKE * found.leak_m,
        "removed_records": {"total": sum(found.removed.values()), "by_layer": dict(found.removed)},
        "interval": f"{100 * LEVEL:g} %, sites drawn anew, seed {found.seed}",
        "background": {
            WITHIN_STATE: f"each site ranked against {TITLES[WITHIN_STATE]} only",
            ALL_LAND: f"each site ranked against {TITLES[ALL_LAND]}",
            "land_km2": found.surface.get("land_km2", {}),
            "left_out": [*found.surface.get("land_left_out", ()), "land outside the AOI"],
        },
        "surfaces": {
            name: {scope: _figures(s, found.seed) for scope, s in scopes.items()}
            for name, scopes in found.standings.items()
        },
        "gain_over_plain_sum": _gains(found),
        "surface": dict(found.surface),
        **(
            {"rules": _rules(found), "suitability": _suitability(found)} if _is_ruled(found) else {}
        ),
        "missing_layers": list(found.missing),
        "notes": list(found.notes),
        "listed": [_site(row) for row in found.sites.to_dict("records")],
    }


def _is_ruled(found: Backtest) -> bool:
    return "excluded_by" in found.sites


def _figure(f: Figure) -> dict[str, float]:
    return {k: round(getattr(f, k), 6) for k in ("value", "low", "high")}


def _figures(found: Standing, seed: int) -> dict[str, Any]:
    at = crossing(found)
    return {
        "sites": len(found),
        "auc": _figure(bootstrapped(found.percentile, seed=seed)),
        "share_in_best_pct": {
            f"{100 * s:g}": _figure(bootstrapped(found.found(s), seed=seed)) for s in SHARES
        },
        "prediction_area": {
            "land_share": round(at, 6),
            "site_share": round(1 - at, 6),
            "normalised_density": round((1 - at) / at, 6),
        },
    }


def _gains(found: Backtest) -> dict[str, Any]:
    """What the evidence surface finds more than the plain sum, the same sites drawn for both."""
    out = {}
    for scope in (WITHIN_STATE, ALL_LAND):
        one, other = found.standings[LIKELIHOOD][scope], found.standings[PLAIN][scope]
        best = one.found(0.10) - other.found(0.10)
        out[scope] = {
            "auc": _figure(bootstrapped(one.percentile - other.percentile, seed=found.seed)),
            "share_in_best_10_pct": _figure(bootstrapped(best, seed=found.seed)),
        }
    return out


def _rules(found: Backtest) -> dict[str, Any]:
    sites = found.sites[found.sites["place"] != "outside"]
    against, unsure = (_by_rule(sites, c) for c in ("excluded_by", "cannot_tell"))
    excluded = sites["excluded_by"] != ""
    possible = ~excluded & (sites["cannot_tell"] != "")
    return {
        "sites": len(sites),
        "excluded": int(excluded.sum()),
        "possibly_excluded": int(possible.sum()),
        "not_excluded": int((~excluded & ~possible).sum()),
        "on_offered_land": int(sites["offered"].sum()),
        "not_on_offered_land": int((~sites["offered"].astype(bool)).sum()),
        "excluded_on_offered_land": int((excluded & sites["offered"].astype(bool)).sum()),
        "by_rule": [
            {
                "rule": r.id,
                "title": r.title,
                "authority": r.authority,
                "citation": r.citation,
                "excludes": len(against.get(r.id, ())),
                "excluded_sites": against.get(r.id, []),
                "cannot_tell": len(unsure.get(r.id, ())),
            }
            for r in sorted(found.rules, key=lambda r: (-len(against.get(r.id, ())), r.id))
            if r.id in against or r.id in unsure
        ],
    }


def _by_rule(sites: pd.DataFrame, column: str) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for name, ids in zip(sites["name"], sites[column], strict=True):
        for id_ in filter(None, ids.split("; ")):
            out.setdefault(id_, []).append(plain(name, 120))
    return out


def _suitability(found: Backtest) -> dict[str, Any]:
    inside = found.sites["place"] != "outside"
    values = found.sites.loc[inside, "suitability"].to_numpy(float)
    known = values[~np.isnan(values)]
    quartiles = np.quantile(known, [0.25, 0.5, 0.75]).tolist() if len(known) else []
    return {
        "label": NOT_A_TEST,
        "sites_with_a_score": len(known),
        "sites_without": int(np.isnan(values).sum()),
        "quartiles": [round(v, 6) for v in quartiles],
    }


def _site(row: Mapping[Any, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, value in row.items():
        if key in ("x", "y"):
            continue
        if isinstance(value, str):
            out[key] = plain(value, 200)
        elif isinstance(value, bool | np.bool_):
            out[key] = bool(value)
        else:
            found = number(value)
            out[key] = None if found is None else round(found, 6)
    return out


def page_text(said: Mapping[str, Any]) -> str:
    """README.md of a back-test, from its numbers alone."""
    n = said["sites"]
    parts = [
        f"# Back-test: {markdown(said['title'], 300)}",
        "**SYNTHETIC WORLD: nothing below is a real place.**" if said["synthetic"] else "",
        f"*{markdown(said['notice'])}*",
        "## What was tested",
        (
            f"Does the evidence surface find what it has not seen? Tested with "
            f"{markdown(said['tested'], 300)}, area {markdown(said['aoi'], 200)}: "
            f"{n['in']:,} on land of the area, {n['off land']:,} in it but on no land, "
            f"{n['outside']:,} outside. Before the surface was worked out, "
            f"{said['removed_records']['total']:,} records were taken out: those within "
            f"{said['leak_m'] / 1000:g} km of a site, the rest of the deposits that they are "
            f"merged into, and those of a site's own name within {said['namesake_m'] / 1000:g} km."
            + (
                " The blocks that were held out count too, and a record once for each fold."
                if "rules" not in said
                else ""
            )
        ),
        _removed(said),
        "## How well the surface finds them",
        _found(said),
        (
            f"In brackets the {said['interval'].partition(',')[0]} interval of sites drawn anew. "
            "AUC is the chance that a site outranks a place of the land: 0.5 is no better than "
            "chance. Within the state a site is ranked against the land of its own state only, "
            "because states are recorded unevenly. The plain sum is three kernels over all "
            "records, which a better method has to beat."
        ),
        "![success rate](success_rate.png)",
        "![prediction-area plot](prediction_area.png)",
        _ruled(said),
        _reading(said),
        f"---\n\n{markdown(said['marking'], 300)}",
    ]
    return "\n\n".join(p for p in parts if p) + "\n"


def _removed(said: Mapping[str, Any]) -> str:
    rows = [(i, f"{k:,}") for i, k in said["removed_records"]["by_layer"].items()]
    return escaped_table(("layer", "records taken out"), rows)


def _found(said: Mapping[str, Any]) -> str:
    heads = (
        "surface", "ranked against", "AUC", *(f"in best {100 * s:g} %" for s in SHARES),
        "curves cross",
    )  # fmt: skip
    rows = []
    for name, scopes in said["surfaces"].items():
        for scope, f in scopes.items():
            best = [_percent(f["share_in_best_pct"][f"{100 * s:g}"]) for s in SHARES]
            at = f["prediction_area"]
            cross = f"{100 * at['site_share']:.0f} % on {100 * at['land_share']:.0f} %"
            a = f["auc"]
            area = f"{a['value']:.3f} ({a['low']:.3f}–{a['high']:.3f})"
            rows.append((TITLES[name], TITLES[scope], area, *best, cross))
    return escaped_table(heads, rows)


def _percent(f: Mapping[str, float]) -> str:
    low, high = 100 * f["low"], 100 * f["high"]
    return f"{100 * f['value']:.0f} % ({low:.0f}–{high:.0f})"


def _ruled(said: Mapping[str, Any]) -> str:
    if "rules" not in said:
        return ""
    r, s = said["rules"], said["suitability"]
    rows = [
        (
            x["rule"], x["title"], x["citation"], f"{x['excludes']:,}",
            "; ".join(x["excluded_sites"]), f"{x['cannot_tell']:,}",
        )
        for x in r["by_rule"]
    ]  # fmt: skip
    heads = ("rule", "title", "citation", "excludes", "which", "cannot tell")
    table = escaped_table(heads, rows) if rows else "No hard rule speaks of any of them."
    middle = f", median {s['quartiles'][1]:.2f}" if s["quartiles"] else ""
    return (
        "## What the rules say of them\n\n"
        f"Of {r['sites']:,} sites in the area hard rules exclude {r['excluded']:,}, and of "
        f"{r['possibly_excluded']:,} more a hard rule cannot tell; {r['on_offered_land']:,} lie on "
        f"land that is offered, and of these {r['excluded_on_offered_land']:,} are excluded. A "
        "mine that stands may hold rights that are older than a rule.\n\n"
        f"{table}\n\n## Suitability beside it\n\n{s['sites_with_a_score']:,} of them have a "
        f"suitability{middle}. This is {s['label']}."
    )


def _reading(said: Mapping[str, Any]) -> str:
    surface = said["surface"]
    lines = [
        f"Cells of {surface['cell_m']:g} m; covariates: "
        + (", ".join(surface["covariates"]) or "none"),
        *(f"Left out: {t}" for t in surface["layers_missing"]),
        *said["missing_layers"],
    ]
    bullets = "\n".join(f"* {markdown(t, 500)}" for t in lines)
    return (
        "## What it was made of\n\n"
        f"{bullets}\n\n`backtest.json` holds every number and the method's own figures, "
        "`sites.csv` every site."
    )
