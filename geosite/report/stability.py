"""How stable the sites of a run are, as text and as JSON holds it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from geosite.report.text import escaped_table, markdown

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd


@dataclass(frozen=True, slots=True)
class Stability:
    """What becomes of the sites of a run on other cells, with other cuts and another threshold.

    Attributes
    ----------
    cell_m : float
        Edge of the run's own cells [m].
    cells : tuple of mappings
        One an analysis on other cells: ``cell_m``, `stability.steadiness`, and
        ``also_differs``, what besides the cells was asked otherwise, in words.
    matches : DataFrame
        From `stability.matches`, of all cell sizes.
    tiers : DataFrame
        From `stability.tier_moves`.
    tier_cuts : (float, float)
        Stated cuts of tiers A and B.
    thresholds : DataFrame or None
        From `stability.threshold_moves`, where the sites are patches.
    """

    title: str
    aoi: str
    as_of: str
    notice: str
    cell_m: float
    sites: int
    cells: tuple[Mapping[str, Any], ...]
    matches: pd.DataFrame
    tiers: pd.DataFrame
    tier_cuts: tuple[float, float]
    thresholds: pd.DataFrame | None = None

    @property
    def said(self) -> dict[str, Any]:
        """All but the matches of single sites, as JSON holds it: what is not known is null."""
        return {
            "notice": self.notice,
            "title": self.title,
            "aoi": self.aoi,
            "as_of": self.as_of,
            "cell_m": self.cell_m,
            "sites": self.sites,
            "cells": [_known(row) for row in self.cells],
            "tiers": [_known(row) for row in self.tiers.to_dict("records")],
            "thresholds": None
            if self.thresholds is None
            else [_known(row) for row in self.thresholds.to_dict("records")],
        }


def _known(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _known(v) for k, v in value.items()}
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 6)
    return value


def stability_text(found: Stability) -> str:
    """README.md of a stability analysis, and what the command prints."""
    parts = [
        f"# How stable the sites are: {markdown(found.title, 200)}",
        (
            f"{markdown(found.aoi, 200)}, rules as of {found.as_of}; {found.sites:,} sites on "
            f"cells of {found.cell_m:g} m."
        ),
        _cells(found),
        _tiers(found),
        _thresholds(found),
        markdown(found.notice),
    ]
    return "\n\n".join(p for p in parts if p)


def _cells(found: Stability) -> str:
    if not found.cells:
        return ""
    lists = sorted({k for row in found.cells for k in row["kept"]})
    rows = [
        (
            f"{row['cell_m']:g} m",
            f"{row['sites']:,}",
            f"{row['matched']:,} of {found.sites:,}",
            *(_number(row["kept"].get(k), "{:.0f} %") for k in lists),
            _number(row["kendall"], "{:.2f}"),
            _number(row["spearman"], "{:.2f}"),
            _number(row["jaccard"], "{:.2f}"),
        )
        for row in found.cells
    ]
    heads = (
        "cells", "sites", "found again", *(f"top {k} kept" for k in lists), "Kendall τ-b",
        "Spearman ρ", "Jaccard of area",
    )  # fmt: skip
    text = (
        "The question was asked again on other cells. A site is found again where it and a site "
        "of the other analysis share at least half of the smaller of the two; correlations are "
        "of the ranks of these. Jaccard is shared land over all land of the sites."
    )
    also = [
        f"* On cells of {row['cell_m']:g} m, besides the cells: {markdown(words, 300)}"
        for row in found.cells
        for words in row["also_differs"]
    ]
    more = "Something else was asked otherwise too, so the cells are not the only cause:"
    told = [text, escaped_table(heads, rows), *([more, "\n".join(also)] if also else [])]
    return "## On other cells\n\n" + "\n\n".join(told)


def _tiers(found: Stability) -> str:
    a, b = found.tier_cuts
    names = {"both": "both", "a": "tier A", "b": "tier B"}
    rows = [
        (
            names[row["cut"]],
            f"{row['shift']:+.2f}",
            f"{row['tier_a']:,}",
            f"{row['tier_b']:,}",
            f"{row['tier_c']:,}",
            f"{row['up']:,}",
            f"{row['down']:,}",
        )
        for row in found.tiers.to_dict("records")
    ]
    heads = ("cut", "by", "in tier A", "in tier B", "in tier C", "rise", "fall")
    text = f"Tier A begins at a suitability of {a:g} and tier B at {b:g}; the cuts are moved."
    return f"## With other cuts\n\n{text}\n\n{escaped_table(heads, rows)}" if rows else ""


def _thresholds(found: Stability) -> str:
    if found.thresholds is None:
        return ""
    rows = [
        (
            f"{row['threshold']:.3g}",
            f"{row['patches']:,}",
            f"{row['area_ha']:,.0f} ha",
            _number(row["jaccard"], "{:.2f}"),
        )
        for row in found.thresholds.to_dict("records")
    ]
    heads = ("threshold", "patches", "area", "Jaccard of area")
    text = (
        "Patches of the saved surface above another threshold, before large ones are split and "
        "before land law is asked; the first row is the stated one."
    )
    return f"## Above another threshold\n\n{text}\n\n{escaped_table(heads, rows)}"


def _number(value: float | None, form: str) -> str:
    return "" if value is None or math.isnan(value) else form.format(value)
