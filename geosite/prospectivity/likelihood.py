"""Likelihood of a deposit: a logistic model beside weighted kernels, within each state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geosite.prospectivity.fitting import Lifts, modelled
from geosite.prospectivity.ground import Ground, ranks_within
from geosite.prospectivity.rings import RingSums
from geosite.prospectivity.strata import known_deposits

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from geosite.model.prospectivity import Prospectivity

PLAIN_WIDTHS = (5000.0, 10_000.0, 20_000.0)
"""Kernels of the plain sum [m]."""
KERNEL_FLOOR = 0.05
"""Share of the mean that every cell has: no record near is no proof that there is nothing."""


UNFITTED = 2.0
"""Standard deviation of the log lift where nothing was fitted, by judgement: e² up or down."""


@dataclass(frozen=True, slots=True)
class Likelihood:
    """How likely a deposit is, against the other land of the same state.

    Parameters
    ----------
    values : (y, x) float32
        L / (1 + L), where the lift L is the density of deposits over that of the
        state's land: 0.5 is ordinary land, 0.9 nine times as good. NaN off the land.
    uncertainty : (y, x) float32
        One standard deviation of `values`: of fits to deposits drawn anew by block,
        with the disagreement of model and kernels. NaN off the land.
    ground : Ground
        The land of the surfaces.
    report : mapping
        Method, figures and coefficients, ready for JSON.
    """

    values: NDArray[np.float32]
    uncertainty: NDArray[np.float32]
    ground: Ground
    report: Mapping[str, Any]

    @property
    def rank(self) -> NDArray[np.float32]:
        """Share of the state's land that each cell is better than, (y, x); NaN off the land."""
        ground = self.ground
        return ground.surface(ranks_within(self.values[ground.land], ground.states))


def likelihood(
    records: pd.DataFrame, ground: Ground, spec: Prospectivity, sums: RingSums | None = None
) -> Likelihood:
    """What the known deposits say about land where none is recorded.

    Every place is judged by the records farther than ``spec.leak`` away, so that what
    is recorded at the place flatters neither the place nor a back-test.

    Parameters
    ----------
    records : pandas.DataFrame
        Occurrences of all commodities, with a boolean ``asked``; the others only tell
        where people looked.
    ground : Ground
    spec : Prospectivity
    sums : RingSums, optional
        Of the ground's grid and the spec's widths: several surfaces share its kernels.

    Notes
    -----
    Two lifts are averaged as logarithms, ``spec.kernel_share`` of the first.

    Kernels: the sum over all widths but the widest of the weighted ring density, over
    its mean on the state's land.

    Model: ridge logistic regression of the known deposits against the land of their own
    state, on ring sums of kinds of evidence, layers, families of commodities and
    recording effort, log(1 + 5 x / mean), and on covariates, over bags of blocks.
    Effort may speak against a place, never for it.
    """
    sums = sums or RingSums(ground.grid, spec.widths)
    return _likelihood(records, ground, spec, sums, known_deposits(records, spec), None)


def per_commodity(
    records: pd.DataFrame,
    ground: Ground,
    spec: Prospectivity,
    commodity: str,
    sums: RingSums | None = None,
) -> Likelihood:
    """Likelihood of one commodity: its deposits are learned from, its records are the kernels.

    With fewer than ``spec.least_known`` deposits of it, the kernels speak alone. The other
    parameters are those of `likelihood`.
    """
    of = np.array([commodity in ids for ids in records["commodities"]], bool)
    sums = sums or RingSums(ground.grid, spec.widths)
    known = known_deposits(records[of], spec)
    return _likelihood(records, ground, spec, sums, known, of)


