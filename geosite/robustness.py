"""What the ranking would be under other weights and other rules of combination."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geosite.acceptability import acceptability
from geosite.agreement import agreement, rules_beside
from geosite.model.combination import UNWEIGHTED
from geosite.reweighting import concentration, drawn_weights
from geosite.tipping import tippings
from geosite.weighting import per_mille

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from geosite.acceptability import Acceptability
    from geosite.agreement import Agreement
    from geosite.model.scenario import Scenario
    from geosite.tipping import Tipping

ALWAYS = 90.0
"""Share of the weightings in which a site that stays in a list stays there for good [%]."""


@dataclass(frozen=True, slots=True)
class Robust:
    """How far a ranking holds, of the sites in the order of their table.

    Attributes
    ----------
    columns : DataFrame
        ``rank_p05``, ``rank_p95`` and ``top<k>_share_pct`` of each site; empty where its
        suitability is not known.
    table : DataFrame
        One row a ranked site: these columns, and besides them expected rank, share of first
        places, smallest changes, central weights and the rank by each rule.
    summary : mapping
        How it was asked, and what holds of the list as a whole; for ``run.json``.
    """

    columns: pd.DataFrame
    table: pd.DataFrame
    summary: Mapping[str, Any]


def robustness(
    sites: pd.DataFrame, scenario: Scenario, weights: Sequence[float] | None = None
) -> Robust:
    """How the ranks of sites would change if others weighed the criteria, or combined them.

    Parameters
    ----------
    sites : DataFrame
        ``site_id``, ``rank``, ``suitability`` and ``effective_<criterion>``, as
        `sites.ranked` gives them.
    weights : one a criterion, optional
        Those of the scenario's criteria if not given.

    Notes
    -----
    Two intervals of ranks stand beside each other, and are two things: ``rank_best`` to
    ``rank_worst`` is what the site may have once all is known that is not, at the stated
    weights; ``rank_p05`` to ``rank_p95`` is where nine weightings in ten put it, with what is
    known today. What is not known counts by the scenario's `missing` in each of them, the
    sites stay the same, and so does the pad that stands for an installation.
    """
    asked, ids = scenario.robustness, [c.id for c in scenario.criteria]
    stated = per_mille([c.weight for c in scenario.criteria] if weights is None else weights)
    # Ties are broken by the id, and what is not ranked is not among the others.
    listed = sites[sites["suitability"].notna()].sort_values("site_id", kind="stable")
    scores = listed[[f"effective_{i}" for i in ids]].to_numpy(float).T
    drawn = drawn_weights(stated, asked.draws, asked.seed, asked.spread)
    how: dict[str, Any] = {"missing": scenario.missing}
    same = scenario.combination.kind in UNWEIGHTED
    found = acceptability(
        # A rule that reads no weight gives one ranking, drawn once.
        scores, drawn[:1] if same else drawn, scenario.combination, ids, top=asked.top, **how
    )  # fmt: skip
    tipped = tippings(scores, stated, scenario.combination, ids, top=asked.top, **how)
    rules = rules_beside(scenario.combination, ids)
    agreed = agreement(scores, stated, rules, ids, **how)
    table = _table(listed, ids, stated / stated.sum(), asked.top, found, tipped, agreed)
    if same:
        table[[c for c in table.columns if str(c).startswith("central_")]] = np.nan
    table = table.reindex(sites.index[sites["suitability"].notna()])
    names = ["rank_p05", "rank_p95", *(f"top{k}_share_pct" for k in asked.top)]
    summary = asked.model_dump(mode="json") | {
        "concentration": None if len(ids) == 1 else concentration(len(ids), asked.spread),
        "reads_weights": not same,
        "lists": [_list(table, k) for k in asked.top],
        "rules": [*agreed.rules],
        "agreement": _pairs(agreed, table),
    }
    return Robust(table[names].reindex(sites.index), table, summary)


def _table(
    listed: pd.DataFrame,
    ids: Sequence[str],
    weights: NDArray[np.float64],
    top: Sequence[int],
    found: Acceptability,
    tipped: Sequence[Tipping],
    agreed: Agreement,
) -> pd.DataFrame:
    columns: dict[str, Any] = {
        "rank": listed["rank"],
        "site_id": listed["site_id"],
        "rank_p05": pd.array(found.low, "Int64"),
        "rank_p95": pd.array(found.high, "Int64"),
        **{f"top{k}_share_pct": 100 * found.top[:, n] for n, k in enumerate(top)},
        "rank_expected": found.expected,
        "first_share_pct": 100 * found.first,
    }
    names = np.array([*ids, ""], dtype=object)
    for k, tipping in zip(top, tipped, strict=True):
        stated = np.append(weights, np.nan)[tipping.criterion]
        columns |= {
            f"drop{k}_criterion": names[tipping.criterion],
            f"drop{k}_from_pct": 100 * stated,
            f"drop{k}_to_pct": 100 * tipping.share,
            f"drop{k}_change_pct": 100 * tipping.change,
        }
    columns |= {f"central_{id_}_pct": 100 * found.central[:, n] for n, id_ in enumerate(ids)}
    placed = pd.DataFrame(agreed.ranks.T, columns=list(agreed.rules)).astype("Int64")
    columns["rank_rules_best"] = placed.min(axis=1).array
    columns["rank_rules_worst"] = placed.max(axis=1).array
    columns |= {f"rank_{rule}": placed[rule].array for rule in agreed.rules}
    return pd.DataFrame(columns, index=listed.index)


def _list(table: pd.DataFrame, k: int) -> dict[str, Any]:
    # How many of the first k stay, how many others are ever among them, and the weight that
    # changes the list first.
    share, rank = table[f"top{k}_share_pct"], table["rank"]
    inside = table[rank <= k]
    change = inside[f"drop{k}_change_pct"].abs()
    first = inside.iloc[int(change.argmin())] if change.notna().any() else None
    return {
        "k": int(k),
        "sites": len(inside),
        "stay": int((share[rank <= k] >= ALWAYS).sum()),
        "ever": int((share > 0).sum()),
        "first_to_drop": None
        if first is None
        else {
            "site_id": str(first["site_id"]),
            "criterion": str(first[f"drop{k}_criterion"]),
            "from_pct": round(float(first[f"drop{k}_from_pct"]), 3),
            "to_pct": round(float(first[f"drop{k}_to_pct"]), 3),
        },
    }


def _pairs(agreed: Agreement, table: pd.DataFrame) -> list[dict[str, Any]]:
    ten = 10
    found = []
    for i, rule in enumerate(agreed.rules):
        for k, other in enumerate(agreed.rules[i + 1 :], i + 1):
            both = (table[f"rank_{rule}"] <= ten) & (table[f"rank_{other}"] <= ten)
            found.append(
                {
                    "rule": rule,
                    "other": other,
                    "kendall": _number(agreed.kendall[i, k]),
                    "spearman": _number(agreed.spearman[i, k]),
                    "of_top_10": int(both.sum()),
                }
            )
    return found


def _number(value: float) -> float | None:
    # JSON knows no NaN.
    return None if np.isnan(value) else round(float(value), 4)
