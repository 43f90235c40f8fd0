"""Where a parcel is, and what to call one that its owner gave no name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

if TYPE_CHECKING:
    import geopandas as gpd

    from geosite.parcels.overlay import Geometries

_COUNTY_WORDS = ("County", "Parish", "Borough", "Census Area", "Municipality", "Municipio", "city")
_OFFSHORE = 20_000.0  # farther than this [m] from every county, a parcel has none


def text(frame: pd.DataFrame, column: str) -> list[str]:
    """A column as words, with single blanks between them; empty where nothing is said."""
    if column not in frame:
        return [""] * len(frame)
    return ["" if pd.isna(v) else " ".join(str(v).split()) for v in frame[column]]


def located(
    table: gpd.GeoDataFrame,
    counties: gpd.GeoDataFrame | None,
    states: gpd.GeoDataFrame | None,
    places: gpd.GeoDataFrame | None,
) -> None:
    """Set state and county, and name what has no name."""
    inner = shapely.point_on_surface(table.geometry.to_numpy())
    table["state"] = _at(inner, states, "name", reach=_OFFSHORE)["name"]
    table[["county", "county_fips"]] = _at(inner, counties, "name", "fips", reach=_OFFSHORE)
    place = _at(inner, places, "name")["name"]
    nameless = table["name"] == ""
    where = zip(table["agency"], place, table["county"], table["state"], strict=True)
    table["name"] = table["name"].where(~nameless, [_place_name(*w) for w in where])


def _at(
    points: Geometries, frame: gpd.GeoDataFrame | None, *columns: str, reach: float | None = None
) -> pd.DataFrame:
    """Columns of the feature at or nearest to each point; empty where none is in reach."""
    if frame is None or frame.empty:
        return pd.DataFrame("", index=range(len(points)), columns=list(columns))
    said = pd.DataFrame({c: text(frame, c) for c in columns})
    shapes = frame.geometry.to_numpy()
    # A feature that holds a point is nearest to it: asked that way round, the feature with
    # its many vertices is indexed once, and the costly search is for the other points only.
    feature, point = shapely.STRtree(points).query(shapes, predicate="intersects")
    outside = np.setdiff1d(np.arange(len(points)), point)
    far, nearest = shapely.STRtree(shapes).query_nearest(points[outside], max_distance=reach)
    point, feature = np.append(point, outside[far]), np.append(feature, nearest)
    # On a border, or between two places as near: the first in the alphabet.
    each = said.iloc[feature].assign(point=point).sort_values(["point", *columns])
    found: pd.DataFrame = each.drop_duplicates("point").set_index("point")
    return found.reindex(range(len(points)), fill_value="")


def _place_name(agency: str, place: str, county: str, state: str) -> str:
    """What to call land that its owner gave no name."""
    if county and not county.endswith(_COUNTY_WORDS):
        county = f"{county} County"
    owner = agency.replace("_", " ")
    if place:
        return ", ".join(filter(None, (f"{owner} land near {place}", county or state)))
    return (
        f"{owner} land in {', '.join(filter(None, (county, state)))}"
        if county or state
        else f"{owner} land"
    )
