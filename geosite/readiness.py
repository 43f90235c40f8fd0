"""Permit readiness of sites, and the axes that stand beside suitability.

Nothing here enters suitability, and no months are summed: steps run side by side or one
after another as the agencies decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geosite.model.supply import supply_impact
from geosite.permitting import Law, Site, Way, ground, ids_of, named, pathways, triggered, ways

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geosite.model.rule import Rule, Treatment

MEAN_MONTHS = 24.0
"""About two years: the mean of the 68 plans of GAO-16-165 [months]."""
LEAST = 4
"""Federal permits and consultations that no mine or plant is without: leave to use the land,
the environmental review, section 106, and the Tribes."""
_TOUCHING = ("rules_avoid", "rules_mitigate", "rules_flag", "rules_include")
_DOUBTFUL = ("rules_unknown", "rules_not_examined", "rules_possible")
_APART = {
    "permits_state": "state",
    "permits_water": "water",
    "permits_power": "power",
    "litigation": "litigation",
}


def columns(
    table: pd.DataFrame,
    summed: pd.DataFrame,
    rules: Sequence[Rule],
    treatments: Sequence[Treatment],
    law: Law,
) -> pd.DataFrame:
    """Permits, pathways and axes of each site: indexed as `table`.

    Parameters
    ----------
    table : DataFrame
        Sites with ``agency``, ``commodities`` and the rules that touch them; ``land_origin``
        and ``evidence_class`` where they are known.
    summed : DataFrame
        Sums over the cells of each site, in the same order, see `pieces.piece_table`.

    Notes
    -----
    ``readiness`` counts what is possible as if it were asked and rests on the quickest open
    pathway whose months were observed; ``readiness_high`` counts what is certain alone, and takes
    the months that an agency only stated as well (``readiness_rests_on`` and
    ``readiness_high_rests_on`` name the pathways). Likewise
    ``environmental_conflict`` counts cells that are known to be touched and ``…_high`` those
    besides of which a rule cannot tell, and ``supply_impact`` is the least that the published
    figures allow and ``…_high`` the most. NaN is unknown.
    """
    triggers = {r.id: r.permits for r in rules}
    sites = _sites(table)
    # Thousands of sites share a few dozen kinds of land and minerals.
    lies = lru_cache(maxsize=None)(lambda *of: ground(Site(*of), law))
    told = lru_cache(maxsize=None)(lambda rules: named(rules, triggers))
    asked = lru_cache(maxsize=None)(lambda sure, doubt, *of: triggered(lies(*of), sure, doubt))
    open_to = lru_cache(maxsize=None)(lambda *of: ways(Site(*of), law))
    wanted = [
        asked(told(s.touching), told(s.doubtful), s.agency, s.commodities, s.origin) for s in sites
    ]
    roads = [open_to(s.agency, s.commodities, s.origin) for s in sites]
    measured = [_quickest(w, ("observed",)) for w in roads]
    any_way = [_quickest(w, ("observed", "stated")) for w in roads]
    out: dict[str, Any] = {
        "permits": [ids_of(n.certain, "federal", consultations=False) for n in wanted],
        "consultations": [ids_of(n.certain, "federal", consultations=True) for n in wanted],
        "permits_n": np.array([n.least for n in wanted], np.int64),
        "permits_possible": ["; ".join(p.id for p in n.possible) for n in wanted],
        "permits_possible_n": np.array([len(n.possible) for n in wanted], np.int64),
        **{c: [ids_of(n.certain, track) for n in wanted] for c, track in _APART.items()},
        "pathways": ["; ".join(w.said for w in found if w.open) for found in roads],
        "pathways_not_open": ["; ".join(w.said for w in found if not w.open) for found in roads],
    }
    for k, pathway in enumerate(pathways(law)):
        for part in ("low", "likely", "high"):
            out[f"{column_of(pathway.id)}_months_{part}"] = np.array(
                [w[k].months(part) for w in roads], float
            )
    most = np.array([n.most for n in wanted], float)
    least = np.array([n.least for n in wanted], float)
    out["readiness"] = readiness(np.array([t for _, t in measured], float), most)
    out["readiness_high"] = readiness(np.array([t for _, t in any_way], float), least)
    out["readiness_rests_on"] = [name for name, _ in measured]
    out["readiness_high_rests_on"] = [name for name, _ in any_way]
    names = [frozenset(s.touching) for s in sites]
    out |= _conflicts(summed, rules, treatments, names)
    out |= _supplies(table, sites, law)
    out["readiness_front"] = pareto(out["readiness"], out["supply_impact"])
    return pd.DataFrame(out, index=table.index)


def column_of(pathway: str) -> str:
    """What the columns of a pathway begin with.

    Examples
    --------
    >>> column_of("fast41-plant")
    'pathway_fast41_plant'
    """
    return f"pathway_{pathway.replace('-', '_')}"


def readiness(months: NDArray[np.float64], permits: NDArray[np.float64]) -> NDArray[np.float64]:
    r"""Readiness of sites, (n,) 0–1, the nearer to 1 the sooner; NaN where no duration is known.

    Parameters
    ----------
    months : (n,)
        Likely months of the quickest open pathway.
    permits : (n,)
        Federal permits and consultations that are triggered.

    Notes
    -----
    :math:`\frac{24}{24 + t} \cdot \frac{4}{\max(4, n)}`: half for a pathway as long as the mean
    of GAO-16-165, and half again where twice the permits are triggered that no site is without.
    It orders sites; it is no probability and no date. State, water, power and litigation do not
    enter it.

    Examples
    --------
    >>> readiness(np.array([24.0, 24.0, np.nan]), np.array([4.0, 8.0, 4.0])).tolist()
    [0.5, 0.25, nan]
    """
    found: NDArray[np.float64] = (
        MEAN_MONTHS / (MEAN_MONTHS + months) * LEAST / np.maximum(LEAST, permits)
    )
    return found


def conflict(factors: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    r"""Environmental conflict of sites, (n,) 0–1: :math:`1 - \prod_r (1 - (1 - f_r) s_r)`.

    Parameters
    ----------
    factors : (rules,)
        What suitability is multiplied by on land that rule r touches.
    shares : (rules, n)
        Share of each site's cells that rule r touches.

    Examples
    --------
    >>> conflict(np.array([0.5, 0.8]), np.array([[1.0, 0.0], [0.0, 0.0]])).tolist()
    [0.5, 0.0]
    """
    kept: NDArray[np.float64] = np.prod(1.0 - (1.0 - factors[:, None]) * shares, axis=0)
    return 1.0 - kept


def pareto(one: NDArray[np.float64], two: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Sites that no other beats in both, (n,): at least as good in each and better in one.

    Sites that are equal in both stand or fall together; NaN in either is not on the front.

    Examples
    --------
    >>> pareto(np.array([1.0, 0.5, 0.5, 0.2]), np.array([0.1, 0.9, 0.9, 0.8])).tolist()
    [True, True, True, False]
    """
    front = np.zeros(len(one), bool)
    known = np.flatnonzero(~(np.isnan(one) | np.isnan(two)))
    order = known[np.lexsort((-two[known], -one[known]))]
    if not len(order):
        return front
    x, y = one[order], two[order]
    # The best of the second among all that are better in the first, and among equals in it.
    first = np.searchsorted(-x, -x, side="left")
    best = np.maximum.accumulate(y)
    before = np.where(first > 0, best[first - 1], -np.inf)
    front[order] = (y > before) & (y == y[first])
    return front


