"""Whose land a site is and who would decide there: the lines that head its page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geosite.aoi import STATES
from geosite.deposits import deposits
from geosite.evidence import Question, commodity_names
from geosite.occurrences import occurrences
from geosite.parcels import PRECEDENCE
from geosite.potential import merged_words, potential_words, proposed
from geosite.report.dossier_content import Gap, Line
from geosite.report.facts import footprint_words, rank_words, share_words
from geosite.report.text import number, plain, split_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from geosite.dossier.nearby import Nearby
    from geosite.model.permit import Pathway
    from geosite.model.rule import LandAuthority
    from geosite.permitting import Needs

Manager = tuple[str, str, float]
"""Code of an owner, names of its units, and its land in the site [ha]."""
_LEAST = 0.0005
"""A smaller share of a site is the rounding of a common edge."""
_WHOLE_MONTHS = 10
"""From so many months on parts of a month are not said."""
_MOST = 6
"""Names written out in a line."""
_OFFICES = (
    ("BLM field office", ("land/blm_field_offices",), ("name", "parent")),
    ("Ranger district", ("land/ranger_districts",), ("name", "forest")),
)
_PLANS = ("land/blm_land_use_plans",)
_SURVEY = (("Public land survey", ("land/plss_townships",), ("label", "meridian", "plss_id")),)
_PLAN_FIELDS = ("name", "decided", "year", "status")


def managers(near: Nearby) -> list[list[Manager] | None]:
    """Land of each site by owner, from the scenario's land layers; None if there is no layer.

    Where layers overlap the more protected owner has the land; no land counts twice.
    """
    frames = [near.frame(i) for i in near.plan.scenario.land.layers]
    there = [f for f in frames if f is not None and len(f) and "owner" in f]
    if not any(f is not None for f in frames):
        return [None] * len(near.sites)
    return [_managed(shape, there) for shape in near.sites.geometry]


def _managed(site: Any, frames: Sequence[gpd.GeoDataFrame]) -> list[Manager]:
    claims: dict[str, list[tuple[Any, str]]] = {}
    for frame in frames:
        hit = np.sort(frame.sindex.query(site, predicate="intersects"))
        some = frame.iloc[hit]
        names = some["name"] if "name" in some else pd.Series("", some.index)
        for shape, owner, name in zip(some.geometry, some["owner"], names, strict=True):
            claims.setdefault(str(owner), []).append((shape, plain(name, 80)))
    left, out = site, []
    for owner in sorted(claims, key=_precedence):
        mine = shapely.union_all([shape for shape, _ in claims[owner]])
        part = shapely.intersection(left, mine)
        if part.area > _LEAST * site.area:
            named = tuple(sorted({n for shape, n in claims[owner] if n and shape.intersects(part)}))
            out.append((owner, _some(named), part.area / 10_000))
        left = shapely.difference(left, mine)
    out.sort(key=lambda m: (-m[2], m[0]))
    if left.area > _LEAST * site.area:
        out.append(("", "in none of the land layers (private, state or not listed)",
                    left.area / 10_000))  # fmt: skip
    return out


def register_managers(sites: gpd.GeoDataFrame, parcels: gpd.GeoDataFrame) -> list[list[Manager]]:
    """Land of each site by owner, from a run's register, whose parcels share no land."""
    parcels = parcels.assign(owner=parcels["agency"])
    return [_managed(shape, [parcels]) for shape in sites.geometry]


def _precedence(owner: str) -> tuple[int, str]:
    return (PRECEDENCE.index(owner) if owner in PRECEDENCE else len(PRECEDENCE)), owner


def _some(names: Sequence[str]) -> str:
    more = len(names) - _MOST
    return "; ".join(names[:_MOST]) + (f"; and {more} more" if more > 0 else "")


def places(near: Nearby) -> tuple[list[tuple[Line, ...]], tuple[Gap, ...]]:
    """Lines of each site that layers of areas tell, and those that none could tell."""
    land = near.plan.scenario.land
    counties = (land.counties or "aoi/counties",)
    offices = [_office(i, near) for i in land.offices] or list(_OFFICES)
    wanted = [
        ("State", (STATES,), ("name",)),
        ("County", counties, ("name",)),
        *_SURVEY,
        *offices,
        ("Land-use plan", land.plans or _PLANS, _PLAN_FIELDS),
    ]
    lines: list[list[Line]] = [[] for _ in near.sites.index]
    gaps = []
    for label, ids, fields in wanted:
        told = _told(near, ids, fields)
        lost = "; ".join(f"layer {i} is not to be had" for i in ids if near.frame(i) is None)
        if lost:
            gaps.append(Gap("heading", label, f"unknown: {lost}", layer=ids[0]))
        for k, said in enumerate(told):
            value = said or (f"unknown: {lost}" if lost else "none in the layer here")
            lines[k].append(Line(label, value, ", ".join(ids)))
    return [tuple(some) for some in lines], tuple(gaps)


