"""Ground is one grid; ranks count the land of one's own state only."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from geosite.errors import CoverageError
from geosite.grid import Grid
from geosite.prospectivity import Ground
from geosite.prospectivity.ground import ranks_within
from tests.toyworld import ALBERS

GRID = Grid(ALBERS, 1000.0, 0, 0, (2, 3))


def test_every_array_that_does_not_fit_is_named_at_once():
    with pytest.raises(CoverageError, match=r"state \(3, 3\), slope \(1, 1\)"):
        Ground(
            GRID,
            np.ones((2, 3), bool),
            np.ones((3, 3), np.int16),
            {"slope": np.zeros((1, 1), np.float32)},
        )


def test_no_land_is_said():
    with pytest.raises(CoverageError, match="no cell is land"):
        Ground(GRID, np.zeros((2, 3), bool), np.ones((2, 3), np.int16))


def test_points_know_their_land_cell():
    land = np.array([[True, False, True], [False, True, True]])
    ground = Ground(GRID, land, np.ones((2, 3), np.int16))
    xy = np.array([[500, -500], [1500, -500], [2500, -500], [1500, -1500], [9500, 500]], float)
    assert ground.cells_of(xy).tolist() == [0, -1, 1, 2, -1]
    surface = ground.surface(np.arange(4.0))
    assert np.isnan(surface[0, 1])
    assert surface[land].tolist() == [0, 1, 2, 3]


@given(arrays(np.float64, 12, elements=st.integers(0, 5).map(float)), st.integers(0, 9))
def test_another_state_never_changes_a_rank(values, other):
    states = np.repeat([1, 2], 6)
    changed = np.where(states == 2, other, values)
    mine = states == 1
    assert (ranks_within(values, states)[mine] == ranks_within(changed, states)[mine]).all()
    assert ranks_within(values, states)[mine].mean() == pytest.approx(0.5, abs=1e-6)
