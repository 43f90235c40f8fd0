"""What keeps land out: the smallest sets of rules, and what each rule alone removes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geosite.constraints import RULES_PER_PLANE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

VALUED = ("plan", "practice")
"""Authorities whose rules are valued: an agency or a project can change them by itself."""


@dataclass(frozen=True, slots=True)
class Blocking:
    """A rule as this analysis needs it; in the order of the run's rules.

    Attributes
    ----------
    hard
        Whether it can exclude land.
    lifts : indices of the rules it lifts where it speaks; empty for all but inclusions
    """

    id: str
    title: str
    authority: str
    citation: str
    who_can_act: str
    hard: bool
    sovereign: bool = False
    lifts: tuple[int, ...] = ()

    @property
    def is_valued(self) -> bool:
        """Whether a number may be put to its absence."""
        return self.authority in VALUED and not self.sovereign


def blocking_sets(
    rule_sets: pd.DataFrame, rules: Sequence[Blocking], parcels: NDArray[np.bool_]
) -> pd.DataFrame:
    """Excluded land by parcel and by the set of rules that exclude it: one row each.

    Parameters
    ----------
    rule_sets : DataFrame
        From `pieces.rule_set_table`: ``parcel``, ``plane<p>``, ``cells``, ``evidence``.
    parcels : (parcels + 1,) bool
        Parcels that are asked about; sovereign land is none of them.

    Returns
    -------
    DataFrame
        The same columns; in the planes only rules that exclude and are not lifted, of
        rule k bit k mod 32 in plane k // 32. Land on which a sovereign rule speaks is
        left out altogether: what would happen without it is not asked.
    """
    asked = rule_sets[parcels[rule_sets["parcel"].to_numpy(np.int64)]]
    spoken = _against(asked)
    sets = spoken & _mask([k for k, r in enumerate(rules) if r.hard], len(spoken))[:, None]
    for k, rule in enumerate(rules):
        if rule.lifts:
            speaks = (spoken & _mask([k], len(spoken))[:, None]).any(axis=0)
            sets[:, speaks] &= ~_mask(rule.lifts, len(spoken))[:, None]
    sovereign = _mask([k for k, r in enumerate(rules) if r.sovereign and r.hard], len(spoken))
    keep = sets.any(axis=0) & ~(sets & sovereign[:, None]).any(axis=0)
    out = asked.loc[keep, ["parcel", "cells", "evidence"]].reset_index(drop=True)
    for p, plane in enumerate(sets[:, keep]):
        out.insert(p + 1, f"plane{p}", plane)
    keys = [c for c in out.columns if c not in ("cells", "evidence")]
    summed: pd.DataFrame = out.groupby(keys, sort=True, as_index=False)[["cells", "evidence"]].sum()
    return summed


def rule_shares(sets: pd.DataFrame, rules: Sequence[Blocking], *, cell_ha: float) -> pd.DataFrame:
    """What each rule removes, alone and with others: one row a rule that removes land.

    Parameters
    ----------
    sets : DataFrame
        From `blocking_sets`.

    Returns
    -------
    DataFrame
        ``rule``, ``removed_ha`` (land it excludes), ``alone_ha`` (that no other rule
        excludes), ``shared_ha`` (the rest), ``shapley_ha``; and the same four of land
        within reach of mineral evidence (``evidence_…``). In order of rule id.

    Notes
    -----
    With N the rules and v(S) the land that at least one rule of S excludes, the Shapley
    value of a rule is the sum over its land of area / number of rules that exclude it. It
    does not depend on the order in which rules are taken, and the shares of all rules
    sum to the land removed.

    References
    ----------
    Shapley, L. S. (1953). A value for n-person games. Contributions to the Theory of
    Games II, 307-317. doi:10.1515/9781400881970-018
    """
    # A nation has millions of parcels × sets, but few different sets.
    different = _by_set(sets)
    planes = _planes(different)
    size = np.bitwise_count(planes).sum(axis=0)
    rows = []
    for k in sorted(range(len(rules)), key=lambda k: rules[k].id):
        mine = (planes & _mask([k], len(planes))[:, None]).any(axis=0)
        if not mine.any():
            continue
        row: dict[str, Any] = {"rule": rules[k].id}
        for name, lead in (("cells", ""), ("evidence", "evidence_")):
            area = different[name].to_numpy(float)[mine] * cell_ha
            alone = area[size[mine] == 1].sum()
            row |= {
                f"{lead}removed_ha": area.sum(),
                f"{lead}alone_ha": alone,
                f"{lead}shared_ha": area[size[mine] > 1].sum(),
                f"{lead}shapley_ha": (area / size[mine]).sum(),
            }
        rows.append(row)
    return pd.DataFrame(rows, columns=["rule", *_NUMBERS])


_NUMBERS = tuple(
    f"{lead}{name}_ha"
    for lead in ("", "evidence_")
    for name in ("removed", "alone", "shared", "shapley")
)


def rule_table(sets: pd.DataFrame, rules: Sequence[Blocking], *, cell_ha: float) -> pd.DataFrame:
    """Rules that remove land, with numbers for those of a plan or practice only.

    Those with numbers come first, by the evidence and then the land that only they
    remove. A statute, a regulation or a withdrawal is named with its citation and who
    could act, and has no number (NaN): what it is worth to be without it is not a
    question of this screen.
    """
    table = rule_shares(sets, rules, cell_ha=cell_ha)
    known = {r.id: r for r in rules}
    mine = [known[i] for i in table["rule"]]
    valued = np.array([r.is_valued for r in mine], bool)
    table.insert(1, "title", [r.title for r in mine])
    table.insert(2, "authority", [r.authority for r in mine])
    table.insert(3, "citation", [r.citation for r in mine])
    table.insert(4, "who_can_act", [r.who_can_act for r in mine])
    table.loc[~valued, list(_NUMBERS)] = np.nan
    order = ["evidence_alone_ha", "alone_ha", "shapley_ha"]
    return table.sort_values(
        [*order, "authority", "rule"], ascending=[False, False, False, True, True]
    ).reset_index(drop=True)


def set_table(sets: pd.DataFrame, rules: Sequence[Blocking], *, cell_ha: float) -> pd.DataFrame:
    """Every set of rules that excludes land, the smallest first: one row a set.

    All rules of a set would have to go before the land is free. ``area_ha`` and
    ``evidence_ha`` are given where every rule of it is of a plan or practice.
    """
    different = _by_set(sets)
    rows = _described(different, rules)
    valued = rows["valued"].to_numpy(bool)
    for name, column in (("cells", "area_ha"), ("evidence", "evidence_ha")):
        area = different[name].to_numpy(float) * cell_ha
        rows[column] = np.where(valued, area, np.nan)
    order = ["valued", "rules_n", "area_ha", "rules"]
    rows = rows.sort_values(order, ascending=[False, True, False, True], ignore_index=True)
    return rows.drop(columns="valued")


def parcel_table(
    sets: pd.DataFrame, rules: Sequence[Blocking], parcels: pd.DataFrame, *, cell_ha: float
) -> pd.DataFrame:
    """The smallest set of rules that blocks each parcel: one row a parcel with excluded land.

    Parameters
    ----------
    parcels : DataFrame
        ``parcel_id``, ``agency``, ``name``, ``state``, ``county``.

    Returns
    -------
    DataFrame
        Of several sets of equal size the one that blocks most land, then the first by
        rule id. ``rules`` (the set), ``rules_n``, ``who_can_act``, ``basis``;
        ``excluded_ha`` of the parcel, NaN where a rule that excludes some of it is not of a
        plan or practice: what is left over would be that rule's number; ``freed_ha`` and
        ``evidence_freed_ha``: land that no rule outside the set excludes, NaN where a rule
        of the set is not of a plan or practice. In order of parcel id.
    """
    planes = _planes(sets)
    size = np.bitwise_count(planes).sum(axis=0)
    different = _by_set(sets)
    named = _described(different, rules)
    where = _rows_of(sets, different)
    order = np.lexsort(
        (
            named["rules"].rank(method="dense").to_numpy()[where],
            -sets["cells"],
            size,
            sets["parcel"],
        )
    )
    parcel = sets["parcel"].to_numpy(np.int64)[order]
    first = np.flatnonzero(np.diff(parcel, prepend=-1))
    chosen = order[first]
    # What is free without the chosen set: the parcel's rows whose rules are all of it.
    of = np.cumsum(np.diff(parcel, prepend=-1) != 0) - 1
    inside = ((planes[:, order] & ~planes[:, chosen][:, of]) == 0).all(axis=0)
    cells, evidence = (sets[n].to_numpy(float)[order] for n in ("cells", "evidence"))
    count = len(chosen)
    law = ~named["valued"].to_numpy(bool)[where][order]
    by_law = np.bincount(of, law, minlength=count) > 0
    text = named.iloc[where[chosen]].reset_index(drop=True)
    valued = text.pop("valued").to_numpy(bool)

    def summed(values: NDArray[np.float64], mask: NDArray[np.bool_]) -> NDArray[np.floating[Any]]:
        return np.bincount(of[mask], values[mask], minlength=count) * cell_ha

    land = parcels.set_index("parcel_id").loc[parcel[first], ["agency", "name", "state", "county"]]
    return pd.concat([land.reset_index(names="parcel_id"), text], axis=1).assign(
        excluded_ha=np.where(by_law, np.nan, summed(cells, np.ones(len(order), bool))),
        freed_ha=np.where(valued, summed(cells, inside), np.nan),
        evidence_freed_ha=np.where(valued, summed(evidence, inside), np.nan),
    )


def valued_ha(sets: pd.DataFrame, rules: Sequence[Blocking], *, cell_ha: float) -> float:
    """Land that rules of plans and practice exclude, and no other rule does [ha]."""
    law = _mask([k for k, r in enumerate(rules) if not r.is_valued], len(_keys(sets)))
    free = ~(_planes(sets) & law[:, None]).any(axis=0)
    return float(sets["cells"].to_numpy(float)[free].sum()) * cell_ha


def _described(different: pd.DataFrame, rules: Sequence[Blocking]) -> pd.DataFrame:
    rows = []
    for bits in _planes(different).T.tolist():
        mine = sorted(
            (
                r
                for k, r in enumerate(rules)
                if bits[k // RULES_PER_PLANE] >> k % RULES_PER_PLANE & 1
            ),
            key=lambda r: r.id,
        )
        who = dict.fromkeys(r.who_can_act for r in mine if r.who_can_act)
        rows.append(
            {
                "rules": "; ".join(r.id for r in mine),
                "rules_n": len(mine),
                "basis": "; ".join(sorted({r.authority for r in mine})),
                "who_can_act": "; ".join(who),
                "valued": all(r.is_valued for r in mine),
            }
        )
    return pd.DataFrame(rows, columns=["rules", "rules_n", "basis", "who_can_act", "valued"])


def _by_set(sets: pd.DataFrame) -> pd.DataFrame:
    keys = _keys(sets)
    return sets.groupby(keys, sort=True, as_index=False)[["cells", "evidence"]].sum()


def _rows_of(sets: pd.DataFrame, different: pd.DataFrame) -> NDArray[np.int64]:
    keys = _keys(sets)
    number = different[keys].assign(row=np.arange(len(different)))
    return sets[keys].merge(number, on=keys, how="left")["row"].to_numpy(np.int64)


def _keys(table: pd.DataFrame) -> list[str]:
    # By number, not by name: plane10 does not come before plane2.
    return [f"plane{p}" for p in range(sum(c.startswith("plane") for c in table.columns))]


def _planes(table: pd.DataFrame) -> NDArray[np.uint64]:
    return np.array([table[c].to_numpy(np.uint64) for c in _keys(table)]).reshape(
        len(_keys(table)), len(table)
    )


def _against(rule_sets: pd.DataFrame) -> NDArray[np.uint64]:
    # Of the two bits of a rule the one that speaks against, brought together: (planes, rows).
    planes = _planes(rule_sets)
    out = np.zeros_like(planes)
    for bit in range(RULES_PER_PLANE):
        out |= (planes >> np.uint64(2 * bit) & np.uint64(1)) << np.uint64(bit)
    return out


def _mask(rules: Sequence[int], planes: int) -> NDArray[np.uint64]:
    out = np.zeros(planes, np.uint64)
    for k in rules:
        plane, bit = divmod(k, RULES_PER_PLANE)
        out[plane] |= np.uint64(1) << np.uint64(bit)
    return out
