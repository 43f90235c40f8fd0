"""Records of every mineral layer in one schema: occurrences, each with its source.

Records of every commodity are kept and those that were asked for are marked, because what was
not asked for still tells where somebody looked.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geosite.evidence import PLANT, named_commodities

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import geopandas as gpd

    from geosite.evidence import Question
    from geosite.model.layer import Layer
    from geosite.model.scenario import Evidence

OCCURRENCE_COLUMNS = (
    "name",
    "record_id",
    "commodities",
    "evidence_class",
    "status",
    "size",
    "grade",
    "tonnage",
    "production",
    "quality",
    "deposit_type",
    "cited_report",
    "url",
)
"""Words that a layer may give of a record."""
DERIVED_COLUMNS = (
    "commodities_all",
    "asked",
    "host_or_byproduct",
    "through_host",
    "tonnage_t",
    "layer",
    "x",
    "y",
    "error_m",
    "weight",
    "accepted",
    "note",
)
"""What is worked out for each record besides."""
COLUMNS = [*OCCURRENCE_COLUMNS, *DERIVED_COLUMNS]
UNKNOWN_QUALITY = "D"
"""A record whose quality nobody stated is taken as poor, never as good."""
_TONNES = {
    "tonnes": 1.0,
    "metric tons": 1.0,
    "metric tonnes": 1.0,
    "million tonnes": 1e6,
    "million metric tons": 1e6,
    "short tons": 0.90718474,
}
_STATED = re.compile(rf"([0-9][0-9,]*(?:\.[0-9]+)?)\s*({'|'.join(_TONNES)})", re.IGNORECASE)
_UNCITED = "called a reserve without a cited report: taken as a resource"


def occurrences(
    records: Iterable[tuple[Layer, gpd.GeoDataFrame]],
    question: Question,
    spec: Evidence,
) -> pd.DataFrame:
    """Records of every layer and every commodity in one schema.

    Parameters
    ----------
    records : pairs of a layer and its features in the grid's CRS
        Points; columns as far as the layer has them: `OCCURRENCE_COLUMNS`, ``error_m`` [m],
        ``tonnage_t`` [t] and ``tonnage_mt`` [million t].
    question
        What is asked for.

    Returns
    -------
    pandas.DataFrame
        `OCCURRENCE_COLUMNS` and `DERIVED_COLUMNS`: ``commodities`` of those that were asked for,
        ``commodities_all`` of all in the table, ``asked`` whether it counts,
        ``host_or_byproduct`` in words and ``through_host``, by-products that it does not name and
        hosts; ``tonnage_t`` [t] (NaN where the source gives no number
        with a unit), ``layer``, ``x``, ``y`` [m], ``error_m`` (of the record, else of its layer;
        NaN where neither states one), ``weight`` (class × quality, less through a host; 0 if not
        asked for), ``accepted`` and a ``note``. The order does not depend on the order of the
        layers: strongest first.

    Notes
    -----
    A reserve without a cited report is taken as a resource. A plant is never asked for. Of an
    asked by-product that nobody mines for itself a record of its host is evidence too, with
    `Evidence.through_host` of the weight; its commodity stays the host, under whose law it is.
    """
    tables = [_one_schema(layer, frame) for layer, frame in records if len(frame)]
    if not tables:
        return pd.DataFrame(columns=COLUMNS)
    table = pd.concat(tables, ignore_index=True)
    said = table["commodities"]
    read = {text: named_commodities(text, question.names) for text in said.unique()}
    heard = {ids: _heard(ids, question) for ids in set(read.values())}
    table["commodities_all"] = said.map(read)
    of_each = table["commodities_all"].map(heard)
    plants = table["evidence_class"] == PLANT
    table["commodities"] = of_each.str[0]
    table["host_or_byproduct"] = of_each.str[1]
    table["through_host"] = of_each.str[2]
    table["asked"] = table["commodities"].map(bool).astype(bool) & ~plants
    uncited = (table["evidence_class"] == "reserve") & (table["cited_report"] == "")
    table["note"] = np.where(uncited, _UNCITED, "")
    table.loc[uncited, "evidence_class"] = "resource"
    weight = table["evidence_class"].map(spec.class_weights).fillna(0.0).astype(float)
    weight *= table["quality"].map(spec.quality_weights).fillna(0.0).astype(float)
    weight *= table["through_host"].map(lambda by: spec.through_host if by else 1.0).astype(float)
    table["weight"] = weight.where(table["asked"], 0.0)
    table["accepted"] = (
        table["quality"].isin(spec.accept_quality)
        & ~(table["error_m"] > spec.accept_error)
        & (table["weight"] > 0)
    )
    order = ["weight", "name", "y", "x", "layer", "record_id"]
    # Records of one place in one layer are told apart by all that they say.
    rest = [c for c in OCCURRENCE_COLUMNS if c not in (*order, "commodities")]
    up = [False, True, False, *([True] * (4 + len(rest)))]
    table = table.assign(said=said).sort_values(
        [*order, *rest, "said"], ascending=up, kind="stable"
    )
    return table.reset_index(drop=True)[COLUMNS]


def _heard(
    ids: tuple[str, ...], question: Question
) -> tuple[tuple[str, ...], str, tuple[str, ...]]:
    """Of what a record names: what counts, hosts and by-products in words, by-products it hosts.

    Examples
    --------
    >>> from geosite.evidence import Question
    >>> asks = Question(frozenset({"gallium"}), {}, {"gallium": frozenset({"zinc"})})
    >>> _heard(("lead", "zinc"), asks)
    (('zinc',), 'gallium through its host zinc', ('gallium',))
    >>> _heard(("gallium", "zinc"), asks)
    (('gallium',), 'gallium, by-product of zinc', ())
    """
    direct = tuple(i for i in ids if i in question.asked)
    held = {b: sorted(hosts & set(ids)) for b, hosts in sorted(question.hosts.items())}
    if direct or not question.opens_hosts:
        words = [
            f"{b}, by-product" + (f" of {' and '.join(held[b])}" if held[b] else "")
            for b in held
            if b in direct
        ]
        return direct, "; ".join(words), ()
    hosted = {b: hosts for b, hosts in held.items() if hosts}
    words = [f"{b} through its host {' and '.join(hosts)}" for b, hosts in hosted.items()]
    return (
        tuple(sorted({h for hosts in hosted.values() for h in hosts})),
        "; ".join(words),
        tuple(hosted),
    )


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
    table["tonnage_t"] = _tonnage(table["tonnage"], frame)
    table["layer"] = layer.id
    table["x"], table["y"] = frame.geometry.x, frame.geometry.y
    usual = np.nan if layer.positional_accuracy is None else layer.positional_accuracy
    table["error_m"] = _numbers(frame, "error_m").fillna(usual)
    return table


def _tonnage(words: pd.Series[Any], frame: gpd.GeoDataFrame) -> pd.Series[Any]:
    # The numbers that a layer declares go before what its words say.
    said = {text: stated_tonnes(text) for text in words.unique()}
    found = _numbers(frame, "tonnage_t").fillna(_numbers(frame, "tonnage_mt") * 1e6)
    return found.where(found > 0).fillna(words.map(said))


def _numbers(frame: gpd.GeoDataFrame, column: str) -> pd.Series[Any]:
    if column not in frame:
        return pd.Series(np.nan, index=frame.index)
    found: pd.Series[Any] = pd.to_numeric(frame[column], errors="coerce").astype(float)
    return found


def stated_tonnes(text: str) -> float:
    """Tonnes that a text states with a unit [t]; NaN where it states none or more than one.

    ``mt`` is no unit here: some write it for metric tons and some for millions of them.

    Examples
    --------
    >>> stated_tonnes("1.5 million tonnes of ore")
    1500000.0
    >>> stated_tonnes("1983:3000 mt ore")
    nan
    """
    found = _STATED.findall(text)
    if len(found) != 1:
        return float("nan")
    number, unit = found[0]
    return float(number.replace(",", "")) * _TONNES[unit.casefold()]


def recorded(found: pd.DataFrame, table: Mapping[str, str]) -> list[str]:
    """Commodities of which there are records: ``title (records)``, the most recorded first.

    Parameters
    ----------
    found : DataFrame
        From `occurrences`.
    table : mapping of commodity id to title
    """
    counted = found["commodities_all"].explode().dropna().value_counts()
    ordered = sorted(counted.items(), key=lambda item: (-item[1], str(item[0])))
    return [f"{table.get(str(i), str(i))} ({n})" for i, n in ordered]