def _quickest(found: Sequence[Way], bases: tuple[str, ...]) -> tuple[str, float]:
    # Name and likely months; of two that are as quick, the first of the table.
    known = [w for w in found if w.open and w.pathway.months and w.pathway.basis in bases]
    ways = [(w.pathway.id, w.months("likely")) for w in known]
    return min(ways, key=lambda way: way[1]) if ways else ("", float("nan"))


# ── the axes from the tables ────────────────────────────────────────────────────────────────


def _sites(table: pd.DataFrame) -> list[Site]:
    def texts(name: str) -> list[str]:
        return [str(v) for v in table[name].fillna("")] if name in table else [""] * len(table)

    def lists(names: Sequence[str]) -> list[tuple[str, ...]]:
        found = [texts(n) for n in names]
        rows = zip(*found, strict=True)
        return [tuple(sorted({i for t in row for i in t.split("; ") if i})) for row in rows]

    minerals = [tuple(filter(None, t.split("; "))) for t in texts("commodities")]
    rows = zip(
        texts("agency"), minerals, texts("land_origin"), lists(_TOUCHING), lists(_DOUBTFUL),
        strict=True,
    )  # fmt: skip
    return [Site(*row) for row in rows]


def _conflicts(
    summed: pd.DataFrame,
    rules: Sequence[Rule],
    treatments: Sequence[Treatment],
    touching: Sequence[frozenset[str]],
) -> dict[str, NDArray[np.float64]]:
    soft = [(r, t.factor) for r, t in enumerate(treatments) if t.tier in ("avoid", "mitigate")]
    factors = np.array([f for _, f in soft], float)
    cells = summed["cells"].to_numpy(float)
    shape = (len(soft), len(summed))
    against = np.array([summed[f"against{r}"] for r, _ in soft], float).reshape(shape)
    unsure = np.array([summed[f"unsure{r}"] for r, _ in soft], float).reshape(shape)
    # A site that is known to be other land than the rule speaks of is not told of it.
    told = np.array([[rules[r].id in names for names in touching] for r, _ in soft], bool)
    against = np.where(told.reshape(shape), against, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "environmental_conflict": conflict(factors, against / cells),
            "environmental_conflict_high": conflict(
                factors, np.minimum(against + unsure, cells) / cells
            ),
        }


