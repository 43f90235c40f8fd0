"""How much land each rule removes, alone and with others, in no particular order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geosite.constraints import RULES_PER_PLANE, is_hard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from geosite.model.rule import Rule, Treatment


def removal(
    rule_sets: pd.DataFrame,
    rules: Sequence[Rule],
    treatments: Sequence[Treatment],
    offered: NDArray[np.bool_],
    *,
    cell_ha: float,
    lifts: Mapping[int, frozenset[int]] | None = None,
) -> pd.DataFrame:
    """Land that each hard rule speaks against: one row a rule, in order of rule id.

    Parameters
    ----------
    rule_sets : DataFrame
        From `pieces.rule_set_table`: parcel × set of rules → cells, evidence.
    offered : (parcels + 1,) bool
        Parcels that may hold candidates.
    lifts : mapping of rule to rules, optional
        As of `constraints.answer`: on land where a rule is lifted it removes nothing.

    Returns
    -------
    DataFrame
        ``rule``; ``removed_ha`` (offered land the rule speaks against, whatever the
        others say), ``alone_ha`` (land that no other rule speaks against),
        ``evidence_removed_ha``, ``evidence_alone_ha`` (the same, within reach of
        accepted evidence), ``all_land_ha`` (of every owner in the register).
    """
    spoken = _standing(rule_sets, treatments, lifts or {})
    may = offered[rule_sets["parcel"].to_numpy(np.int64)]
    area = rule_sets["cells"].to_numpy(float) * cell_ha
    evidence = rule_sets["evidence"].to_numpy(float) * cell_ha
    rows = []
    for k, (rule, treatment) in enumerate(zip(rules, treatments, strict=True)):
        if not is_hard(treatment):
            continue
        mine = _bits([k], rule_sets)
        here = np.any([(s & m) != 0 for s, m in zip(spoken, mine, strict=True)], axis=0)
        only = here & np.all([(s & ~m) == 0 for s, m in zip(spoken, mine, strict=True)], axis=0)
        rows.append(
            {
                "rule": rule.id,
                "removed_ha": area[here & may].sum(),
                "alone_ha": area[only & may].sum(),
                "evidence_removed_ha": evidence[here & may].sum(),
                "evidence_alone_ha": evidence[only & may].sum(),
                "all_land_ha": area[here].sum(),
            }
        )
    columns = [
        "rule",
        "removed_ha",
        "alone_ha",
        "evidence_removed_ha",
        "evidence_alone_ha",
        "all_land_ha",
    ]
    return pd.DataFrame(rows, columns=columns)


def excluded_ha(
    rule_sets: pd.DataFrame,
    treatments: Sequence[Treatment],
    offered: NDArray[np.bool_],
    *,
    cell_ha: float,
    lifts: Mapping[int, frozenset[int]] | None = None,
) -> float:
    """Offered land that at least one hard rule excludes and none lifts [ha]."""
    spoken = _standing(rule_sets, treatments, lifts or {})
    out = np.any([s != 0 for s in spoken], axis=0)
    out &= offered[rule_sets["parcel"].to_numpy(np.int64)]
    return float(rule_sets["cells"].to_numpy(float)[out].sum() * cell_ha)


def no_land(
    rule_sets: pd.DataFrame,
    removed: pd.DataFrame,
    offered: NDArray[np.bool_],
    excluded: float,
    *,
    cell_ha: float,
) -> list[str]:
    """Lines that say which rules leave no offered land, each by itself or all together.

    Parameters
    ----------
    removed : DataFrame
        From `removal`.
    excluded : float
        From `excluded_ha` [ha].
    """
    may = offered[rule_sets["parcel"].to_numpy(np.int64)]
    all_of_it = int(rule_sets["cells"].to_numpy(np.int64)[may].sum())
    if all_of_it == 0:
        return []
    # Areas are whole numbers of cells, so half a cell is what separates all from nearly all.
    enough = (all_of_it - 0.5) * cell_ha
    alone = removed.loc[removed["removed_ha"] >= enough, "rule"]
    if len(alone):
        return [f"rule {id_} excludes all offered land by itself" for id_ in alone]
    if excluded >= enough:
        return ["no rule alone, but together the rules leave no land"]
    return []


def _standing(
    rule_sets: pd.DataFrame, treatments: Sequence[Treatment], lifts: Mapping[int, frozenset[int]]
) -> list[NDArray[np.uint64]]:
    # Bits of the hard rules that speak against and are not lifted, of each set of rules.
    spoken = _planes(rule_sets)
    hard = _bits([k for k, t in enumerate(treatments) if is_hard(t)], rule_sets)
    standing = [s & m for s, m in zip(spoken, hard, strict=True)]
    for by in sorted(lifts):
        if treatments[by].tier != "include":
            continue
        case, freed = _bits([by], rule_sets), _bits(sorted(lifts[by]), rule_sets)
        here = np.any([(s & m) != 0 for s, m in zip(spoken, case, strict=True)], axis=0)
        for plane, mask in zip(standing, freed, strict=True):
            plane[here] &= ~mask
    return standing


def _planes(rule_sets: pd.DataFrame) -> list[NDArray[np.uint64]]:
    # By number, not by name: plane10 does not come before plane2.
    count = sum(c.startswith("plane") for c in rule_sets.columns)
    return [rule_sets[f"plane{p}"].to_numpy(np.uint64) for p in range(count)]


def _bits(rules: Sequence[int], rule_sets: pd.DataFrame) -> list[np.uint64]:
    masks = [np.uint64(0) for c in rule_sets.columns if c.startswith("plane")]
    for k in rules:
        plane, bit = divmod(k, RULES_PER_PLANE)
        masks[plane] |= np.uint64(1) << np.uint64(2 * bit)
    return masks
