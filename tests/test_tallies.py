import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from geosite import tallies

GROUPS = 4


def drawn(seed, cells):
    rng = np.random.default_rng(seed)
    values = rng.random(cells)
    values[rng.random(cells) < 0.2] = np.nan
    return rng.integers(-1, GROUPS, cells).astype(np.int32), values.astype(np.float32), rng


lists = st.builds(drawn, st.integers(0, 10**6), st.integers(0, 60))


@given(lists)
def test_each_group_counts_sums_and_bins_its_own_cells(given_):
    group, values, rng = given_
    marked = rng.random(len(group)) < 0.5
    words = rng.integers(0, 2**64, len(group), dtype=np.uint64)
    sums, known = tallies.group_sums(group, values, 1000, GROUPS)
    bins = tallies.group_bins(group, values, 10, GROUPS)
    for g in range(GROUPS):
        mine = group == g
        there = values[mine & ~np.isnan(values)].astype(float)
        assert tallies.group_counts(group, None, GROUPS)[g] == mine.sum()
        assert tallies.group_counts(group, marked, GROUPS)[g] == (mine & marked).sum()
        assert sums[g] == np.rint(there * 1000).sum()
        assert known[g] == len(there)
        assert bins[g].tolist() == np.bincount((there * 10).astype(int), minlength=10).tolist()
        bits = tallies.group_bits(group, words, GROUPS)[g]
        assert bits.tolist() == [int((words[mine] >> np.uint64(k) & 1).sum()) for k in range(64)]
        if mine.any():
            assert tallies.group_firsts(group, GROUPS)[g] == mine.argmax()


def test_a_full_score_falls_in_the_last_bin():
    found = tallies.group_bins(np.zeros(2, np.int32), np.array([1.0, 0.0]), 5, 1)
    assert found.tolist() == [[1, 0, 0, 0, 1]]


def test_small_words_have_their_bits_too():
    words = np.array([0b10000000, 0b1], np.uint8)
    assert tallies.group_bits(np.zeros(2, np.int32), words, 1)[0, :8].tolist() == [1] + [0] * 6 + [
        1
    ]
