"""The ranked table: the decision matrix of sites, combined, decomposed and described."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

from geosite.closeness import TIES
from geosite.matrix import Matrix, Scored, scored, stepped, tiers_of
from geosite.pieces import BINS, STEPS, anchor_cell, measure_steps, quantile_from_bins
from geosite.weighting import per_mille

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geosite.inputs import Chosen
    from geosite.model.scenario import Scenario

S = TypeVar("S", bound=pd.DataFrame)
UNIT_SUFFIX = {
    "m": "m",
    "ha": "ha",
    "%": "pct",
    "persons": "persons",
    "kV": "kv",
    "MGD": "mgd",
    "acre-ft/yr": "acre_ft_yr",
    "mm/yr": "mm_yr",
    "class": "class",
    "category": "category",
    "": "index",
}
ACRES_A_HECTARE = 1 / 0.40468564224
_RANKS = ("rank", "rank_best", "rank_worst")


def decision_matrix(summed: pd.DataFrame, criteria: Sequence[Chosen]) -> Matrix:
    """Decision matrix of sites from the joined sums of their cells, in whole ten-thousandths."""
    effective, known = [], []
    cells = summed["cells"].to_numpy(float)
    for i in range(len(criteria)):
        total, n = summed[f"e{i}_sum"].to_numpy(float), summed[f"e{i}_n"].to_numpy(float)
        with np.errstate(invalid="ignore", divide="ignore"):
            effective.append(np.where(n > 0, total / STEPS / n, np.nan))
        known.append(n / cells)
    shape = (len(criteria), len(summed))
    return Matrix(
        tuple(c.criterion.id for c in criteria),
        stepped(np.array(effective, float).reshape(shape)),
        np.array(known, float).reshape(shape),
    )


def measure_column(chosen: Chosen, resolution: float) -> str:
    """Name of the column that holds a criterion's measure, with its unit.

    What is read off the slope of the grid's own cells says how large they are,
    because the same ground is steeper on smaller cells.
    """
    measure = (chosen.reading or chosen.criterion).measure
    size = f"_at_{resolution:g}m" if measure.kind in ("slope", "flat_share") else ""
    return f"{chosen.criterion.id}_{measure.kind}{size}_{UNIT_SUFFIX[measure.unit]}"


def ranked(
    summed: pd.DataFrame,
    scenario: Scenario,
    criteria: Sequence[Chosen],
    agencies: Sequence[str],
    *,
    resolution: float,
) -> pd.DataFrame:
    """Sites with their suitability, decomposed and ranked: one row a site, best first.

    Parameters
    ----------
    summed : DataFrame
        One row a site: the columns of `pieces.piece_table`, summed.
    agencies : (sites,)
        Agency of each site's parcel, for the site id.
    resolution : float
        Edge of a cell [m].

    Notes
    -----
    Every combination rule acts on the decision matrix; ``suitability_surface`` is the
    mean over the site's cells, and equal to it within 1e-4 for the weighted sum where every
    cell is known: scores of sites are whole ten-thousandths, those of cells are not. Both have
    the weights in whole per mille. A criterion that is known on a part of the cells counts by the
    scenario's `missing`: the mean of the known cells (renormalise), with the others
    at zero (worst), or as unknown. ``suitability_low`` and ``suitability_high`` take
    every cell on which a criterion is not known as worst and as best. Ranks go by
    suitability to nine decimals, then by site id. Under a rule that needs the set (TOPSIS)
    ``suitability_surface`` is the mean of the weighted sum, which is what cells have.
    """
    matrix = decision_matrix(summed, criteria)
    weights = per_mille([c.criterion.weight for c in criteria])

    found = scored(matrix, weights, scenario.combination, scenario.missing)
    cell_ha = resolution**2 / 10_000
    area = summed["cells"].to_numpy(float) * cell_ha
    unknown = summed["unknown"].to_numpy(float) * cell_ha
    n = summed["surface_n"].to_numpy(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        surface = np.where(n > 0, summed["surface_sum"].to_numpy(float) / STEPS / n, np.nan)
    bins = summed[[f"h{b}" for b in range(BINS)]].to_numpy(np.int64)
    ids = site_ids(summed["anchor"], agencies)
    table = pd.DataFrame(
        {
            "site_id": pd.Series(ids, index=summed.index, dtype=object),
            "agency": list(agencies),
            "acres": area * ACRES_A_HECTARE,
            "area_ha": area,
            "suitability": found.suitability,
            "suitability_low": found.low,
            "suitability_high": found.high,
            "suitability_surface": surface,
            "suitability_p90": quantile_from_bins(bins, 0.9),
        },
        index=summed.index,
    )
    for i, chosen in enumerate(criteria):
        table[measure_column(chosen, resolution)] = _measure(summed, i, chosen)
    for k, id_ in enumerate(matrix.ids):
        table[f"effective_{id_}"] = found.scores[k]
    for k, id_ in enumerate(matrix.ids):
        table[f"contribution_{id_}"] = found.parts[k]
    table["known_weight_pct"] = found.known_pct
    table["clear_ha"] = area - unknown
    table["unknown_ha"] = unknown
    table["fatal_flaws"] = _fatal_flaws(matrix, criteria)
    table["not_examined"] = _not_examined(matrix, criteria)
    table["tier"] = _tiers(found, table, scenario)
    return in_order(table)


def rescored(sites: S, matrix: Matrix, scenario: Scenario) -> S:
    """Ranked sites, scored again as the set that they are and put in order.

    For a rule that needs the set, after sites have left it.

    Parameters
    ----------
    matrix : Matrix
        Of these sites, in their order.
    """
    weights = per_mille([c.weight for c in scenario.criteria])
    found = scored(matrix, weights, scenario.combination, scenario.missing)
    said = {
        "suitability": found.suitability,
        "suitability_low": found.low,
        "suitability_high": found.high,
        "tier": _tiers(found, sites, scenario),
    }
    return in_order(sites.assign(**said))


def matrix_table(matrix: Matrix, sites: Sequence[str]) -> pd.DataFrame:
    """The decision matrix as a table: one row a site, in the order of the sites given.

    Columns ``site_id``, and for each criterion ``effective_<id>`` (NaN where no cell is
    known) and ``known_<id>``, the share of cells on which it is, both 0 to 1.
    """
    columns: dict[str, Any] = {"site_id": pd.Series(list(sites), dtype=object)}
    columns |= {f"effective_{i}": x for i, x in zip(matrix.ids, matrix.effective, strict=True)}
    columns |= {f"known_{i}": x for i, x in zip(matrix.ids, matrix.known, strict=True)}
    return pd.DataFrame(columns)


def in_order(table: S) -> S:
    """Sites by suitability to nine decimals, then by id; ``rank`` is empty where it is unknown.

    ``rank_best`` and ``rank_worst`` are the ranks that a site may have once all is known
    that is not: one after the ranked sites that are surely better, and one after all sites
    that may be. Where everything is known, both are the rank.
    """
    order = -table["suitability"].round(TIES)
    table = table.assign(_order=order).sort_values(
        ["_order", "site_id"], kind="stable", na_position="last"
    )
    rank = np.where(table["suitability"].notna(), np.arange(1, len(table) + 1), np.nan)
    rest = table.drop(columns=["_order", *_RANKS], errors="ignore")
    best, worst = _rank_interval(table)
    rest.insert(0, "rank", pd.Series(rank, index=table.index).astype("Int64"))
    rest.insert(1, "rank_best", best)
    rest.insert(2, "rank_worst", worst)
    return rest


def _rank_interval(table: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    # A smaller key comes first: better to nine decimals, or as good with an id before.
    ids = table["site_id"].rank(method="first").to_numpy(np.int64)
    score = table["suitability"].to_numpy(float)
    # A sum of other terms may differ in its last digit.
    low = np.fmin(table["suitability_low"].to_numpy(float), score)
    high = np.fmax(table["suitability_high"].to_numpy(float), score)

    def key(values: NDArray[np.float64]) -> NDArray[np.int64]:
        whole = np.rint(pd.Series(values).round(TIES).to_numpy() * 10**TIES)
        return np.asarray(ids - whole.astype(np.int64) * (len(table) + 1), np.int64)

    worst_key, best_key = key(low), key(high)
    surely = np.sort(worst_key[~np.isnan(score)])
    maybe = np.sort(best_key)
    best = 1 + np.searchsorted(surely, best_key)
    # A site that may be better than its own worst is not behind itself.
    worst = 1 + np.searchsorted(maybe, worst_key) - (best_key < worst_key)
    return best.astype(np.int64), worst.astype(np.int64)


def best_of_each(table: S, owner: list[str]) -> S:
    """The best site of each installation, in order, and how many others it has.

    An installation of several parcels that do not touch is one choice, not several.

    Parameters
    ----------
    owner : columns that say what belongs together
    """
    others = table.groupby(owner, sort=False)["site_id"].transform("size") - 1
    return in_order(table.assign(other_pads=others).drop_duplicates(owner))


def site_ids(anchors: pd.Series, agencies: Sequence[str]) -> list[str]:
    """Agency and first cell of each site: ``BLM-W7712N2203`` is 7712 cells west of the grid's
    origin and 2203 north of it; the same land has the same id in every run on one grid.
    """  # noqa: D205
    out = []
    for agency, code in zip(agencies, anchors.tolist(), strict=True):
        row, column = anchor_cell(int(code))
        east = f"W{-column}" if column < 0 else f"E{column}"
        north = f"N{-row}" if row < 0 else f"S{row}"
        out.append(f"{agency}-{east}{north}")
    return out


def _measure(summed: pd.DataFrame, i: int, chosen: Chosen) -> Any:
    reading = chosen.reading
    if reading is None:
        return np.nan
    if reading.value.kind == "categorical":
        names = [*reading.value.scores]
        counts = summed[[f"c{i}_{k}" for k in range(len(names))]].to_numpy()
        best = counts.argmax(axis=1)
        return [
            n if has else ""
            for n, has in zip(
                np.array(names)[best].tolist(), (counts.max(axis=1) > 0).tolist(), strict=True
            )
        ]
    n, whole = summed[f"m{i}_n"].to_numpy(float), summed[f"m{i}_sum"].to_numpy(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(n > 0, whole / measure_steps(reading) / n, np.nan)


def _fatal_flaws(matrix: Matrix, criteria: Sequence[Chosen]) -> list[str]:
    critical = [k for k, c in enumerate(criteria) if c.criterion.critical]
    return [
        "; ".join(criteria[k].criterion.title for k in critical if matrix.effective[k, j] == 0)
        for j in range(matrix.effective.shape[1])
    ]


def _not_examined(matrix: Matrix, criteria: Sequence[Chosen]) -> list[str]:
    return [
        "; ".join(c.criterion.title for k, c in enumerate(criteria) if matrix.known[k, j] == 0)
        for j in range(matrix.effective.shape[1])
    ]


def _tiers(found: Scored, table: pd.DataFrame, scenario: Scenario) -> NDArray[np.object_]:
    flawed = table["fatal_flaws"].to_numpy() != ""
    return tiers_of(found.suitability, found.low, found.known_pct, flawed, scenario.tiers)
