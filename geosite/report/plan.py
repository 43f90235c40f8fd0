"""A plan as text: what will be read and computed, what it costs, what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geosite.model.combination import rule_words
from geosite.model.siting import DepositUnit, ParcelUnit, PatchUnit, RegionUnit
from geosite.sites import ACRES_A_HECTARE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geosite.capacity import Layout
    from geosite.model.siting import FootprintFit, SiteUnit
    from geosite.planning import Plan


def plan_text(plan: Plan, laid: Layout) -> str:
    """What `geosite plan` prints."""
    grid = plan.grid
    rows, columns = grid.shape
    x, y = grid.origin
    scenario = plan.scenario
    lines = [
        f"{scenario.name}: {scenario.title}",
        f"AOI           {plan.aoi_name}, {plan.aoi.area / 1e6:,.0f} km²",
        (
            f"grid          {grid.crs.name}, {rows:,} × {columns:,} cells of "
            f"{grid.resolution:g} m = {grid.cells / 1e6:,.1f} million"
            + (f", edges through {x:,.10g}, {y:,.10g} m" if any(grid.origin) else "")
        ),
        f"tiles         {laid.tiles:,} of {laid.tile:,} cells a side, halo {plan.halo:,} cells",
        f"work          {_work(laid)}",
        f"memory        about {laid.bytes / 1e9:.1f} GB{_whose(laid)}",
        f"rules as of   {plan.as_of}",
        f"sites         {site_words(scenario.sites)}",
        *(
            [f"footprint     {_fit_words(scenario.footprint_fit)}"]
            if scenario.footprint_fit
            else []
        ),
        f"missing score {scenario.missing};  unknown land: {scenario.unknown_land}",
        f"combined by   {rule_words(scenario.combination.model_dump(mode='json'))}",
        "",
        "rules (all of them are read; the order means nothing)",
        *(
            f"  {t.tier:>8}  {r.id}: {r.layer}"
            + (f" where {r.where}" if r.where else "")
            + f" [{r.citation}]"
            for r, t in zip(plan.rules, plan.treatments, strict=True)
        ),
        *(f"  not asked {i}: {why}" for i, why in plan.not_asked.items()),
        *_order(plan),
        "",
        "criteria",
        *(
            f"  {100 * w:>5.1f} %  {c.criterion.id}: "
            + (
                f"{c.reading.measure.kind} of {c.reading.layer or 'the run itself'}"
                if c.reading
                else "unknown, no layer"
            )
            for c, w in zip(plan.criteria, scenario.weights.values(), strict=True)
        ),
        "",
        "layers",
        *(_layer(plan, i) for i in sorted({u.layer for u in plan.uses})),
    ]
    if plan.missing:
        lines += ["", "missing (run refuses unless --allow-missing; then what they say is unknown)"]
        lines += [f"  {line}" for line in plan.missing_lines]
    if plan.notes:
        lines += ["", "notes", *(f"  {n}" for n in plan.notes)]
    lines += [
        "",
        (
            "distances on this grid are plane; in EPSG:5070 they are off by at most about 1.4 % in "
            "the conterminous states"
        ),
    ]
    return "\n".join(lines)


def site_words(unit: SiteUnit) -> str:
    """What counts as one site, in words.

    Examples
    --------
    >>> from geosite.model.siting import ParcelUnit
    >>> site_words(ParcelUnit(unit="parcel", pad=60.0, max_parcel=9000.0))
    'the best pad of 60 ha of each installation'
    """
    match unit:
        case DepositUnit():
            return f"land near a deposit, {unit.min_area:,.0f} to {unit.max_area:,.0f} ha"
        case ParcelUnit():
            return f"the best pad of {unit.pad:,.0f} ha of each installation"
        case PatchUnit():
            area = f"{unit.min_area:,.0f} to {unit.max_area:,.0f} ha"
            return f"patches of suitability {unit.threshold:g} and more, {area}"
        case RegionUnit():
            apart = f", {unit.spacing:,.0f} m apart" if unit.spacing else ""
            return (
                f"regions of {unit.area:,.0f} ha, at most {unit.count:,} a parcel{apart}, "
                f"by suitability and {100 * unit.compactness:.0f} % by shape"
            )


def _fit_words(asked: FootprintFit) -> str:
    slope = "" if asked.max_slope is None else f", slope at most {asked.max_slope}"
    return (
        f"{asked.area * ACRES_A_HECTARE:,.0f} acres ({', '.join(p.title for p in asked.parts)}), "
        f"{asked.aspect:g} : 1, every {asked.rotation:g}°{slope}"
    )


def _order(plan: Plan) -> list[str]:
    if not plan.order:
        return []
    head = "whose voice is heard (project before local before generic)"
    return ["", head, *(f"  {line}" for line in plan.order)]


def _work(laid: Layout) -> str:
    engine = laid.engine
    at_once = f"{engine.most} at once" if engine.most > 1 else "one tile at a time"
    match engine.kind:
        case "cluster":
            return f"{at_once} on {engine.scheduler}; every worker sees the data and the outputs"
        case "serial":
            return at_once
        case kind:
            return f"{at_once} on {kind}"


def _whose(laid: Layout) -> str:
    return " for each worker" if laid.engine.kind == "cluster" else ""


def _layer(plan: Plan, id_: str) -> str:
    layer = plan.catalog.get(id_)
    if layer is None:
        return f"  {id_}: not in the catalogue"
    return f"  {id_}: {layer.title} ({layer.vintage}, {layer.licence}, {layer.status})"


def no_site_text(manifest: Mapping[str, Any]) -> str:
    """Why a run found no site: land that is not ranked, and candidates that became no site."""
    lines = [
        f"{p['agency']} land ({p['area_ha']:,.0f} ha): {p['reason']}"
        for p in manifest["parcels"]
        if p["reason"]
    ]
    lines += [
        f"{reason}: {n['number']} ({n['area_ha']:,.0f} ha)"
        for reason, n in manifest["left_out"].items()
        if n["number"]
    ]
    offered = manifest["offered_ha"]
    lines.append(
        "offered land: " + ", ".join(f"{area:,.0f} ha {state}" for state, area in offered.items())
    )
    lines += manifest.get("no_land", ())
    return "\n".join(f"  {line}" for line in lines)
