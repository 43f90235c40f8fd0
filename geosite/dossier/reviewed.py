"""What reviewers decided about the land of some sites, from the run that holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shapely

from geosite.report.dossier_content import Verdict
from geosite.report.text import plain

if TYPE_CHECKING:
    import geopandas as gpd

    from geosite.runs import Run

_LEAST = 1.0  # m²: less of a site is the rounding of a common edge


def verdicts(run: Run | None, sites: gpd.GeoDataFrame) -> dict[str, tuple[Verdict, ...]]:
    """Decisions on each site's land by site id, from the first day to the last.

    Parameters
    ----------
    sites : GeoDataFrame
        In the CRS of the run's grid.
    """
    found: dict[str, list[Verdict]] = {str(i): [] for i in sites["site_id"]}
    if run is None or not run.manifest.get("reviews"):
        return dict.fromkeys(found, ())
    titles = {r["id"]: plain(r.get("title") or r["id"]) for r in run.manifest["rules"]}
    for row in run.layer("reviews").itertuples():
        land = shapely.intersection(sites.geometry.to_numpy(), row.geometry)
        for site, part in zip(sites.itertuples(), land, strict=True):
            if part.area > _LEAST:
                found[str(site.site_id)].append(
                    Verdict(
                        row.rule,
                        titles.get(row.rule, row.rule),
                        row.decision,
                        row.finding or "",
                        min(1.0, part.area / site.geometry.area),
                        reason=plain(row.reason, 1000),
                        role=plain(row.role),
                        day=plain(row.date),
                        case=plain(row.case or ""),
                        effect=plain(row.effect),
                    )
                )
    return {i: tuple(some) for i, some in found.items()}
