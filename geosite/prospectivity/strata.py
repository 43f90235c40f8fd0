"""Records by what they are worth: kinds of evidence, families of commodities, recording effort."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geosite.errors import LayerDataError
from geosite.evidence import PLANT

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from geosite.model.prospectivity import Prospectivity

STRONG = 0.3
"""Weight (class × quality) from which a record is strong evidence: a fair past producer's."""
LEAST_OF_A_SOURCE = 100
"""Asked records from which a layer is a stratum of its own."""
EFFORT = "effort"
"""Stratum of the records that are not asked: they tell where people looked, and no more."""
WEIGHTED = "weighted"
"""Stratum of all asked records by weight."""
NEEDED = ("name", "commodities", "evidence_class", "quality", "x", "y", "weight", "asked")


@dataclass(frozen=True, slots=True)
class Stratum:
    """Records that are summed together, at some widths [m]."""

    name: str
    rows: NDArray[np.bool_]
    widths: tuple[float, ...]
    weights: NDArray[np.float64] | None = None
    """None: each record counts 1."""


def strata(records: pd.DataFrame, spec: Prospectivity) -> list[Stratum]:
    """Strata of an occurrence table, those without a record left out.

    Kinds of evidence and large layers are summed at every width, families of
    commodities at the second and the last.
    """
    _check(records)
    asked = records["asked"].to_numpy(bool)
    weight = records["weight"].to_numpy(float)
    unclassed = (records["evidence_class"] == "unknown").to_numpy()
    quality = records["quality"]
    strong = weight >= STRONG
    kinds = {
        "strong": asked & strong,
        "weak": asked & ~strong & ~unclassed,
        "unclassed_good": asked & ~strong & unclassed & quality.isin(["A", "B"]).to_numpy(),
        "unclassed_fair": asked & ~strong & unclassed & (quality == "C").to_numpy(),
        "unclassed_poor": asked & ~strong & unclassed & quality.isin(["D", "E"]).to_numpy(),
        # Plants are industry: the surface reads none, not even as a sign of where people looked.
        EFFORT: ~asked & (records["evidence_class"] != PLANT).to_numpy(),
    }
    out = [Stratum(name, rows, spec.widths) for name, rows in kinds.items()]
    out.append(Stratum(WEIGHTED, asked, spec.widths, weight))
    sources = sorted(records["layer"].unique()) if "layer" in records else []
    for source in sources:
        rows = asked & (records["layer"] == source).to_numpy()
        # A source of few records tells more of its making than of the ground.
        if rows.sum() >= LEAST_OF_A_SOURCE:
            out.append(Stratum(f"layer_{source}", rows, spec.widths))
    two = tuple(dict.fromkeys((spec.widths[min(1, len(spec.widths) - 1)], spec.widths[-1])))
    code, sets = _coded(records)
    for family, members in spec.families.items():
        of = np.array([not s.isdisjoint(members) for s in sets], bool)[code]
        out.append(Stratum(f"family_{family}", asked & of, two, weight))
    return [s for s in out if s.rows.any()]


def known_deposits(records: pd.DataFrame, spec: Prospectivity) -> pd.DataFrame:
    """Named asked records of a known class, those of one deposit once, the best first."""
    _check(records)
    known = records["asked"] & records["evidence_class"].isin(spec.known_classes)
    found = records[known & (records["name"].str.strip() != "")]
    found = found.sort_values(
        ["weight", "name", "y", "x"], ascending=[False, True, False, True], kind="stable"
    ).reset_index(drop=True)
    if found.empty:
        return found
    taken = np.zeros(len(found), bool)
    first = np.zeros(len(found), bool)
    tree = _tree(found[["x", "y"]].to_numpy(float))
    near = tree.query_ball_point(tree.data, spec.merge_within, return_sorted=True)
    for row, neighbours in enumerate(near):
        if not taken[row]:
            first[row] = True
            taken[neighbours] = True
    return found[first].reset_index(drop=True)


def removed_near(records: pd.DataFrame, xy: NDArray[np.float64], distance: float) -> pd.DataFrame:
    """Records that lie farther than `distance` [m] from every point, for a back-test.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"x": [0.0, 3000.0, 9000.0], "y": [0.0, 0.0, 0.0]})
    >>> removed_near(table, np.array([[0.0, 0.0]]), 5000.0)["x"].tolist()
    [9000.0]
    """
    if not len(xy) or records.empty:
        return records
    gap, _ = _tree(xy).query(records[["x", "y"]].to_numpy(float))
    left: pd.DataFrame = records[gap > distance].reset_index(drop=True)
    return left


def _coded(records: pd.DataFrame) -> tuple[NDArray[np.int64], list[frozenset[str]]]:
    # Records name a few thousand combinations: each is looked at once.
    codes: dict[tuple[str, ...], int] = {}
    code = [codes.setdefault(tuple(ids), len(codes)) for ids in records["commodities"]]
    return np.array(code, np.int64), [frozenset(ids) for ids in codes]


def _tree(xy: NDArray[np.float64]) -> Any:
    from scipy.spatial import cKDTree  # noqa: PLC0415 -- slow to import

    return cKDTree(xy)


def _check(records: pd.DataFrame) -> None:
    missing = [c for c in NEEDED if c not in records]
    if missing:
        msg = (
            f"occurrence table without {', '.join(missing)}: the evidence surface needs "
            f"{', '.join(NEEDED)}; make it with geosite.evidence.occurrences and say which "
            "records are asked"
        )
        raise LayerDataError(msg)
