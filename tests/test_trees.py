"""Sums along the ways of a tree."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from geosite.trees import _climb, sums_from_root


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_sums_are_those_of_walking_the_tree(seeds, random):
    parents = [-1, *(seed % (k + 1) for k, seed in enumerate(seeds))]
    edges = sorted((p, k) for k, p in enumerate(parents) if p >= 0)
    tail, head = np.array(edges).T
    amount = np.array([[random.randint(0, 9), random.randint(0, 9)] for _ in edges], float)
    column = np.array([[random.randint(0, 1), 2] for _ in edges])
    starts = np.searchsorted(tail, np.arange(len(parents) + 1))
    targets = np.arange(len(parents))
    before = np.array(parents, np.int32)
    found = sums_from_root(before, targets, (starts, head), amount, column, 3)
    slow = np.zeros_like(found)
    for t in targets:
        node = t
        while parents[node] >= 0:
            edge = edges.index((parents[node], node))
            for k in range(2):
                slow[t, column[edge, k]] += amount[edge, k]
            node = parents[node]
    assert found.tolist() == slow.tolist()
    again = np.zeros_like(found)
    _climb.py_func(before, targets, starts, head, amount, column, again)
    assert again.tolist() == slow.tolist()


def test_where_no_way_leads_nothing_is_summed():
    before, none = np.array([-1, -1], np.int32), np.empty((0, 1))
    found = sums_from_root(
        before, np.array([1]), (np.zeros(3, int), np.empty(0, int)), none, none.astype(int), 1
    )
    assert found.tolist() == [[0.0]]
