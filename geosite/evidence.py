"""Mineral evidence: records become occurrences, occurrences become deposits.

What geology says, and nothing that came after a mine: no infrastructure, claims,
plans or plants are read here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from geosite.model.layer import Layer
    from geosite.model.rule import Commodities
    from geosite.model.scenario import Evidence

OCCURRENCE_COLUMNS = (
    "name",
    "record_id",
    "commodities",
    "evidence_class",
    "quality",
    "deposit_type",
    "tonnage",
    "url",
)
UNKNOWN_QUALITY = "D"
"""A record whose quality nobody stated is taken as poor, never as good."""


def asked_commodities(wanted: str | Sequence[str], table: Commodities) -> frozenset[str]:
    """Ids of the commodities that a scenario asks for, by list name or one by one."""
    if isinstance(wanted, str):
        return frozenset(c.id for c in table.commodities if wanted in c.lists)
    return frozenset(wanted)


def commodity_names(table: Commodities) -> dict[str, str]:
    """Every name and code that records use → commodity id, in lower case."""
    return {name.casefold(): c.id for c in table.commodities for name in (c.id, c.title, *c.names)}


def named_commodities(text: object, names: Mapping[str, str]) -> tuple[str, ...]:
    """Commodities that a record names, in order of id.

    Names are compared whole: ``RE`` is rhenium and no part of ``REE``. A record
    is split at semicolons first, and at commas only where the whole is no name,
    because names themselves contain commas.

    Examples
    --------
    >>> names = {"barium-barite": "barite", "clay, kaolin": "kaolin", "gold": "gold"}
    >>> named_commodities("Gold; Clay, Kaolin", names)
    ('gold', 'kaolin')
    """
    found = set()
    for part in re.split(r"[;|]", str(text)):
        whole = part.strip().casefold()
        if whole in names:
            found.add(names[whole])
            continue
        for token in whole.split(","):
            if token.strip() in names:
                found.add(names[token.strip()])
    return tuple(sorted(found))


def occurrences(
    records: Iterable[tuple[Layer, gpd.GeoDataFrame]],
    asked: frozenset[str],
    names: Mapping[str, str],
    spec: Evidence,
    *,
    others: bool = False,
) -> pd.DataFrame:
    """Records of every layer in one schema, those of the asked commodities only.

    Parameters
    ----------
    records : pairs of a layer and its features in the grid's CRS
        Points; columns as far as the layer has them: `OCCURRENCE_COLUMNS`.
    asked : commodity ids
    names : mapping of lower-case name to commodity id
    others : bool
        Keep every record, with all the commodities it names, and say in a column ``asked``
        whether an asked one is among them: the others tell how well a place was looked at.

    Returns
    -------
    pandas.DataFrame
        The occurrence columns, ``layer``, ``x``, ``y`` [m], ``error_m`` (NaN where
        the layer states none), ``weight`` (class × quality) and ``accepted``, in an
        order that does not depend on the order of the layers.
    """
    tables = [_one_schema(layer, frame) for layer, frame in records if len(frame)]
    if not tables:
        columns = [*OCCURRENCE_COLUMNS, "layer", "x", "y", "error_m", "weight", "accepted"]
        return pd.DataFrame(columns=[*columns, "asked"] if others else columns)
    table = pd.concat(tables, ignore_index=True)
    parsed = {text: named_commodities(text, names) for text in table["commodities"].unique()}
    kept = {text: tuple(c for c in ids if c in asked) for text, ids in parsed.items()}
    is_asked = table["commodities"].map({text: bool(ids) for text, ids in kept.items()})
    if others:
        table = table.assign(commodities=table["commodities"].map(parsed), asked=is_asked)
    else:
        table["commodities"] = table["commodities"].map(kept)
        table = table[is_asked].reset_index(drop=True)
    weight = table["evidence_class"].map(spec.class_weights).fillna(0.0).astype(float)
    table["weight"] = weight * table["quality"].map(spec.quality_weights).fillna(0.0).astype(float)
    table["accepted"] = (
        table["quality"].isin(spec.accept_quality)
        & ~(table["error_m"] > spec.accept_error)
        & (table["weight"] > 0)
    )
    order = ["weight", "name", "y", "x", "layer", "record_id"]
    up = [False, True, False, True, True, True]
    return table.sort_values(order, ascending=up, kind="stable").reset_index(drop=True)


def _one_schema(layer: Layer, frame: gpd.GeoDataFrame) -> pd.DataFrame:
    # A record of several places is an occurrence at each of them.
    frame = frame.explode(ignore_index=True)
    table = pd.DataFrame(index=frame.index)
    for column in OCCURRENCE_COLUMNS:
        given = frame[column] if column in frame else pd.Series("", index=frame.index)
        table[column] = given.astype("object").where(given.notna(), "").astype(str).str.strip()
    table["evidence_class"] = table["evidence_class"].replace("", "unknown")
    table["quality"] = (
        table["quality"]
        .str.upper()
        .where(table["quality"].str.upper().isin(list("ABCDE")), UNKNOWN_QUALITY)
    )
    table["layer"] = layer.id
    table["x"], table["y"] = frame.geometry.x, frame.geometry.y
    error = layer.positional_accuracy
    table["error_m"] = np.nan if error is None else error
    return table


def deposits(found: pd.DataFrame, spec: Evidence) -> pd.DataFrame:
    """Occurrences that lie together, as one deposit each.

    The strongest record founds a deposit and takes every record within
    ``merge_within`` that no stronger one has taken; so a chain of records along
    a belt does not become one deposit.

    Returns
    -------
    pandas.DataFrame
        ``name, x, y [m], commodities, evidence_class, quality, weight, accepted,
        records, layers, record_ids, deposit_type, error_m``; strongest first.
    """
    if found.empty:
        return found.assign(records=[], layers=[], record_ids=[])
    owner = _founders(found[["x", "y"]].to_numpy(float), spec.merge_within)
    members: dict[int, list[int]] = {}
    for row, founder in enumerate(owner.tolist()):
        members.setdefault(founder, []).append(row)
    groups = [members[f] for f in sorted(members)]

    def united(column: str) -> pd.Series[Any]:
        values = found[column].tolist()
        return pd.Series(
            [tuple(sorted({values[i] for i in g} - {""})) for g in groups], dtype=object
        )

    names, kept = found["name"].tolist(), found["accepted"].tolist()
    sets = found["commodities"].tolist()
    merged = found.iloc[sorted(members)].reset_index(drop=True)
    return merged.drop(columns=["layer", "record_id"]).assign(
        # A founder without a name takes the name of its strongest named record.
        name=[next((names[i] for i in g if names[i]), "") for g in groups],
        commodities=pd.Series(
            [tuple(sorted({c for i in g for c in sets[i]})) for g in groups], dtype=object
        ),
        accepted=[any(kept[i] for i in g) for g in groups],
        records=[len(g) for g in groups],
        layers=united("layer"),
        record_ids=united("record_id"),
    )


def _founders(xy: NDArray[np.float64], within: float) -> NDArray[np.int64]:
    from scipy.spatial import cKDTree  # noqa: PLC0415 -- slow to import

    near = cKDTree(xy).query_ball_point(xy, within, return_sorted=True)
    owner = np.full(len(xy), -1, np.int64)
    for i, neighbours in enumerate(near):
        if owner[i] < 0:
            free = [j for j in neighbours if owner[j] < 0]
            owner[free] = i
    return owner
