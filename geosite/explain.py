"""Why: a site's score by criterion, or every rule against one spot, with its citation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geosite.constraints import (
    EXCLUDED,
    NOT_OFFERED,
    OUTSIDE,
    STATUS_NAMES,
    against_bits,
    unsure_bits,
)
from geosite.crs import WGS84, transformed
from geosite.errors import CoverageError
from geosite.model.combination import PARTS, rule_words
from geosite.potential import merged_words, potential_words
from geosite.readiness import column_of
from geosite.report.facts import rank_words, share_words
from geosite.report.reviews import review_facts, spot_lines
from geosite.report.robustness import weighting_words
from geosite.report.text import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from geosite.grid import Grid
    from geosite.runs import Run


_ORDER = ("include", "exclude", "require", "avoid", "mitigate", "flag")
"""Tiers as they are read out: what decides comes first."""


def explain_site(run: Run, site_id: str) -> str:
    """The score of a site, criterion by criterion, and the rules that touch it.

    Raises
    ------
    CoverageError
        If the run has no such site.
    """
    sites = run.sites
    found = sites[sites["site_id"].astype(str).str.casefold() == site_id.casefold()]
    if found.empty:
        some = ", ".join(plain(i) for i in sites["site_id"].head(5))
        there = f"sites are {some} …" if some else "it found no site at all"
        msg = (
            f"{run.path}: there is no site {site_id!r} in this run; {there}; "
            "for a place write LON,LAT"
        )
        raise CoverageError(msg)
    site = found.iloc[0]
    m = run.manifest
    lines = [
        f"{site['site_id']}  {site['name']}",
        (
            f"rank {rank_words(site) or 'unknown'} of {len(sites)}, tier "
            f"{site['tier'] or 'none'}, suitability "
            f"{_number(site['suitability'])} (from {_number(site['suitability_low'])} to "
            f"{_number(site['suitability_high'])} with what is not known)"
        ),
        *_weighted_otherwise(site, m),
        (
            f"{site['agency']}, {site['county']}, {site['state']}; {site['acres']:,.0f} acres "
            f"({site['area_ha']:,.0f} ha), of which {site['unknown_ha']:,.0f} ha unknown to a hard "
            "rule"
        ),
        f"could be made available by: {site['authority'] or 'no authority known'}",
        *_land(site),
    ]
    if site.get("deposits"):
        lines.append(
            f"deposits: {site['deposits']} ({site['commodities']}; {site['evidence_class']})"
        )
        told = (merged_words(site), site.get("host_or_byproduct"), potential_words(site))
        lines += [f"  {words}" for words in told if words]
    lines += _permits(site, m)
    lines += ["", _combination(m), *_criteria(site, m)]
    titles = {r["id"]: r for r in m["rules"]}
    for tier in ("avoid", "mitigate", "flag", "include", "unknown", "not_examined"):
        names = [n for n in str(site.get(f"rules_{tier}") or "").split("; ") if n]
        for name in names:
            rule = titles[name]
            word = {"unknown": "hard, cannot tell", "not_examined": "cannot tell"}.get(tier, tier)
            lines.append(f"  {word:>17}: {rule['title']} [{rule['authority']}: {rule['citation']}]")
            lines += _voices(m, rule)
    lines += [f"  {t:>17}: {words}" for t, words in review_facts(m.get("reviews"), site["site_id"])]
    if site["fatal_flaws"]:
        lines.append(f"fatal flaw: {site['fatal_flaws']}")
    return _printed([*lines, "", m["notice"]])


def _weighted_otherwise(site: pd.Series[Any], m: Mapping[str, Any]) -> list[str]:
    words = weighting_words(m.get("robustness"), site.to_dict())
    return [f"if others weighed the criteria: {words}"] if words else []


def _land(site: pd.Series[Any]) -> list[str]:
    names = ("land_origin", "mineral_estate", "mineral_status")
    said = [f"{n.replace('_', ' ')}: {site[n]}" for n in names if site.get(n)]
    told = site.get("coverage_pct")
    if told is not None and not np.isnan(told):
        said.append(f"of all rules, cell by cell, {share_words(told)} could tell")
    return ["; ".join(said)] if said else []


def _permits(site: pd.Series[Any], manifest: Any) -> list[str]:
    titles = {p["id"]: p["title"] for p in manifest.get("permits", ())}
    lines = []
    for word, column in (
        ("permits", "permits"), ("consultations", "consultations"), ("state", "permits_state"),
        ("water", "permits_water"), ("power", "permits_power"), ("courts", "litigation"),
        ("possible", "permits_possible"),
    ):  # fmt: skip
        ids = [i for i in str(site.get(column) or "").split("; ") if i]
        if ids:
            lines.append(f"  {word:>13}: {'; '.join(titles.get(i, i) for i in ids)}")
    for p in manifest.get("pathways", ()):
        low, likely, high = (
            site.get(f"{column_of(p['id'])}_months_{k}", np.nan) for k in ("low", "likely", "high")
        )
        if not np.isnan(likely):
            lines.append(
                f"  {p['id']:>13}: {low:g} to {high:g} months for the federal decision, likely "
                f"{likely:g}; {p.get('basis', '')}, as of {p['as_of']}"
            )
    if "readiness" in site:
        rests = str(site.get("readiness_rests_on") or "")
        basis = {p["id"]: p.get("basis") or "" for p in manifest.get("pathways", ())}
        on = f" (rests on {rests}: {basis[rests]})" if rests in basis else ""
        lines.append(
            f"beside suitability: readiness {_number(site['readiness'])}{on}, "
            f"environmental conflict {_number(site['environmental_conflict'])}, supply impact "
            f"{_number(site['supply_impact'])}"
        )
    return lines


def _printed(lines: list[str]) -> str:
    # Names come from strangers' files: what they hold may not steer a terminal or fake a line.
    return "\n".join(" " * (len(t) - len(t.lstrip(" "))) + plain(t) for t in lines)


def _combination(manifest: Any) -> str:
    rule = manifest["scenario"]["combination"]
    words = {
        "sum": "contributions sum to suitability:",
        "logarithm": "contributions sum to the natural logarithm of suitability:",
        "none": "the rule is no sum of parts, so criteria have no contributions:",
    }
    return f"{rule_words(rule)}; {words[PARTS[rule['kind']]]}"


def _criteria(site: pd.Series[Any], manifest: Any) -> list[str]:
    lines = [f"  {'criterion':<50} {'measure':>16} {'score':>6} {'weight':>7} {'contribution':>13}"]
    for c in manifest["criteria"]:
        measure = site[c["measure"]]
        score, part = site["effective_" + c["id"]], site["contribution_" + c["id"]]
        text = _with_unit(measure, c["unit"])
        lines.append(
            f"  {c['title'][:50]:<50} {text.strip() or 'unknown':>16} "
            f"{_number(score):>6} {c['weight']:>7g} {_number(part, 4):>13}"
        )
    return lines


def explain_spot(run: Run, lon: float, lat: float) -> str:
    """Every rule against one spot, and the scores of its cell.

    Raises
    ------
    CoverageError
        If the spot is outside the run's AOI.
    """
    grid = run.store.grid
    x, y = transformed(np.array([lon]), np.array([lat]), WGS84, grid.crs)
    place = f"{lon:g},{lat:g}"
    if not np.isfinite([x[0], y[0]]).all():
        msg = (
            f"{place}: has no place in {grid.crs.name}; write longitude,latitude in degrees"
            f"{_hint(lon, lat)}"
        )
        raise CoverageError(msg)
    columns, rows = grid.indices(x, y)
    r, c = int(np.floor(rows[0])), int(np.floor(columns[0]))
    inside = 0 <= r < grid.shape[0] and 0 <= c < grid.shape[1]
    cell = grid.part(grid.row + r, grid.column + c, (1, 1))
    status = int(run.surface("status", cell)[0, 0]) if inside else OUTSIDE
    if status == OUTSIDE:
        aoi = plain(run.manifest["aoi"])
        msg = f"{place}: outside the area of interest {aoi} of this run{_hint(lon, lat)}"
        raise CoverageError(msg)
    m = run.manifest
    lines = [f"{place}: {STATUS_NAMES[status]}", *_owner(run, cell, status)]
    planes = run.surface("planes", cell)
    ordered = sorted(enumerate(m["rules"]), key=lambda kr: _ORDER.index(kr[1]["tier"]))
    here = [r for k, r in ordered if against_bits(planes, k)[0, 0]]
    for rule in here:
        lines.append(
            f"  {rule['tier']:>12}: {rule['title']} [{rule['authority']}: {rule['citation']}]"
        )
        lines += [f"                exception: {e}" for e in rule["exceptions"]]
        lines += [*_voices(m, rule), *_lifted(rule["id"], here)]
    for k, rule in ordered:
        if unsure_bits(planes, k)[0, 0]:
            lines.append(f"   cannot tell: {rule['title']} ({rule['tier']}) [{rule['citation']}]")
            lines += [*_voices(m, rule), *_lifted(rule["id"], here)]
    if status == EXCLUDED:
        lines.append("  the rules that exclude are listed first; any one of them is enough")
    if m.get("reviews"):
        lines += spot_lines(run.layer("reviews"), float(x[0]), float(y[0]))
    lines += _scores(run, cell)
    return _printed([*lines, "", m["notice"]])


def _voices(manifest: Any, rule: Mapping[str, Any]) -> list[str]:
    # Whose voice is heard of a rule, and of which minerals; a run of before says neither.
    lead = f"{rule['id']}: "
    said = [
        line.removeprefix(lead) for line in manifest.get("resolution", ()) if line.startswith(lead)
    ]
    if (minerals := rule.get("disposal", "any")) != "any":
        said.append(f"speaks of {minerals} minerals only")
    return [f"                {line}" for line in said]


def _lifted(rule: str, here: list[Any]) -> list[str]:
    return [
        f"                lifted here by {r['title']} [{r['citation']}]"
        for r in here
        if rule in r.get("lifts", ())
    ]


def _hint(lon: float, lat: float) -> str:
    return "; are longitude and latitude swapped?" if lon > 0 > lat or abs(lat) > 72 else ""


def _owner(run: Run, cell: Grid, status: int) -> list[str]:
    id_ = int(run.surface("parcel", cell)[0, 0])
    if id_ == 0:
        return ["  no parcel of the land register is here (private, state or unlisted land)"]
    parcels = run.layer("parcels")
    parcel = parcels[parcels["parcel_id"] == id_].iloc[0]
    lines = [
        (
            f"  {parcel['agency']}: {parcel['name']}, {parcel['county']}, {parcel['state']} "
            f"({parcel['status']}: {parcel['status_source']})"
        )
    ]
    # The register may call it as the sites do.
    conflict = parcel.get("ownership_conflict", parcel.get("parcel_ownership_conflict"))
    if plain(conflict):
        lines.append(f"  ownership conflict: {conflict}")
    if status == NOT_OFFERED:
        lines += [
            f"  not ranked: {p['reason']}"
            for p in run.manifest["parcels"]
            if (p["agency"], p["status"]) == (parcel["agency"], parcel["status"]) and p["reason"]
        ]
    return lines


def _scores(run: Run, cell: Grid) -> list[str]:
    value = float(run.surface("suitability", cell)[0, 0])
    effective = run.surface("effective", cell)[:, 0, 0]
    measures = run.surface("measures", cell)[:, 0, 0]
    if np.isnan(value) and np.isnan(effective).all():
        return ["  no suitability: land that is no candidate is not scored"]
    rule = run.manifest["scenario"]["combination"]["kind"]
    # A rule that needs the set of sites has no value in a cell.
    by = " by the weighted sum" if rule == "topsis" else ""
    lines = [f"  suitability of this cell{by} {_number(value)}"]
    for c, score, measure in zip(run.manifest["criteria"], effective, measures, strict=True):
        text = "" if c["unit"] == "category" else _with_unit(float(measure), c["unit"])
        lines.append(f"  {c['title'][:50]:<50} {text.strip():>16} score {_number(float(score))}")
    return lines


def _number(value: float, digits: int = 3) -> str:
    return "unknown" if value is None or np.isnan(value) else f"{value:.{digits}g}"


def _with_unit(measure: object, unit: str) -> str:
    if isinstance(measure, str):
        return measure
    if not isinstance(measure, float) or np.isnan(measure):
        return "unknown"
    return f"{measure:.6g} {unit}".strip()