def _office(layer: str, near: Nearby) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    for label, ids, fields in _OFFICES:
        if layer in ids:
            return label, ids, fields
    title = near.plan.catalog[layer].title if layer in near.plan.catalog else layer
    return title, (layer,), ("name",)


def _told(near: Nearby, layers: Sequence[str], fields: Sequence[str]) -> list[str]:
    """Of each site, what the polygons that hold some of it are called."""
    out: list[list[str]] = [[] for _ in near.sites.index]
    for layer in layers:
        frame = near.frame(layer)
        if frame is None or frame.empty:
            continue
        texts = _labelled(frame, fields)
        shapes = frame.geometry.to_numpy()
        for k, site in enumerate(near.sites.geometry):
            hit = np.sort(frame.sindex.query(site, predicate="intersects"))
            share = shapely.area(shapely.intersection(shapes[hit], site)) / site.area
            order = hit[np.argsort(-share, kind="stable")]
            share = share[np.argsort(-share, kind="stable")]
            out[k] += [
                f"{texts[i]} ({100 * s:.0f} %)" if s < 1 - _LEAST else texts[i]
                for i, s in zip(order, share, strict=True)
                if s > _LEAST and texts[i]
            ]
    return [_some(list(dict.fromkeys(texts))) for texts in out]


def _labelled(frame: gpd.GeoDataFrame, fields: Sequence[str]) -> list[str]:
    there = [f for f in fields if f in frame]
    return [
        ", ".join(text for v in row if (text := plain(v, 120)))
        for row in frame[there].itertuples(index=False)
    ]


def deposits_inside(near: Nearby) -> list[str]:
    """Deposits inside each site, merged from the records of the scenario's evidence layers.

    Of every commodity of the table, whatever the scenario asks for; other records are counted.
    """
    evidence, book = near.plan.scenario.evidence, near.plan.rulebook
    layers = evidence.layers if evidence else ()
    read = [(near.plan.catalog[i], f) for i in layers if (f := near.frame(i)) is not None]
    if not read or evidence is None:
        return ["unknown: no layer of mineral records is to be had"] * len(near.sites)
    names = commodity_names(book.commodities)
    found = occurrences(read, Question(frozenset(names.values()) - {""}, names, {}), evidence)
    merged = deposits(found, evidence)
    merged = merged.join(proposed(merged, book.potential))
    words = [_deposit_words(row) for _, row in merged.iterrows()]
    others = found[~found["asked"].astype(bool)]
    tree, rest = (
        shapely.STRtree(gpd.points_from_xy(t["x"], t["y"]).to_numpy()) for t in (merged, others)
    )
    out = []
    for site in near.sites.geometry:
        inside = [words[i] for i in np.sort(tree.query(site, predicate="intersects"))]
        more = len(rest.query(site, predicate="intersects"))
        inside += [f"{more:,} records of other minerals"] if more else []
        out.append(_some(inside) or "none in the layers read")
    return out


def _deposit_words(row: pd.Series[Any]) -> str:
    number = int(row["records"])
    said = (
        plain(", ".join(row["commodities_all"]), 120),
        str(row["evidence_class"]).replace("_", " "),
        f"from {number:,} record{'' if number == 1 else 's'}",
        f"proposed potential {row['proposed_potential']}, certainty {row['proposed_certainty']}",
    )
    return f"{plain(row['name'], 120) or 'unnamed'} ({'; '.join(said)})"


def authorities(managed: Sequence[Manager] | None, known: Mapping[str, Sequence[Any]]) -> str:
    """By which law the land could be made available, by owner."""
    if managed is None:
        return "unknown: no land layer is to be had"
    said = []
    for owner, _, _ in managed:
        instruments = [f"{e.authority}{_condition(e)} [{e.citation}]" for e in known.get(owner, ())]
        if owner:
            said.append(f"{owner}: {'; or '.join(instruments) or 'no authority known'}")
    return ". ".join(said) or "no authority known for land in none of the land layers"


