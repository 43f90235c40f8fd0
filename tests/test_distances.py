import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import distance_transform_edt

from geosite import distances

SIDES = st.integers(1, 24)


def squares(marked):
    """SciPy's distances as whole numbers: it names the nearest cell, so nothing is rounded."""
    if not marked.any():
        return np.full(marked.shape, np.inf)
    _, (rows, columns) = distance_transform_edt(~marked, return_indices=True)
    y, x = np.indices(marked.shape)
    return ((y - rows) ** 2 + (x - columns) ** 2).astype(float)


def everywhere(shape):
    return np.argwhere(np.ones(shape, bool)).astype(np.int32)


def asked(marked, reach, margin=0):
    """Squared distance of every cell inside a margin."""
    rows, columns = (n - 2 * margin for n in marked.shape)
    along = distances.along_columns(marked, margin, rows, reach)
    found = distances.squared_at(along, everywhere((rows, columns)), margin, reach)
    return found.reshape(rows, columns)


worlds = st.tuples(SIDES, SIDES).flatmap(
    lambda shape: st.one_of(
        arrays(bool, shape),
        st.builds(
            lambda at: np.isin(np.arange(shape[0] * shape[1]).reshape(shape), at),
            st.lists(st.integers(0, shape[0] * shape[1] - 1), max_size=3),
        ),
    )
)


@given(worlds, st.floats(0, 40))
def test_a_distance_is_that_of_the_nearest_marked_cell(marked, reach):
    true = squares(marked)
    expected = np.where(true <= reach**2, true, np.inf)
    assert asked(marked, reach).tolist() == expected.tolist()


@given(worlds, st.floats(0, 40))
def test_what_is_within_reach_is_what_is_near_enough(marked, reach):
    along = distances.along_columns(marked, 0, len(marked), reach)
    assert distances.within(along, reach).tolist() == (squares(marked) <= reach**2).tolist()


@given(worlds, st.integers(0, 6))
def test_a_halo_is_as_good_as_the_whole(marked, margin):
    if min(marked.shape) <= 2 * margin:
        return
    inner = (slice(margin, len(marked) - margin), slice(margin, marked.shape[1] - margin))
    assert asked(marked, 60, margin).tolist() == squares(marked)[inner].tolist()


@pytest.mark.parametrize("share", [0.0, 1e-5, 1e-3, 0.2, 1.0])
def test_many_cells_and_few_of_them_get_the_same_answer(share):
    # Many cells of a row are answered by its envelope, a few by a search of their own.
    rng = np.random.default_rng(3)
    marked = rng.random((150, 1700)) < share
    reach = 1500
    along = distances.along_columns(marked, 0, 150, reach)
    every = everywhere(marked.shape)
    expected = squares(marked).ravel()
    expected[expected > reach**2] = np.inf
    assert (distances.squared_at(along, every, 0, reach) == expected).all()
    few = rng.permutation(len(every))[:60]
    assert (distances.squared_at(along, every[few], 0, reach) == expected[few]).all()
    assert (distances.squared_at(along, every[::-1], 0, reach) == expected[::-1]).all()


def test_distances_stay_exact_far_away():
    marked = np.zeros((3, 60_000), bool)
    marked[0, 0] = True
    along = distances.along_columns(marked, 0, 3, distances.MOST)
    at = np.array([[0, 59_999], [2, 59_998]], np.int32)
    found = distances.squared_at(along, at, 0, distances.MOST)
    assert found.tolist() == [59_999**2, 59_998**2 + 4]


def test_a_reach_that_is_no_whole_number_of_cells():
    assert asked(np.eye(2, dtype=bool)[::-1], 1.0).tolist() == [[1, 0], [0, 1]]
    corner = np.array([[True, False], [False, False]])
    assert asked(corner, 1.5).tolist() == [[0, 1], [1, 2]]
    assert asked(corner, 1.4).tolist() == [[0, 1], [1, np.inf]]
    marked = np.zeros((5, 5), bool)
    marked[2, 2] = True
    along = distances.along_columns(marked, 0, 5, 1.42)
    assert distances.within(along, 1.42).sum() == 9
    assert distances.within(along, 1.41).sum() == 5
