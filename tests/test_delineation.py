import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from geosite import kernels
from geosite.delineation import deposit_groups, global_labels, patch_groups
from geosite.pieces import anchor_code, border, lattice_step
from tests.strategies import shapes
from tests.toyworld import toygrid

REACH = 1000.0


def land(*rows):
    """Pieces: deposit (from 1), parcel, cells."""
    return pd.DataFrame(rows, columns=["piece", "parcel", "cells"])


def grouped(pieces, xy, most=100.0):
    groups = deposit_groups(pieces, np.array(xy, float), reach=REACH, max_cells=most)
    return partition(groups, zip(pieces["piece"], pieces["parcel"], strict=True))


def partition(groups, keys):
    """Which keys are together, whatever the numbers of the groups."""
    sets = {}
    for group, key in zip(groups.tolist(), keys, strict=True):
        sets.setdefault(group, set()).add(tuple(int(k) for k in key))
    return {frozenset(s) for s in sets.values()}


def sets(*groups):
    return {frozenset(g) for g in groups}


# ── deposits ──────────────────────────────────────────────────────────────────────────────────
def test_deposits_whose_reaches_overlap_are_joined():
    pieces = land((1, 7, 10), (2, 7, 10), (3, 7, 10))
    assert grouped(pieces, [(0, 0), (2000, 0), (4001, 0)]) == sets({(1, 7), (2, 7)}, {(3, 7)})


def test_parcels_are_never_joined():
    pieces = land((1, 7, 10), (1, 8, 10), (2, 7, 10), (2, 8, 10))
    found = grouped(pieces, [(0, 0), (10, 0)])
    assert found == sets({(1, 7), (2, 7)}, {(1, 8), (2, 8)})


def test_the_nearest_pair_is_joined_first():
    pieces = land((1, 7, 40), (2, 7, 40), (3, 7, 40))
    assert grouped(pieces, [(0, 0), (900, 0), (1700, 0)]) == sets({(1, 7)}, {(2, 7), (3, 7)})


def test_the_largest_area_itself_is_allowed_and_no_more():
    pieces, xy = land((1, 7, 50), (2, 7, 50)), [(0, 0), (100, 0)]
    assert len(grouped(pieces, xy, 100)) == 1
    assert len(grouped(pieces, xy, 99)) == 2


def test_a_piece_that_is_too_large_alone_stays_as_it_is():
    assert len(grouped(land((1, 7, 500), (2, 7, 1)), [(0, 0), (100, 0)])) == 2


def test_a_deposit_without_land_joins_nothing():
    # The one in the middle has no piece: the outer two are too far apart.
    assert len(grouped(land((1, 7, 9), (3, 7, 9)), [(0, 0), (1500, 0), (3000, 0)])) == 2


@st.composite
def deposits(draw):
    count = draw(st.integers(1, 7))
    place = st.integers(0, 12).map(lambda n: n * 500.0)
    xy = draw(st.lists(st.tuples(place, place), min_size=count, max_size=count))
    keys = st.tuples(st.integers(1, count), st.integers(1, 3))
    chosen = draw(st.lists(keys, min_size=1, max_size=10, unique=True))
    return land(*((d, p, draw(st.integers(1, 60))) for d, p in chosen)), xy


@given(deposits(), st.randoms(use_true_random=False))
def test_joining_hangs_on_no_order_of_the_pieces(world, random):
    pieces, xy = world
    order = [*range(len(pieces))]
    random.shuffle(order)
    assert grouped(pieces, xy) == grouped(pieces.iloc[order].reset_index(drop=True), xy)


@given(deposits())
def test_joined_land_is_of_one_parcel_within_reach_and_not_too_large(world):
    pieces, xy = world
    groups = deposit_groups(pieces, np.array(xy), reach=REACH, max_cells=100)
    for _, site in pieces.groupby(groups):
        assert len({*site["parcel"]}) == 1
        assert len(site) == 1 or site["cells"].sum() <= 100
        here = np.array(xy)[site["piece"] - 1]
        apart = np.hypot(*(here[:, None] - here[None]).transpose(2, 0, 1)) <= 2 * REACH
        assert (np.linalg.matrix_power(apart.astype(int), len(site)) > 0).all()


