"""Terrain by eye: a ramp slopes, a basin lies low, the unknown stays unknown."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geosite.prospectivity import terrain


def test_a_ramp_has_its_slope():
    ramp = np.tile(np.arange(60, dtype=np.float32) * 50, (60, 1))
    found = terrain(ramp, 1000.0)
    assert found["slope_1500m"][30, 30] == pytest.approx(0.05, rel=1e-3)


def test_a_basin_lies_below_its_surroundings():
    hollow = np.full((80, 80), 1500.0, np.float32)
    hollow[30:50, 30:50] = 1000.0
    found = terrain(hollow, 1000.0)
    assert found["position_20km"][40, 40] < -100
    assert found["relief_5km"][40, 30] > found["relief_5km"][5, 5]


def test_what_nobody_measured_stays_unknown():
    half = np.full((100, 100), 800.0, np.float32)
    half[:, 50:] = np.nan
    found = terrain(half, 1000.0)
    assert np.isfinite(found["relief_5km"][:, :50]).all()
    assert np.isnan(found["relief_5km"][:, 90:]).all()
    assert np.isnan(terrain(np.full((3, 3), np.nan, np.float32), 1000.0)["slope_1500m"]).all()


@given(st.integers(-100, 4000))
@settings(deadline=None, max_examples=10)
def test_raising_the_land_changes_nothing(up):
    rough = np.random.default_rng(0).normal(0, 200, (20, 20)).astype(np.float32)
    low, high = terrain(rough, 1000.0), terrain(rough + np.float32(up), 1000.0)
    for name, values in low.items():
        assert high[name] == pytest.approx(values, abs=0.05)
