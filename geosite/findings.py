"""What the rules say of each site: by name, by number, and how much of it they could tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geosite.constraints import is_hard
from geosite.tenure import COLUMNS, values_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from geosite.model.rule import Rule, Treatment

_SOFT = ("avoid", "mitigate", "flag", "include")
_TOLD = {
    "land_origin": frozenset({"public domain", "acquired"}),
    "mineral_estate": frozenset({"federal", "private"}),
    "mineral_status": frozenset({"open", "segregated", "withdrawn"}),
    "disposal": frozenset({"locatable", "leasable"}),
}
"""Values that a rule can ask for; of other words nobody knows whether they mean the same."""


def concerned(
    table: pd.DataFrame, rules: Sequence[Rule], treatments: Sequence[Treatment]
) -> NDArray[np.bool_]:
    """Whether each rule speaks of land and minerals such as a site's: (sites, rules).

    Parameters
    ----------
    table : DataFrame
        ``land_origin``, ``mineral_estate``, ``mineral_status`` and ``disposal`` of each site.

    Notes
    -----
    A rule about acquired land does not speak of a site that is known to be public domain; of
    one that is unknown, or acquired in part, it does. Hard rules are always heard: they have
    spoken of cells, and what they say decides about land and not about names.
    """
    said = {c: [frozenset(values_of(v)) for v in table[c]] for c in COLUMNS}
    said["disposal"] = [
        frozenset(part.partition(":")[0] for part in filter(None, text.split("; ")))
        for text in table["disposal"]
    ]
    out = np.ones((len(table), len(rules)), bool)
    for k, (rule, treatment) in enumerate(zip(rules, treatments, strict=True)):
        if is_hard(treatment):
            continue
        for column, values in said.items():
            asked = getattr(rule, column)
            if asked != "any":
                others = _TOLD[column] - {asked}
                out[:, k] &= np.array([not v or not v <= others for v in values], bool)
    return out


def rules_touching(
    summed: pd.DataFrame,
    rules: Sequence[Rule],
    treatments: Sequence[Treatment],
    speaks: NDArray[np.bool_],
) -> Mapping[str, NDArray[np.int64] | list[str]]:
    """Rules that touch each site, by tier, and rules that cannot tell: ids, and how many.

    Parameters
    ----------
    summed : DataFrame
        One row a site: the columns of `pieces.piece_table`, summed.
    speaks : (sites, rules) bool
        From `concerned`.

    Returns
    -------
    mapping of column to (sites,)
        ``rules_avoid`` and the other tiers: rules that touch a cell of the site;
        ``rules_unknown``: hard rules that cannot tell of one; ``rules_not_examined``: the
        others that cannot. ``hard_n``: hard rules that cannot tell (what a hard rule excludes
        is no site); ``avoid_n``, ``mitigate_n``, ``flag_n``: rules that touch.
    """
    out: dict[str, NDArray[np.int64] | list[str]] = {}
    against = _cells(summed, "against", len(rules)) * speaks > 0
    unsure = _cells(summed, "unsure", len(rules)) * speaks > 0
    hard = np.array([is_hard(t) for t in treatments], bool)
    names = [r.id for r in rules]
    for tier in _SOFT:
        out[f"rules_{tier}"] = _listed(against, names, [t.tier == tier for t in treatments])
    out["rules_unknown"] = _listed(unsure, names, hard)
    out["rules_not_examined"] = _listed(unsure, names, ~hard)
    out["hard_n"] = unsure[:, hard].sum(axis=1)
    for tier in ("avoid", "mitigate", "flag"):
        out[f"{tier}_n"] = against[:, [t.tier == tier for t in treatments]].sum(axis=1)
    return out


def rule_shares(
    summed: pd.DataFrame,
    rules: Sequence[Rule],
    treatments: Sequence[Treatment],
    speaks: NDArray[np.bool_],
) -> list[str]:
    """How much of each site every rule touches: ``sage-grouse: 37.2; wetlands: 0.4`` [% of cells].

    Parameters
    ----------
    summed : DataFrame
        One row a site: the columns of `pieces.piece_table`, summed.
    speaks : (sites, rules) bool
        From `concerned`.

    Returns
    -------
    list of (sites,)
        Of the rules that are no hard ones and touch a cell, in their order; setbacks included.

    Notes
    -----
    Cells that a rule touches / cells of the site, in whole numbers and cut after one decimal,
    so that only all of them is 100.0; what is less than a tenth of a percent is 0.1.
    """
    against = _cells(summed, "against", len(rules)) * speaks
    cells = np.maximum(summed["cells"].to_numpy(np.int64), 1)
    soft = [k for k, t in enumerate(treatments) if t.tier in _SOFT]
    tenths = np.maximum(1000 * against // cells[:, None], 1)
    return [
        "; ".join(f"{rules[k].id}: {tenths[i, k] / 10:.1f}" for k in soft if against[i, k])
        for i in range(len(summed))
    ]


def coverage(
    summed: pd.DataFrame, treatments: Sequence[Treatment], speaks: NDArray[np.bool_]
) -> Mapping[str, NDArray[np.float64]]:
    """Share of rules × cells on which the rules could tell, of all and of the hard ones [%].

    Parameters
    ----------
    summed : DataFrame
        One row a site: the columns of `pieces.piece_table`, summed.
    speaks : (sites, rules) bool
        From `concerned`; of a site that a rule does not speak of, it can tell.

    Returns
    -------
    mapping of column to (sites,)
        ``coverage_pct``, ``coverage_hard_pct``; NaN without such a rule.

    Notes
    -----
    Σ over rules (cells − cells on which the rule cannot tell) / (rules · cells), in whole
    numbers and cut after two decimals, so that only all of it is 100. A rule whose layer is
    missing can tell of no cell; each rule counts once, whatever its tier.
    """
    unsure = _cells(summed, "unsure", len(treatments)) * speaks
    cells = summed["cells"].to_numpy(np.int64)
    hard = np.array([is_hard(t) for t in treatments], bool)
    out = {}
    for column, mine in (("coverage_pct", np.ones_like(hard)), ("coverage_hard_pct", hard)):
        whole = int(mine.sum()) * cells
        told = whole - unsure[:, mine].sum(axis=1)
        if mine.any():
            out[column] = (10_000 * told // whole) / 100
        else:
            out[column] = np.full(len(cells), np.nan)
    return out


def _cells(summed: pd.DataFrame, what: str, rules: int) -> NDArray[np.int64]:
    # Cells of each site of which each rule says this: (sites, rules).
    found = summed[[f"{what}{r}" for r in range(rules)]].to_numpy(np.int64)
    return found.reshape(len(summed), rules)


def _listed(
    touched: NDArray[np.bool_], names: Sequence[str], chosen: Sequence[bool] | NDArray[np.bool_]
) -> list[str]:
    mine = touched & np.asarray(chosen, bool)
    return ["; ".join(n for n, t in zip(names, row, strict=True) if t) for row in mine.tolist()]
