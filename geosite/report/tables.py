"""Tables that open the same everywhere: CSV with a fixed order of columns.

A comment line would break the programs that read CSV, so the disclaimer is a
column, `notice`, the same on every row: a row that is copied out keeps it. Text
that a spreadsheet would take for a formula gets a leading apostrophe; numbers,
negative ones too, stay numbers, and are rounded to what they mean: sites.parquet
has every digit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from geosite.report.facts import FIRST, LAST, LIST_SHARE
from geosite.report.shapes import anchors
from geosite.report.text import cell, plain

if TYPE_CHECKING:
    from pathlib import Path

    from geosite.report.content import Content


_DEGREES = 6
_DECIMALS = {"ha": 2, "acres": 2, "m": 1, "pct": 2}
"""Decimals by the unit that ends a column's name."""
_OTHER = 6
"""Decimals of scores, parts of scores and all else."""


def notice(content: Content) -> str:
    """What every row says: screening only, the years, the marking, and "SYNTHETIC WORLD"."""
    world = "SYNTHETIC WORLD. " if content.synthetic else ""
    return f"{world}{plain(content.disclaimer)} [{plain(content.marking, 200)}]"


def site_table(content: Content) -> pd.DataFrame:
    """Sites as `sites.csv` holds them, by rank: known columns first, then measures and scores.

    Longitude and latitude are of a point inside the site.
    """
    sites = content.sites
    points = anchors(sites, decimals=_DEGREES)
    table = sites.drop(columns=sites.geometry.name)
    table = table.assign(longitude=points[:, 0], latitude=points[:, 1])
    table = table.assign(notice=notice(content))
    if "rank" in table:
        table = table.sort_values("rank", kind="stable")
    ordered: pd.DataFrame = table[_ordered([str(c) for c in table.columns])]
    return ordered.reset_index(drop=True)


def _ordered(columns: list[str]) -> list[str]:
    shares = [c for c in columns if LIST_SHARE.fullmatch(c)]
    first = [c for c in FIRST if c in columns]
    if shares:  # after the last rank, as many as there are lists
        at = 1 + max((k for k, c in enumerate(first) if c.startswith("rank")), default=-1)
        first[at:at] = shares
    last = [c for c in LAST if c in columns]
    rest = [c for c in columns if c not in first and c not in last]
    scores = [c for c in rest if c.startswith(("effective_", "contribution_"))]
    return [*first, *(c for c in rest if c not in scores), *scores, *last]


def write_table(table: pd.DataFrame, path: Path, *, notice: str | None = None) -> None:
    """Save a table as CSV, without geometry; any text in it is harmless to a spreadsheet.

    Parameters
    ----------
    notice : str, optional
        Put on every row as the column `notice`, unless the table has it.
    """
    if isinstance(table, gpd.GeoDataFrame):
        table = table.drop(columns=table.geometry.name)
    if notice is not None and "notice" not in table:
        table = table.assign(notice=notice)
    # Cell by cell: a column of text may hold numbers and lists as well.
    table = table.copy()
    for column in table.columns:
        if table[column].dtype.kind == "f":
            table[column] = _rounded(table[column], str(column))
        elif _may_hold_text(table[column]):
            safe = [cell(v) for v in table[column]]
            table[column] = pd.Series(safe, table.index, dtype=object)
    table = table.rename(columns=lambda c: str(cell(str(c))))
    table.to_csv(path, index=False, encoding="utf-8", lineterminator="\n")


def _rounded(numbers: pd.Series, name: str) -> pd.Series:
    decimals = _DECIMALS.get(name.rpartition("_")[2], _OTHER)
    # Adding nothing turns -0.0 into 0.0.
    return numbers.astype("float64").round(decimals) + 0.0


def _may_hold_text(column: pd.Series) -> bool:
    return column.dtype.kind not in "biufM"
