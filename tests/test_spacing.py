"""Groups of sites that are too near one another."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from geosite.spacing import crowds, near_pairs

PLACES = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=25)


def slow_pairs(xy, spacing):
    return [
        [i, j]
        for i in range(len(xy))
        for j in range(i + 1, len(xy))
        if np.hypot(*(xy[i] - xy[j])) < spacing
    ]


@given(PLACES, st.integers(0, 20))
def test_near_pairs_are_those_that_measuring_every_pair_gives(places, spacing):
    xy = np.array(places, float).reshape(-1, 2)
    assert near_pairs(xy, spacing).tolist() == slow_pairs(xy, spacing)


@given(PLACES, st.integers(0, 20))
def test_groups_hold_every_near_pair_and_no_other(places, spacing):
    xy = np.array(places, float).reshape(-1, 2)
    near = {tuple(p) for p in slow_pairs(xy, spacing)}
    held = {(int(i), int(j)) for g in crowds(xy, spacing) for i in g for j in g if i < j}
    assert held == near


def test_just_far_enough_is_far_enough():
    xy = np.array([[0.0, 0.0], [5.0, 0.0], [9.0, 0.0]])
    assert near_pairs(xy, 5.0).tolist() == [[1, 2]]
    assert near_pairs(xy, 0.0).tolist() == []


def test_one_crowd_is_one_group():
    assert [len(g) for g in crowds(np.zeros((40, 2)), 1.0)] == [40]
