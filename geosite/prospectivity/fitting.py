"""The logistic model of the known deposits: its features, its fits, its lift on all land."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from geosite.prospectivity.independence import signs
from geosite.prospectivity.logistic import Cases, Fit, case_weights, fitted, refitted
from geosite.prospectivity.strata import EFFORT, WEIGHTED, Stratum, strata

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
CHUNK = 200_000
"""Land cells whose features are brought to single precision at a time."""
LEAST_KNOWN_LAND = 0.05
"""Share of the land on which a covariate must be known to be used."""


@dataclass(frozen=True, slots=True)
class Lifts:
    """Log of the modelled lift of each land cell, mean 1 in its state, and its spread."""

    log_lift: NDArray[np.float32]
    spread: NDArray[np.float32]
    """Standard deviation of the log lift over the bagged fits."""


def modelled(
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
    cases = Cases(x, deposit, states, case_weights(deposit, states)).weighty
    fit, on = _fit(cases, spec.penalty, effort)
    part = cases.told_by(on)
    bags = np.zeros((spec.bags, len(names)))
    for bag, drawn in zip(bags, _drawn(xy, spec, rng), strict=True):
        weights = part.weights.copy()
        weights[part.deposit] *= drawn
        bag[on] = refitted(fit, replace(part, weights=weights), spec.penalty)
        bag[effort] = np.minimum(bag[effort], 0)
    lifts = _lifts(columns, ground.states, (bags / scale).astype(np.float32))
    told = signs(names, cases, _single(names, spec))
    shown = np.zeros((2, len(names)))
    shown[:, on] = fit.coefficients, fit.studentised
    coefficients = {
        n: {"per_sd": round(float(b), 4), "studentised": round(float(t), 2)}
        for n, b, t in zip(names, shown[0], shown[1], strict=True)
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
    # One state alone has the cells of four, so that its land is as well known.
    each = max(spec.background, 4 * spec.background // len(names))
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


def _single(names: list[str], spec: Prospectivity) -> frozenset[str]:
    # One width of each kind of evidence: the signs that do not sum the same records.
    width = spec.widths[min(1, len(spec.widths) - 1)]
    kinds = {
        n
        for n in names
        if n.endswith(f"_{width / 1000:g}km") and not n.startswith(("family_", "layer_"))
    }
    return frozenset(kinds - {n for n in kinds if n.startswith((EFFORT, WEIGHTED))})


def _fit(cases: Cases, penalty: float, effort: NDArray[np.bool_]) -> tuple[Fit, NDArray[np.bool_]]:
    on = np.ones(len(effort), bool)
    while True:
        fit = fitted(cases.told_by(on), penalty)
        # That people looked somewhere for gravel must not speak for ore there.
        praised = effort[on] & (fit.coefficients > 0)
        if not praised.any():
            return fit, on
        on[np.flatnonzero(on)[praised]] = False


def _drawn(
    xy: NDArray[np.float64], spec: Prospectivity, rng: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    # How often each deposit is drawn: all of a block, or none. Blocks count from the
    # first deposit's, so that a shifted world draws the same.
    cells = np.floor((xy - xy.min(axis=0)) / spec.block).astype(np.int64)
    _, block = np.unique(cells, axis=0, return_inverse=True)
    count = int(block.max()) + 1
    for _ in range(spec.bags):
        yield np.bincount(rng.integers(0, count, count), minlength=count)[block.ravel()]


def _lifts(
    columns: list[NDArray[np.float16]],
    states: NDArray[np.integer],
    coefficients: NDArray[np.float32],
) -> Lifts:
    total = np.empty((len(coefficients), len(states)), np.float32)
    for start in range(0, len(states), CHUNK):
        part = slice(start, start + CHUNK)
        total[:, part] = coefficients @ np.stack([c[part] for c in columns]).astype(np.float32)
    for state in np.unique(states):
        mine = np.flatnonzero(states == state)
        for row in total:
            log = row[mine]
            top = float(log.max())
            row[mine] = log - (top + np.log(np.mean(np.exp(log - top), dtype=np.float64)))
    return Lifts(total.mean(axis=0), total.std(axis=0))
