"""The compiled loops that grow a region, each against a plain picture."""

import numpy as np
import pytest

from geosite.growth import blocked, exchange, merits, next_seed, settled


def land(text):
    """Worth in millionths of tenths, -1 where a dot is; with a border."""
    rows = [["." if s == "." else int(s) for s in row.split()] for row in text.strip().splitlines()]
    worth = np.full((len(rows) + 2, len(rows[0]) + 2), -1, np.int32)
    for r, row in enumerate(rows):
        for c, s in enumerate(row):
            worth[r + 1, c + 1] = -1 if s == "." else s * 100_000
    return worth, worth >= 0


def test_a_region_that_has_too_little_room_is_all_that_hangs_together():
    worth, free = land("""
        5 5 . 5
        . . . 5
    """)
    out = np.zeros(4, np.int64)
    size, stamp = settled(worth, free, 1 * 6 + 1, 0.5, np.zeros(worth.shape, np.int32), 0, out)
    assert (size, stamp) == (2, 1)
    assert sorted(out[:2]) == [7, 8]


def test_a_region_moves_to_the_middle_of_good_land():
    worth, free = land("\n".join(["1 1 1 1 9 9 9"] * 3))
    out, stamps = np.zeros(9, np.int64), np.zeros(worth.shape, np.int32)
    size, _ = settled(worth, free, 1 * 9 + 5, 0.5, stamps, 0, out)
    assert size == 9
    assert merits(worth, out) == pytest.approx((0.9, 3 / np.pi))


def test_a_worse_cell_is_exchanged_for_a_better_one_without_tearing():
    worth, free = land("""
        5 5 9
        1 5 .
    """)
    out = np.array([6, 7, 11, 12], np.int64)
    exchange(worth, free, 0.0, np.zeros(worth.shape, np.int32), 1, out)
    assert sorted(out.tolist()) == [6, 7, 8, 12]


def test_the_next_seed_is_the_first_that_is_free():
    free = np.array([[True, False], [True, True]])
    taken = np.array([[True, False], [False, False]])
    rank = np.array([1, 0, 3, 2])
    assert next_seed(rank, 0, taken, free) == 2
    assert next_seed(rank, 4, taken, free) == 4


def test_cells_round_others_are_blocked_within_the_surface():
    free = np.ones((3, 3), bool)
    blocked(free, np.array([[0, 0]]), np.array([[0, 0], [0, 1], [-1, 0]]))
    assert free.sum() == 7