def _supplies(table: pd.DataFrame, sites: Sequence[Site], law: Law) -> dict[str, Any]:
    weights = law.class_weights or {}
    told = table.reindex(columns=["evidence_class", "through_host"]).astype("object")
    told = told.where(told.notna(), "").astype(str)
    classes, hosted = told["evidence_class"], told["through_host"]
    impacts = {
        c.id: supply_impact(c.import_reliance, c.main_supplier) for c in law.commodities.commodities
    }
    rows = [
        supply(
            tuple(filter(None, through.split("; "))) or s.commodities,
            impacts,
            float(weights.get(c, np.nan)) * (law.through_host if through else 1.0),
        )
        for s, c, through in zip(sites, classes, hosted, strict=True)
    ]
    low, high, lacking = zip(*rows, strict=True) if rows else ((), (), ())
    return {
        "supply_impact": np.array(low, float),
        "supply_impact_high": np.array(high, float),
        "supply_unknown": list(lacking),
    }


def supply(
    commodities: Sequence[str], impacts: Mapping[str, tuple[float, float] | None], weight: float
) -> tuple[float, float, str]:
    """Supply impact at least and at most, 0–1, and commodities without a figure.

    The largest impact of the site's commodities (`model.supply.supply_impact`) × the weight of
    its evidence class; of a site that is asked for as a host, the impact of the by-products ×
    `Evidence.through_host`. NaN where no commodity has a figure, or the evidence no weight:
    unknown, not zero.
    """
    lacking = "; ".join(c for c in commodities if impacts.get(c) is None)
    known = [f for c in commodities if (f := impacts.get(c)) is not None]
    if not known or np.isnan(weight):
        return float("nan"), float("nan"), lacking
    most = 1.0 if lacking else max(high for _, high in known)
    return max(low for low, _ in known) * weight, most * weight, lacking
