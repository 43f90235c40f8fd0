"""The evidence surface of a plan: likelihood of a deposit, for all that is asked and one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geosite import prospectivity
from geosite.coarse import Coarse
from geosite.deposits import deposits
from geosite.errors import CoverageError
from geosite.evidence import asked_commodities
from geosite.ground import Surveyed, records, surveyed
from geosite.needs import WATER

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from geosite.grid import Grid
    from geosite.library import Library
    from geosite.model.prospectivity import Prospectivity
    from geosite.sources import FileRecord

FEWEST = 5
"""Accepted deposits of a commodity in the AOI from which on it has a surface of its own."""
FITTED = 3
"""With more commodities than this each has kernels alone: a model each would take minutes."""
COLUMNS = ("likelihood_pct", "likelihood_uncertainty")


@dataclass(frozen=True, slots=True)
class EvidenceSurface:
    """What the known deposits say about land where none is recorded, (y, x) on a coarse grid.

    Attributes
    ----------
    likelihood, uncertainty : float32
        Of a deposit of any asked commodity: 0 to 1, and how sure that is; NaN off land. What
        the uncertainty is stands in the report.
    percentile : float32
        Share of the AOI's land of the same state with a lower likelihood [%]; half of what is
        level counts. States are recorded unevenly, so land is compared within its own.
    commodities : mapping of commodity id to likelihood
        Of each asked commodity with at least `FEWEST` accepted deposits in the AOI; with more
        than `FITTED` of them, by kernels alone.
    report : mapping
        Method, figures and what was left out, as ``run.json`` holds it.
    """

    grid: Grid
    likelihood: NDArray[np.float32]
    uncertainty: NDArray[np.float32]
    percentile: NDArray[np.float32]
    commodities: Mapping[str, NDArray[np.float32]]
    report: Mapping[str, Any]
    files: Mapping[str, tuple[FileRecord, ...]]

    def site_columns(self, shapes: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
        """`COLUMNS` of some sites: medians over their land; NaN where nothing is known."""
        values = (self.percentile, self.uncertainty)
        return {
            c: Coarse(self.grid, v).medians(shapes) for c, v in zip(COLUMNS, values, strict=True)
        }

    @property
    def bands(self) -> dict[str, NDArray[np.float32]]:
        """Surfaces of all asked commodities together, by name, as one raster file holds them."""
        return {
            "likelihood": self.likelihood,
            "uncertainty": self.uncertainty,
            "percentile_within_state": self.percentile,
        }


def evidence_surface(library: Library) -> EvidenceSurface | None:
    """The evidence surface of a plan; None if its scenario asks for none.

    Raises
    ------
    CoverageError
        If no asked record lies in or near the AOI, or the AOI has no land.
    """
    spec = library.plan.scenario.evidence
    if spec is None or spec.surface is None:
        return None
    found = records(library, spec)
    there = surveyed(library, spec.surface)
    refuse_barren(library, found)
    sums = prospectivity.RingSums(there.ground.grid, spec.surface.widths)
    fitted = prospectivity.likelihood(found, there.ground, spec.surface, sums)
    kept = found[found["asked"].astype(bool) & found["accepted"].astype(bool)]
    names = _frequent(library, there, deposits(kept.reset_index(drop=True), spec))
    alone = spec.surface
    if len(names) > FITTED:
        alone = alone.model_copy(update={"least_known": len(found) + 1})
    single = {c: prospectivity.per_commodity(found, there.ground, alone, c, sums) for c in names}
    return EvidenceSurface(
        there.ground.grid,
        fitted.values,
        fitted.uncertainty,
        100 * fitted.rank,
        {c: s.values for c, s in single.items()},
        report(there, spec.surface, fitted.report, found)
        | {"commodities": {c: s.report["method"] for c, s in single.items()}},
        there.files,
    )


def refuse_barren(library: Library, found: pd.DataFrame) -> None:
    """Refuse to work out likelihoods without an asked record.

    Raises
    ------
    CoverageError
    """
    where = library.plan.aoi_name
    if not found["asked"].astype(bool).any():
        msg = (
            f"no record of the asked commodities is left in or near {where} to work out the "
            f"evidence surface from, of {len(found)} records of any; widen the AOI or the "
            "commodities, or shorten the leak distance"
        )
        raise CoverageError(msg)


def _frequent(library: Library, there: Surveyed, merged: pd.DataFrame) -> list[str]:
    asked = asked_commodities(library.plan.scenario.commodities, library.plan.rulebook.commodities)
    inside = Coarse(there.ground.grid, there.ground.land.astype(np.float32)).at(
        merged["x"].to_numpy(float), merged["y"].to_numpy(float)
    )
    count: dict[str, int] = {}
    for named in merged.loc[inside == 1, "commodities"]:
        for c in asked.intersection(named):
            count[c] = count.get(c, 0) + 1
    return sorted(c for c, n in count.items() if n >= FEWEST)


def report(
    there: Surveyed, spec: Prospectivity, fitted: Mapping[str, Any], found: pd.DataFrame
) -> dict[str, Any]:
    """What is said of an evidence surface: how it was made, of what, and what was left out."""
    ground = there.ground
    asked = found["asked"].astype(bool)
    cells = np.bincount(ground.state[ground.land], minlength=len(there.states) + 1)
    return {
        "cell_m": spec.cell,
        "records": {"asked": int(asked.sum()), "other": int((~asked).sum())},
        "land_km2": {
            name: round(float(n) * ground.grid.cell_area / 100, 1)
            for name, n in zip(("", *there.states), cells, strict=True)
            if n
        },
        "land_left_out": [WATER] if there.water else [],
        "covariates": list(there.covariates),
        "layers_missing": list(there.missing),
        "fitted": dict(fitted),
    }
