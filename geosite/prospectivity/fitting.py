"""The logistic model of the known deposits: its features, its fits, its lift on all land."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geosite.prospectivity.independence import signs
from geosite.prospectivity.logistic import Fit, case_weights, fitted
from geosite.prospectivity.strata import EFFORT, Stratum, strata

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from geosite.model.prospectivity import Prospectivity
    from geosite.prospectivity.ground import Ground
    from geosite.prospectivity.rings import RingSums

SATURATION = 5.0
"""A sum counts as log(1 + 5 × sum / mean): the tenth record says less than the first."""
STEEPEST = 3.0
"""Standard deviations at which a covariate no longer grows: no place is beyond all examples."""
LEAST_KNOWN_LAND = 0.05
"""Share of the land on which a covariate must be known to be used."""


@dataclass(frozen=True, slots=True)
class Lifts:
    """Log of the modelled lift of each land cell, mean 1 in its state, and its spread."""

    log_lift: NDArray[np.float32]
    spread: NDArray[np.float32]
    """Standard deviation of the log lift over the bagged fits."""


def modelled(  # noqa: PLR0913 -- what the surface is made of
    records: pd.DataFrame,
    ground: Ground,
    spec: Prospectivity,
    sums: RingSums,
    known: pd.DataFrame,
    of: NDArray[np.bool_] | None,
) -> tuple[Lifts | None, dict[str, Any]]:
    """Lift of the bagged logistic model and its report; None if too little is known."""
    xy = known[["x", "y"]].to_numpy(float) if len(known) else np.empty((0, 2))
    at = ground.cells_of(xy)
    xy, at = xy[at >= 0], at[at >= 0]
    if len(at) < spec.least_known:
        why = f"{len(at)} known deposits on the land, fewer than {spec.least_known}"
        return None, {"deposits_learned_from": 0, "not_fitted": why}
    rng = np.random.default_rng(spec.seed)
    background = _background(ground.states, spec, rng)
    names, columns = _features(records, ground, spec, sums, of)
    mean, scale = _moments(columns, background)
    rows = np.concatenate([background, at])
    x = (np.stack([c[rows] for c in columns], 1).astype(np.float64) - mean) / scale
    deposit = np.r_[np.zeros(len(background), bool), np.ones(len(at), bool)]
    states = ground.states[rows]
    effort = np.array([n.startswith(EFFORT) for n in names])
    weights = case_weights(deposit, states)
    fit = _fit(x, deposit, states, weights, spec.penalty, effort)
    bags = [
        _fit(x, deposit, states, weights * w, spec.penalty, effort).coefficients
        for w in _bag_weights(xy, len(background), spec, rng)
    ]
    lifts = _lifts(columns, ground.states, (np.stack(bags, 1) / scale[:, None]).astype(np.float32))
    told = signs(
        {n: x[:, i] for i, n in enumerate(names)}, deposit, states, case_weights(deposit, states)
    )
    coefficients = {
        n: {"per_sd": round(float(b), 4), "studentised": round(float(t), 2)}
        for n, b, t in zip(names, fit.coefficients, fit.studentised, strict=True)
    }
    return lifts, {
        "deposits_learned_from": len(at),
        "penalty": spec.penalty,
        "bags": spec.bags,
        "coefficients": coefficients,
        **told,
    }


def _background(
    states: NDArray[np.integer], spec: Prospectivity, rng: np.random.Generator
) -> NDArray[np.int64]:
    names = np.unique(states)
    # One state alone has the cells of ten, so that its land is as well known.
    each = max(spec.background, 10 * spec.background // len(names))
    chosen = []
    for name in names:
        mine = np.flatnonzero(states == name)
        chosen.append(rng.choice(mine, min(each, len(mine)), replace=False))
    return np.concatenate(chosen)


def _features(
    records: pd.DataFrame,
    ground: Ground,
    spec: Prospectivity,
    sums: RingSums,
    of: NDArray[np.bool_] | None,
) -> tuple[list[str], list[NDArray[np.float16]]]:
    names, columns = [], []
    for name, values in _all_features(records, ground, spec, sums, of):
        names.append(name)
        # Half precision: a step of 0.008 of a feature, and half the memory of a nation.
        columns.append(values.astype(np.float16))
    return names, columns


def _all_features(
    records: pd.DataFrame,
    ground: Ground,
    spec: Prospectivity,
    sums: RingSums,
    of: NDArray[np.bool_] | None,
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    xy = records[["x", "y"]].to_numpy(float)
    chosen = strata(records, spec)
    if of is not None and of.any():
        chosen.append(Stratum("commodity", of, spec.widths, records["weight"].to_numpy(float)))
    for s in chosen:
        spectrum = sums.spectrum(xy[s.rows], None if s.weights is None else s.weights[s.rows])
        for width in s.widths:
            ring = sums.summed(spectrum, width, spec.leak)[ground.land]
            mean = float(ring.mean(dtype=np.float64))
            if mean > 0:
                yield f"{s.name}_{width / 1000:g}km", np.log1p(SATURATION / mean * ring)
    for name, surface in sorted(ground.covariates.items()):
        values = surface[ground.land].astype(np.float64)
        seen = np.isfinite(values)
        if seen.mean() < LEAST_KNOWN_LAND or values[seen].std() == 0:
            continue
        z = (values - values[seen].mean()) / values[seen].std()
        # Unknown speaks neither for a place nor against it: the mean.
        yield name, np.where(seen, np.clip(z, -STEEPEST, STEEPEST), 0).astype(np.float32)


def _moments(
    columns: list[NDArray[np.float16]], rows: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    found = [c[rows].astype(np.float64) for c in columns]
    spread = np.array([f.std() for f in found])
    return np.array([f.mean() for f in found]), np.where(spread > 0, spread, 1.0)


def _fit(  # noqa: PLR0913, PLR0917 -- a fit is what it is given
    x: NDArray[np.float64],
    deposit: NDArray[np.bool_],
    states: NDArray[np.integer],
    weights: NDArray[np.float64],
    penalty: float,
    effort: NDArray[np.bool_],
) -> Fit:
    used = weights > 0
    on = np.ones(x.shape[1], bool)
    while True:
        part = fitted(x[used][:, on], deposit[used], states[used], weights[used], penalty)
        full, studentised = np.zeros(x.shape[1]), np.zeros(x.shape[1])
        full[on], studentised[on] = part.coefficients, part.studentised
        # That people looked somewhere for gravel must not speak for ore there.
        praised = effort & (full > 0)
        if not praised.any():
            return Fit(full, studentised)
        on &= ~praised


def _bag_weights(
    xy: NDArray[np.float64], background: int, spec: Prospectivity, rng: np.random.Generator
) -> Iterator[NDArray[np.float64]]:
    # Blocks count from the first deposit's, so that a shifted world draws the same.
    cells = np.floor((xy - xy.min(axis=0)) / spec.block).astype(np.int64)
    _, block = np.unique(cells, axis=0, return_inverse=True)
    count = int(block.max()) + 1
    for _ in range(spec.bags):
        drawn = np.bincount(rng.integers(0, count, count), minlength=count)
        yield np.r_[np.ones(background), drawn[block.ravel()].astype(float)]


def _lifts(
    columns: list[NDArray[np.float16]],
    states: NDArray[np.integer],
    coefficients: NDArray[np.float32],
) -> Lifts:
    total = np.zeros((coefficients.shape[1], len(states)), np.float32)
    for column, beta in zip(columns, coefficients, strict=True):
        values = column.astype(np.float32)
        for bag, b in enumerate(beta.tolist()):
            if b:
                total[bag] += np.float32(b) * values
    for state in np.unique(states):
        mine = np.flatnonzero(states == state)
        for row in total:
            part = row[mine]
            top = float(part.max())
            row[mine] = part - (top + np.log(np.mean(np.exp(part - top), dtype=np.float64)))
    return Lifts(total.mean(axis=0), total.std(axis=0))