@given(deposits())
def test_what_is_apart_could_not_be_joined(world):
    pieces, xy = world
    groups = deposit_groups(pieces, np.array(xy), reach=REACH, max_cells=100)
    cells = pieces["cells"].groupby(groups).sum()
    at = np.array(xy)[pieces["piece"] - 1]
    for i in range(len(pieces)):
        for j in range(i):
            same = pieces["parcel"][i] == pieces["parcel"][j]
            if same and groups[i] != groups[j] and np.hypot(*(at[i] - at[j])) <= 2 * REACH:
                assert cells[groups[i]] + cells[groups[j]] > 100


# ── patches ───────────────────────────────────────────────────────────────────────────────────
def patches(parcel, size, most):
    """Patch of each cell, numbered anew in reading order, from tiles of a size."""
    grid = toygrid(*parcel.shape, row=-7, column=-5)
    windows = list(grid.tiles(size))
    step = lattice_step(most, grid.resolution)
    rows, borders, codes = [], [], np.zeros(parcel.shape, np.int64)
    lattices = np.zeros(parcel.shape, np.int64)
    for k, window in enumerate(windows):
        at = grid.window(window)
        own = np.ascontiguousarray(parcel[at])
        labels, _ = kernels.labelled(own)
        borders.append(border(labels, own))
        codes[at] = global_labels(labels.astype(np.int64), k)
        r = (np.arange(window.shape[0]) + window.row) // step
        c = (np.arange(window.shape[1]) + window.column) // step
        lattices[at] = anchor_code(r[:, None], c[None, :])
    table = pd.DataFrame({"piece": codes[codes > 0], "lattice": lattices[codes > 0]})
    rows = table.value_counts(sort=False).reset_index(name="cells")
    groups = patch_groups(rows, windows, borders, max_cells=most / grid.cell_area)
    number = dict(zip(zip(rows["piece"], rows["lattice"], strict=True), groups, strict=True))
    out, names = np.zeros(parcel.shape, int), {}
    for place in np.argwhere(codes > 0).tolist():
        group = number[codes[tuple(place)], lattices[tuple(place)]]
        out[tuple(place)] = names.setdefault(group, len(names) + 1)
    return out


def drawn(text):
    return np.array([[int(s) if s != "." else 0 for s in r.split()] for r in text.split("\n") if r])


SNAKE = drawn("1 1 1 1 1\n. . . . 1\n1 1 1 1 1\n1 . . . .\n1 1 1 1 1").astype(np.int32)


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_a_snake_over_many_tiles_is_one_patch(size):
    assert (patches(SNAKE, size, 99.0) == SNAKE).all()


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_a_patch_ends_at_the_edge_of_its_parcel_and_at_corners(size):
    parcel = drawn("1 1 2 2\n1 1 2 2\n. . 2 1\n1 1 . .").astype(np.int32)
    assert patches(parcel, size, 99.0).tolist() == [
        [1, 1, 2, 2],
        [1, 1, 2, 2],
        [0, 0, 2, 3],
        [4, 4, 0, 0],
    ]


@pytest.mark.parametrize("size", [1, 3, 8])
def test_a_patch_is_split_at_the_lattice_only_if_it_is_too_large(size):
    parcel = np.ones((8, 6), np.int32)
    assert patches(parcel, size, 48.0).max() == 1
    split = patches(parcel, size, 47.9)
    assert split.max() > 1
    # Squares of the lattice are counted from the CRS origin: rows -7 … 0, columns -5 … 0.
    y, x = np.indices(parcel.shape) + np.array([-7, -5])[:, None, None]
    squares = np.unique(np.stack([y // 6, x // 6]).reshape(2, -1), axis=1, return_inverse=True)[1]
    assert len(np.unique(np.stack([split.ravel(), squares.ravel()]), axis=1).T) == split.max()


@given(
    shapes(8).flatmap(lambda s: arrays(np.int32, s, elements=st.sampled_from((0, 1, 1, 2)))),
    st.sampled_from((1, 2, 3, 5)),
    st.sampled_from((3.0, 9.0, 99.0)),
)
def test_patches_are_the_same_in_any_tiling_and_not_too_large(parcel, size, most):
    if not parcel.any():
        return
    whole = patches(parcel, 99, most)
    assert (patches(parcel, size, most) == whole).all()
    assert ((whole > 0) == (parcel > 0)).all()
    assert np.bincount(whole.ravel())[1:].max() <= most


def test_labels_of_tiles_are_never_the_same():
    labels = np.array([0, 1, 2**31 - 1], np.int64)
    found = np.concatenate([global_labels(labels, k)[1:] for k in range(4)])
    assert len({*found.tolist()}) == 8
    assert global_labels(labels, 3)[0] == 0
