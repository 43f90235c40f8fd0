"""The model learns from the land it is given, and says when it cannot."""

import numpy as np
import pandas as pd
import pytest

from geosite.prospectivity.fitting import modelled
from geosite.prospectivity.rings import RingSums
from geosite.prospectivity.strata import known_deposits
from tests.prospectivity.worlds import SPEC, belt, gravel, ground


def model(records, land, spec=SPEC):
    sums = RingSums(land.grid, spec.widths)
    return modelled(records, land, spec, sums, known_deposits(records, spec), None)


def test_the_belt_is_better_than_the_rest():
    land = ground()
    lifts, report = model(belt(land), land)
    lift = np.exp(land.surface(lifts.log_lift))
    assert lift[:, 28:32].mean() > 2 * lift[:, :10].mean()
    assert report["deposits_learned_from"] > 20
    assert (lifts.spread >= 0).all()


def test_too_few_deposits_are_no_model():
    land = ground()
    records = belt(land, count=5)
    lifts, report = model(records, land)
    assert lifts is None
    assert "fewer than 20" in report["not_fitted"]


def test_effort_never_speaks_for_a_place():
    land = ground()
    left, _, right, top = land.grid.bounds
    # Pits along the belt itself: taken as they are they would praise it.
    pits = [gravel((left + right) / 2, top - 1000.0 * k, 3) for k in range(60)]
    _, report = model(pd.concat([belt(land), *pits], ignore_index=True), land)
    effort = [v["per_sd"] for n, v in report["coefficients"].items() if n.startswith("effort")]
    assert effort
    assert max(effort) <= 0


def test_unknown_terrain_is_the_mean_and_not_zero():
    land = ground()
    height = np.full(land.grid.shape, np.nan, np.float32)
    height[:30] = 2000.0 + np.arange(30, dtype=np.float32)[:, None]
    known = type(land)(land.grid, land.land, land.state, {"height": height})
    lifts, report = model(belt(land), known)
    assert "height" in report["coefficients"]
    assert np.isfinite(lifts.log_lift).all()
    nothing = type(land)(land.grid, land.land, land.state, {"height": height * np.nan})
    assert "height" not in model(belt(land), nothing)[1]["coefficients"]


def test_the_mean_lift_of_each_state_is_one():
    land = ground(two=True)
    lifts, _ = model(belt(land), land)
    for state in (1, 2):
        mean = np.exp(lifts.log_lift[land.states == state]).mean()
        # Means of logarithms over the bags: a little below one.
        assert mean == pytest.approx(1, abs=0.1)
