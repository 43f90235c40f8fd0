"""The unlock analysis as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from geosite.report.text import plain

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Unlocked:
    """What blocks the excluded land of a run, see `geosite.unlock`.

    Attributes
    ----------
    rules, sets, parcels : DataFrame
        From `unlock.rule_table`, `unlock.set_table` and `unlock.parcel_table`.
    excluded_ha : float
        Offered land that rules of plans and practice exclude and no other rule does;
        sovereign land is not in it.
    notice : str
        What every table of the run says.
    """

    title: str
    aoi: str
    as_of: str
    notice: str
    rules: pd.DataFrame
    sets: pd.DataFrame
    parcels: pd.DataFrame
    excluded_ha: float


_NOTE = (
    "alone: no other rule excludes it. Shapley: land that n rules exclude counts one n-th for "
    "each; the shares of all rules sum to the excluded land."
)


def unlock_text(found: Unlocked, best: int = 10) -> str:
    """What `geosite unlock` prints: rules of plans and practice with numbers, the law by name."""
    rules = found.rules
    valued = rules[rules["removed_ha"].notna()]
    law = rules[rules["removed_ha"].isna()]
    lines = [
        f"{plain(found.title)}, {plain(found.aoi)}, rules as of {found.as_of}",
        (
            "offered land that rules of plans and practice exclude and no other rule does: "
            f"{_ha(found.excluded_ha)}; sovereign land is not in it"
        ),
        "",
        "Rules of a plan or of practice (an agency or a project can change them):",
    ]
    lines += [_valued(row) for _, row in valued.head(best).iterrows()]
    if valued.empty:
        lines.append("  none excludes land here")
    elif len(valued) > best:
        lines.append(f"  and {len(valued) - best} more in unlock_rules.csv")
    lines += ["", "Statutes, regulations and withdrawals that exclude land, without a number:"]
    lines += [_law(row) for _, row in law.iterrows()] or ["  none excludes land here"]
    free = found.parcels[found.parcels["freed_ha"] > 0]
    free = free.sort_values(
        ["evidence_freed_ha", "freed_ha", "parcel_id"], ascending=[False, False, True]
    )
    lines += ["", "Parcels whose smallest set of rules is of plans and practice only:"]
    lines += [_parcel(row) for _, row in free.head(best).iterrows()] or ["  none"]
    if len(free) > best:
        lines.append(f"  and {len(free) - best} more in unlock_parcels.csv")
    lines += [
        "",
        _NOTE,
        plain(found.notice),
    ]
    return "\n".join(lines)


def _valued(row: pd.Series) -> str:
    return (
        f"  {plain(row['rule'])} [{plain(row['authority'])}: {plain(row['citation'])}]\n"
        f"    excludes {_ha(row['removed_ha'])}, alone {_ha(row['alone_ha'])}, Shapley "
        f"{_ha(row['shapley_ha'])}; within reach of mineral evidence alone "
        f"{_ha(row['evidence_alone_ha'])} of {_ha(row['evidence_removed_ha'])}"
        + (f"\n    could act: {plain(row['who_can_act'])}" if row["who_can_act"] else "")
    )


def _law(row: pd.Series) -> str:
    who = plain(row["who_can_act"]) or "not stated in the rulebook"
    return (
        f"  {plain(row['rule'])} [{plain(row['authority'])}: {plain(row['citation'])}]; "
        f"could act: {who}"
    )


def _parcel(row: pd.Series) -> str:
    place = ", ".join(plain(row[c]) for c in ("county", "state") if plain(row[c]))
    # Where a law excludes the rest of the parcel, the whole would tell how much of it.
    known = row["excluded_ha"] == row["excluded_ha"]
    whole = f" of {_ha(row['excluded_ha'])}" if known else ""
    return (
        f"  {plain(row['agency'])} {plain(row['name'])} ({place}): without {plain(row['rules'])} "
        f"{_ha(row['freed_ha'])}{whole} would not be excluded, "
        f"{_ha(row['evidence_freed_ha'])} of it within reach of mineral evidence"
    )


def _ha(area: float) -> str:
    return f"{area:,.0f} ha"
