"""Occurrences that are one deposit, merged by name and place, with the lineage of each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geosite.evidence import PLANT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from geosite.model.scenario import Evidence

LINEAGE_COLUMNS = (
    "deposit",
    "deposit_name",
    "founder",
    "layer",
    "record_id",
    "name",
    "commodities",
    "evidence_class",
    "status",
    "quality",
    "tonnage_t",
    "error_m",
    "x",
    "y",
    "url",
    "note",
)
"""One row a record: which deposit it is part of, and what it says."""
_STATED = (
    "name",
    "status",
    "size",
    "grade",
    "tonnage",
    "production",
    "deposit_type",
    "cited_report",
    "url",
)
"""What a deposit takes from the strongest of its records that states it."""
_GENERIC = re.compile(
    r"\b(?:the|mines?|mining|deposits?|prospects?|claims?|group|occurrences?|property|properties|"
    r"project|projects|shafts?|adits?|pits?|tunnels?|workings?|quarry|lode|lodes|and|"
    r"unnamed|unidentified|unknown|reported|none|no name|n/a|na|or|of|"
    r"locality|localities|locations?|area|sites?)\b"
)
_WHAT_IS_DUG = frozenset(
    [
        "ag",
        "antimony",
        "au",
        "barite",
        "beryl",
        "beryllium",
        "borate",
        "borates",
        "chrome",
        "chromite",
        "chromium",
        "clay",
        "coal",
        "cobalt",
        "copper",
        "cu",
        "diggings",
        "dredge",
        "dredging",
        "earth",
        "earths",
        "fe",
        "feldspar",
        "fluorite",
        "fluorspar",
        "gold",
        "graphite",
        "gravel",
        "hg",
        "iron",
        "lead",
        "limestone",
        "lithium",
        "magnesite",
        "manganese",
        "mercury",
        "mica",
        "mineral",
        "mineralised",
        "mineralized",
        "minerals",
        "mn",
        "mo",
        "molybdenum",
        "monazite",
        "name",
        "nickel",
        "occurrence",
        "ore",
        "pb",
        "phosphate",
        "placer",
        "placers",
        "platinum",
        "potash",
        "quartz",
        "quicksilver",
        "rare",
        "ree",
        "sand",
        "scheelite",
        "silica",
        "silver",
        "surface",
        "tailings",
        "thorium",
        "tin",
        "titanium",
        "tungsten",
        "u",
        "underground",
        "uranium",
        "vanadium",
        "vein",
        "veins",
        "w",
        "zinc",
        "zn",
        "zone",
    ]
)
"""Words that say what is dug or how. With another word they are a name, such as Gold Hill; alone
they are what a record says of a place that nobody named."""
_NUMBER = re.compile(r"\b(?:no|nos|number|nr)\b\s*\d+|#\s*\d+")


def name_key(name: str) -> str:
    """A name as it is compared: no case, brackets, numbers of claims or words that any mine has.

    Empty where nothing is left that tells one place from another.

    Examples
    --------
    >>> name_key("The Boss Mine (Copper King), No. 2"), name_key("BOSS & CO. PROSPECTS")
    ('boss', 'boss co')
    >>> name_key("Unnamed prospect"), name_key("Unknown - Zn, Pb"), name_key("Gold Hill")
    ('', '', 'gold hill')
    """
    text = re.sub(r"\([^)]*\)|\[[^\]]*\]", " ", name.casefold().replace("&", " and "))
    # An apostrophe joins, every other mark parts; a point after an abbreviation goes.
    text = re.sub(r"[.]", " ", re.sub(r"['’]", "", text))
    text = _GENERIC.sub(" ", _NUMBER.sub(" ", text))
    words = re.findall(r"\w+", text)
    return " ".join(words) if any(not w.isdigit() and w not in _WHAT_IS_DUG for w in words) else ""


def deposits(found: pd.DataFrame, spec: Evidence) -> pd.DataFrame:
    """Occurrences that are one deposit, strongest first.

    Parameters
    ----------
    found : DataFrame
        From `occurrences.occurrences`; those that were not asked for, and plants, are no part.

    Returns
    -------
    pandas.DataFrame
        What the strongest record says, and of all of them together ``name`` (of the strongest
        that has one), ``names`` (all that differ), ``commodities``, ``commodities_all``,
        ``accepted``, ``records`` (how many), ``layers``, ``layer_qualities`` (the best of each
        layer, in no order), ``record_ids``, ``rows`` (positions in `found`); ``x``, ``y`` and
        ``error_m`` of the strongest that is accepted, where one is; and ``tonnage_t``, ``size``,
        ``grade``, ``status``, ``production``, ``url`` and ``cited_report`` of the strongest
        record that states them.

    Notes
    -----
    First, records of one name (`name_key`) and a common commodity within
    `Evidence.merge_same_name_within` of the strongest of them are one. Then the strongest takes
    all, of whatever name, that lie within `Evidence.merge_within` of it, each with its own. Both
    are measured from the strongest record alone, so a chain along a belt does not become one
    deposit, and a record that is far away changes nothing.
    """
    part = np.flatnonzero(found["asked"].astype(bool) & (found["evidence_class"] != PLANT))
    here = found.iloc[part]
    owner = _founders(here, spec)
    members: dict[int, list[int]] = {}
    for row, founder in enumerate(owner.tolist()):
        members.setdefault(founder, []).append(row)
    groups = [members[f] for f in sorted(members)]

    def first(column: str) -> list[Any]:
        said = here[column].where(here[column].notna(), "").tolist()
        return [next((said[i] for i in g if said[i] != ""), "") for g in groups]

    def united(values: list[Any], *, each: bool = False) -> pd.Series[Any]:
        told = ({v for i in g for v in (values[i] if each else [values[i]])} for g in groups)
        return pd.Series([tuple(sorted(t - {""})) for t in told], dtype=object)

    accepted, through = here["accepted"].tolist(), here["through_host"].tolist()
    # A gate opens where a record lies that may open it, and not at one of an unsure place.
    at = here.iloc[[next((i for i in g if accepted[i]), g[0]) for g in groups]]
    # Where one of its records names what was asked for, a deposit is evidence in its own right.
    own = {i for g in groups if not all(through[i] for i in g) for i in g}
    hosted = [() if i in own else by for i, by in enumerate(through)]
    of = list(zip(here["layer"], here["quality"], strict=True))
    best = [tuple(dict(sorted((of[i] for i in g), reverse=True)).values()) for g in groups]
    merged = here.iloc[sorted(members)].reset_index(drop=True)
    return merged.drop(columns=["layer", "record_id", "asked"]).assign(
        **{c: at[c].to_numpy() for c in ("x", "y", "error_m")},
        **{c: first(c) for c in _STATED},
        tonnage_t=pd.Series(first("tonnage_t"), dtype=object).replace("", np.nan).astype(float),
        names=united(here["name"].tolist()),
        commodities=united(here["commodities"].tolist(), each=True),
        commodities_all=united(here["commodities_all"].tolist(), each=True),
        host_or_byproduct=united(
            here["host_or_byproduct"].str.split("; ").tolist(), each=True
        ).map("; ".join),
        note=united(here["note"].tolist()).map("; ".join),
        accepted=[any(accepted[i] for i in g) for g in groups],
        through_host=united(hosted, each=True),
        records=[len(g) for g in groups],
        layers=united(here["layer"].tolist()),
        layer_qualities=pd.Series(best, dtype=object),
        record_ids=united(here["record_id"].tolist()),
        rows=pd.Series([tuple(int(part[i]) for i in g) for g in groups], dtype=object),
    )  # fmt: skip


def lineage(found: pd.DataFrame, merged: pd.DataFrame) -> pd.DataFrame:
    """Records of each deposit, one row a record: `LINEAGE_COLUMNS`.

    ``deposit`` counts from 1, strongest first; ``founder`` is the record whose class and quality
    the deposit has, and whose place unless another opens the gate.
    """
    sizes = [len(rows) for rows in merged["rows"]]
    positions = [i for rows in merged["rows"] for i in rows]
    told = found.iloc[positions].reset_index(drop=True)
    number = np.repeat(np.arange(1, len(merged) + 1), sizes)
    return told.assign(
        commodities=[";".join(ids).replace(";", "; ") for ids in told["commodities_all"]],
        deposit=number,
        deposit_name=np.repeat(merged["name"].to_numpy(object), sizes),
        founder=np.r_[True, np.diff(number) > 0][: len(told)],
    )[list(LINEAGE_COLUMNS)]


def _founders(here: pd.DataFrame, spec: Evidence) -> NDArray[np.int64]:
    """Of each record the one that it belongs to, (n,): the strongest of its deposit."""
    xy = here[["x", "y"]].to_numpy(float).reshape(-1, 2)
    keyed = {name: name_key(name) for name in here["name"].unique()}
    keys = [keyed[name] for name in here["name"]]
    known = [frozenset(ids) for ids in here["commodities_all"]]
    owner = np.arange(len(here), dtype=np.int64)
    named: dict[str, list[int]] = {}
    for row, key in enumerate(keys):
        if key:
            named.setdefault(key, []).append(row)
    for rows in named.values():
        if len(rows) > 1:
            at = np.array(rows)
            of = [known[i] for i in rows]
            owner[at] = at[_taken(xy[at], spec.merge_same_name_within, of)]
    heads = np.unique(owner)
    taken = _taken(xy[heads], spec.merge_within)
    return heads[taken[np.searchsorted(heads, owner)]]


def _taken(
    xy: NDArray[np.float64], within: float, known: Sequence[frozenset[str]] | None = None
) -> NDArray[np.int64]:
    """Of each place the first that takes it, (n,): in order, each takes what is near and free.

    Given what is `known` of each, it takes only such as have something in common with it.
    """
    owner = np.full(len(xy), -1, np.int64)
    for i, neighbours in enumerate(_near(xy, within)):
        if owner[i] < 0:
            free = [
                j for j in neighbours if owner[j] < 0 and (known is None or known[i] & known[j])
            ]
            owner[[i, *free]] = i
    return owner


def _near(xy: NDArray[np.float64], within: float) -> Iterator[list[int]]:
    from scipy.spatial import cKDTree  # noqa: PLC0415 -- slow to import

    if len(xy):
        yield from cKDTree(xy).query_ball_point(xy, within, return_sorted=True)
