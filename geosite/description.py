"""What a planner reads of each site besides its scores: names, law, deposits, gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geosite.authority import authority_columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geosite.model.commodity import Commodities
    from geosite.model.rule import LandAuthority

LISTED = 5
"""Deposit names written out for a site; the others are counted."""


_LAND = {
    "name": "parcel",
    "unit": "unit",
    "parcel_status": "parcel_status",
    "status_source": "status_source",
    "ownership_conflict": "parcel_ownership_conflict",
    "surface_estate": "surface_estate",
    "mineral_estate": "mineral_estate",
    "land_origin": "land_origin",
    "mineral_status": "mineral_status",
    "claims": "claims",
}
"""Columns of the land register that a site carries, and what they are called there."""


_OF_THE_STRONGEST = {
    "evidence_class": "evidence_class",
    "proposed_potential": "proposed_potential",
    "proposed_certainty": "proposed_certainty",
    "record_quality": "quality",
    "record_error_m": "error_m",
    "deposit_type": "deposit_type",
    "deposit_status": "status",
    "deposit_size": "size",
    "deposit_grade": "grade",
    "deposit_tonnage_t": "tonnage_t",
    "cited_report": "cited_report",
}
"""Columns that a site has of its strongest deposit, and what they are called there."""
_DEPOSIT = (
    "deposits",
    "deposits_n",
    "records_n",
    "commodities",
    "host_or_byproduct",
    "through_host",
    *_OF_THE_STRONGEST,
    "evidence_layers",
    "record_ids",
)
"""Columns that a site has of its deposits, also where there is no site."""


def land_columns(sites: pd.Index[Any], parcels: pd.DataFrame) -> pd.DataFrame:
    """What the land register says of each site's parcel: indexed as the sites.

    Parameters
    ----------
    parcels : DataFrame
        The parcel of each site, in their order; index ``parcel_id``.
    """
    land = parcels.rename(columns={"status": "parcel_status"})
    out = land[list(_LAND)].rename(columns=_LAND)
    out.insert(0, "parcel_id", parcels.index)
    return out.set_axis(sites, axis="index")


def deposit_columns(
    sites: pd.DataFrame, pieces: pd.DataFrame, deposits: pd.DataFrame
) -> pd.DataFrame:
    """Deposits of each site, strongest first: indexed as `sites`.

    Parameters
    ----------
    pieces : DataFrame
        ``site`` (label of a row of `sites`) and ``piece`` (deposit number from 1).
    deposits : DataFrame
        From `deposits.deposits`, with the proposed potential.

    Notes
    -----
    Class, potential, quality, status, size, grade and tonnage [t] are those of the strongest
    deposit; ``through_host`` names by-products that no deposit of the site names and all may
    hold. Potential and certainty are proposed from records, see `potential.proposed`.
    """
    number = pieces.groupby("site")["piece"].agg(lambda s: sorted(set(s)))
    # Lists, because a table of strings is slow to ask for a few of its rows.
    said = {
        c: deposits[c].tolist()
        for c in {
            "name", "records", "commodities", "host_or_byproduct", "through_host", "layers",
            "record_ids", *_OF_THE_STRONGEST.values(),
        }
    }  # fmt: skip
    rows = []
    for site in sites.index:
        at = [n - 1 for n in number[site]]
        mine = {c: [values[i] for i in at] for c, values in said.items()}
        named = [str(n) for n in dict.fromkeys(mine["name"]) if n]
        more = len(named) - LISTED
        hosts = mine["through_host"]
        rows.append(
            {
                "deposits": "; ".join(named[:LISTED]) + (f"; and {more} more" if more > 0 else ""),
                "deposits_n": len(at),
                "records_n": int(sum(mine["records"])),
                "commodities": "; ".join(sorted(set().union(*mine["commodities"]))),
                "host_or_byproduct": "; ".join(
                    sorted(set("; ".join(mine["host_or_byproduct"]).split("; ")) - {""})
                ),
                "through_host": "; ".join(sorted(set().union(*hosts))) if all(hosts) else "",
                **{column: mine[of][0] for column, of in _OF_THE_STRONGEST.items()},
                "evidence_layers": "; ".join(sorted(set().union(*mine["layers"]))),
                "record_ids": "; ".join(sorted(set().union(*mine["record_ids"]))[:LISTED]),
            }
        )
    return pd.DataFrame(rows, index=sites.index, columns=list(_DEPOSIT))


def deposits_in_reach(
    sites: gpd.GeoDataFrame, deposits: pd.DataFrame, reach: float
) -> pd.DataFrame:
    """Accepted deposits that open the gate to each site, as `deposit_columns` takes them.

    Land whose extent is not that of one deposit, such as a basin floor, is a candidate
    because of every accepted deposit within reach of it.

    Parameters
    ----------
    sites : GeoDataFrame
        In the CRS of the deposits.
    deposits : DataFrame
        From `evidence.deposits`.
    reach : float
        Of the evidence [m], counted from the outline.

    Returns
    -------
    pandas.DataFrame
        ``site`` (label of a row of `sites`) and ``piece`` (deposit number from 1).
    """
    known = np.flatnonzero(deposits["accepted"].to_numpy(bool))
    places = deposits[["x", "y"]].to_numpy(float)[known]
    tree = shapely.STRtree(np.asarray(shapely.points(places), object))
    site, near = tree.query(sites.geometry.to_numpy(), predicate="dwithin", distance=reach)
    return pd.DataFrame({"site": sites.index.to_numpy()[site], "piece": known[near] + 1})


def inventory(
    deposits: pd.DataFrame,
    parcels: gpd.GeoDataFrame,
    authorities: Mapping[str, tuple[LandAuthority, ...]],
    table: Commodities,
) -> pd.DataFrame:
    """Every deposit that lies in a parcel, with its evidence class: parcel × deposit.

    The list that section 5(a) of Executive Order 14241 asks for: federal land known
    to hold mineral deposits, whatever the rules say of it. ``authority`` goes by what the
    land register says of the parcel; no layer of tenure is read for a point.
    """
    columns = [
        "parcel_id",
        "agency",
        "parcel",
        "state",
        "county",
        "status",
        "deposit",
        "deposit_names",
        "commodities",
        "host_or_byproduct",
        "disposal",
        "authority",
        *_OF_THE_STRONGEST,
        "records_n",
        "accepted",
        "x_m",
        "y_m",
        "evidence_layers",
        "record_ids",
    ]
    if deposits.empty:
        return pd.DataFrame(columns=columns)
    points = shapely.points(deposits[["x", "y"]].to_numpy(float))
    tree = shapely.STRtree(parcels.geometry.to_numpy())
    found = tree.query(points, predicate="intersects")
    # A point on a shared edge lies in the first parcel only; the tree answers in its own order.
    which, holder = found[:, np.lexsort(found[::-1])]
    first = np.unique(which, return_index=True)[1]
    mine = deposits.iloc[which[first]].reset_index(drop=True)
    land = parcels.iloc[holder[first]].reset_index(drop=True)
    commodities = mine["commodities"].map("; ".join)
    law = authority_columns(land.assign(commodities=commodities), authorities, table)
    listed = pd.DataFrame(
        {
            "parcel_id": land["parcel_id"],
            "agency": land["agency"],
            "parcel": land["name"],
            "state": land["state"],
            "county": land["county"],
            "status": land["status"],
            "deposit": mine["name"],
            "deposit_names": mine["names"].map("; ".join),
            "commodities": commodities,
            "host_or_byproduct": mine["host_or_byproduct"],
            "disposal": law["disposal"],
            "authority": law["authority"],
            **{column: mine[of] for column, of in _OF_THE_STRONGEST.items()},
            "records_n": mine["records"],
            "accepted": mine["accepted"],
            "x_m": mine["x"],
            "y_m": mine["y"],
            "evidence_layers": mine["layers"].map("; ".join),
            "record_ids": mine["record_ids"].map(lambda ids: "; ".join(ids[:LISTED])),
        }
    )
    return listed.sort_values(["parcel_id", "deposit", "x_m", "y_m"], ignore_index=True)[columns]
