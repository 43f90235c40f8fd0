"""Ring sums are what adding record by record gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geosite.grid import Grid
from geosite.prospectivity.rings import CUT, RingSums, reach
from tests.toyworld import ALBERS

GRID = Grid(ALBERS, 1000.0, 5, -7, (12, 15))
WIDTHS = (1500.0, 3000.0)
metres = st.integers(-20_000, 40_000).map(float)


def by_hand(xy, weights, width, hole):
    left, _, _, top = GRID.bounds
    rows, columns = np.mgrid[: GRID.shape[0], : GRID.shape[1]]
    out = np.zeros(GRID.shape)
    for (x, y), w in zip(xy, weights, strict=True):
        c, r = np.floor((x - left) / 1000), np.floor((top - y) / 1000)
        d = 1000 * np.hypot(columns - c, rows - r)
        kernel = np.exp(-0.5 * (d / width) ** 2)
        kernel[d > CUT * width] = 0
        if hole:
            kernel[d <= hole + 500] = 0
        out += w * kernel
    return out


@given(
    st.lists(st.tuples(metres, metres, st.integers(0, 3).map(float)), max_size=6),
    st.sampled_from(WIDTHS),
    st.sampled_from([0.0, 2000.0]),
)
@settings(deadline=None, max_examples=30)
def test_sums_are_those_by_hand(records, width, hole):
    xy = np.array([r[:2] for r in records]).reshape(-1, 2)
    weights = np.array([r[2] for r in records])
    sums = RingSums(GRID, WIDTHS)
    found = sums.summed(sums.spectrum(xy, weights), width, hole)
    assert found == pytest.approx(by_hand(xy, weights, width, hole), abs=2e-4)


def test_a_record_beyond_reach_changes_nothing():
    left, _, _, top = GRID.bounds
    sums = RingSums(GRID, WIDTHS)
    near = np.array([[left + 5500.0, top - 5500.0]])
    far = np.array([[left - reach(WIDTHS) - 1500.0, top - 5500.0]])
    alone = sums.summed(sums.spectrum(near), 3000.0, 0.0)
    both = sums.summed(sums.spectrum(np.vstack([near, far])), 3000.0, 0.0)
    assert both == pytest.approx(alone, abs=1e-5)