def asked_lines(needs: Sequence[Needs]) -> tuple[Line, ...]:
    """What is asked of a site whatever touches it, by the needs of each owner's land in it."""
    federal: dict[str, list[str]] = {"Asked of every such site": [], "Perhaps asked": []}
    apart: list[str] = []
    certain = {p.id for n in needs for p in n.certain}
    for need in needs:
        for label, permits in zip(federal, (need.certain, need.possible), strict=True):
            for p in permits:
                if label == "Perhaps asked" and p.id in certain:
                    continue
                (federal[label] if p.track == "federal" else apart).append(p.title)
    lines = [*federal.items(), ("Apart from federal review", apart)]
    return tuple(Line(label, "; ".join(dict.fromkeys(titles))) for label, titles in lines)


def ranked_lines(
    row: Mapping[str, Any], sites: int, pathways: Sequence[Pathway] = ()
) -> tuple[Line, ...]:
    """What a run says of a site: rank, coverage, deposits, authority, pathways."""
    tier = plain(row.get("tier")) or "none"
    lines = [
        Line("Rank", f"{rank_words(row) or 'unknown'} of {sites:,} sites; tier {tier}"),
        Line("Coverage of rules and land", _told_share(row)),
        Line("Agency", plain(row.get("agency"))),
        Line("Parcel", plain(row.get("parcel"))),
        Line(
            "County", ", ".join(filter(None, (plain(row.get("county")), plain(row.get("state")))))
        ),
        Line("Deposits", plain(row.get("deposits")) or "none named"),
        Line("Merged from", merged_words(row)),
        Line("Host or by-product", plain(row.get("host_or_byproduct"))),
        Line("Proposed mineral potential", potential_words(row)),
        Line("Could be made available by", plain(row.get("authority")) or "no authority known"),
    ]
    lines += [
        Line(key.replace("_", " ").capitalize(), plain(row.get(key)) or "unknown")
        for key in ("land_origin", "mineral_estate", "mineral_status")
    ]
    lines.append(Line("Footprint", footprint_words(row)))
    lines.append(Line("Permit pathways", _pathways(row, pathways)))
    return tuple(line for line in lines if line.value)


def _condition(entry: LandAuthority) -> str:
    minerals = "" if entry.disposal == "any" else f"for {entry.disposal} minerals"
    origin = "" if entry.land_origin == "any" else f"on {entry.land_origin} land"
    said = " ".join(filter(None, (minerals, origin)))
    return f" ({said})" if said else ""


def _told_share(row: Mapping[str, Any]) -> str:
    all_, hard = number(row.get("coverage_pct")), number(row.get("coverage_hard_pct"))
    said = [] if all_ is None else [f"{share_words(all_)} of what all rules ask could be told"]
    said += [] if hard is None else [f"of those that exclude or require {share_words(hard)}"]
    return "; ".join(said)


def _months(value: float) -> str:
    return f"{value:.2g}" if value < _WHOLE_MONTHS else f"{value:.0f}"


def _pathways(row: Mapping[str, Any], pathways: Sequence[Pathway]) -> str:
    """Pathways that are open to a site, each with its months and its day."""
    open_ = {text.partition(" (")[0]: text for text in split_names(row.get("pathways"))}
    said = []
    for pathway in pathways:
        if pathway.id not in open_:
            continue
        stem = f"pathway_{pathway.id.replace('-', '_')}_months_"
        found = [number(row.get(stem + part)) for part in ("low", "likely", "high")]
        low, likely, high = ("unknown" if m is None else _months(m) for m in found)
        months = f"{low} to {high} months, likely {likely}"
        if None in found:
            months = "duration unknown"
        elif pathway.basis == "stated":
            months += ", which the agency states and few cases have shown"
        notes = open_[pathway.id].partition(" (")[2].rstrip(")").split(", ")
        of = ", ".join(note for note in notes if note and note != "duration unknown")
        said.append(
            f"{pathway.title}{f' (for {of})' if of else ''}: {months}, as of {pathway.as_of}"
        )
    if not said:
        return ""
    return (
        ". ".join(said) + ". Federal review alone, and no forecast: state permits, water rights, "
        "power and litigation take time of their own"
    )