def plain_sum(
    records: pd.DataFrame, ground: Ground, *, weighted: bool = False
) -> NDArray[np.float32]:
    """Sum of three kernels over the asked records of all sources, (y, x), NaN off the land.

    What a back-test has to beat: no hole, no correction, and every record counts 1, or
    its weight (class × quality) where that is asked.
    """
    asked = records[records["asked"].to_numpy(bool)]
    sums = RingSums(ground.grid, PLAIN_WIDTHS)
    weights = asked["weight"].to_numpy(float) if weighted else None
    spectrum = sums.spectrum(asked[["x", "y"]].to_numpy(float), weights)
    total = np.zeros(ground.grid.shape, np.float32)
    for width in PLAIN_WIDTHS:
        total += sums.summed(spectrum, width, 0.0) / np.float32((width / 1000) ** 2)
    return ground.surface(total[ground.land])


def _likelihood(
    records: pd.DataFrame,
    ground: Ground,
    spec: Prospectivity,
    sums: RingSums,
    known: pd.DataFrame,
    of: NDArray[np.bool_] | None,
) -> Likelihood:
    asked = records["asked"].to_numpy(bool)
    kernels = _kernel_lift(records[asked if of is None else of], ground, spec, sums)
    model, report = modelled(records, ground, spec, sums, known, of)
    if model is None:
        values = _share(kernels)
        spread = values * (1 - values) * np.float32(UNFITTED)
        method = "weighted kernels"
    else:
        values, spread = _blended(kernels, model, ground.states, spec.kernel_share)
        method = "logistic model beside weighted kernels"
    return Likelihood(
        ground.surface(values),
        ground.surface(spread),
        ground,
        {
            "method": method,
            "records": len(records),
            "asked_records": int(asked.sum()),
            "known_deposits": len(known),
            "leak_m": spec.leak,
            "kernel_share": spec.kernel_share if model else 1.0,
            **report,
        },
    )


def _kernel_lift(
    records: pd.DataFrame, ground: Ground, spec: Prospectivity, sums: RingSums
) -> NDArray[np.float32]:
    spectrum = sums.spectrum(records[["x", "y"]].to_numpy(float), records["weight"].to_numpy(float))
    total = np.zeros(int(ground.land.sum()), np.float32)
    # The widest kernel is the model's: alone it would say only which region it is.
    for width in spec.widths[: max(1, len(spec.widths) - 1)]:
        ring = sums.summed(spectrum, width, spec.leak)[ground.land]
        total += ring / np.float32((width / 1000) ** 2)
    return over_mean(total, ground.states, KERNEL_FLOOR)


def over_mean(
    values: NDArray[np.float32], states: NDArray[np.integer], floor: float
) -> NDArray[np.float32]:
    """Values over the mean of the state's land, mixed with a floor; 1 where all is zero.

    Examples
    --------
    >>> over_mean(np.array([0.0, 4.0, 0.0]), np.array([1, 1, 2]), 0.0).tolist()
    [0.0, 2.0, 1.0]
    """
    out = np.ones(len(values), np.float32)
    for state in np.unique(states):
        mine = states == state
        mean = float(values[mine].mean(dtype=np.float64))
        if mean > 0:
            out[mine] = (values[mine] / mean + floor) / (1 + floor)
    return out


def _share(lift: NDArray[np.floating]) -> NDArray[np.float32]:
    return (lift / (1 + lift)).astype(np.float32)


def _blended(
    kernels: NDArray[np.float32], model: Lifts, states: NDArray[np.integer], share: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    log_lift = share * np.log(kernels) + (1 - share) * model.log_lift
    lift = over_mean(np.exp(log_lift).astype(np.float32), states, 0.0)
    values = _share(lift)
    # Standard deviation of two opinions that weigh as they do in the answer.
    apart = np.sqrt(share * (1 - share)) * np.abs(np.log(kernels) - model.log_lift)
    # From the log lift to the share: d(L / (1 + L)) = L / (1 + L)² d(log L).
    spread = values * (1 - values) * np.hypot((1 - share) * model.spread, apart)
    return values, spread.astype(np.float32)
