import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from geosite import discs
from geosite.grid import SUBCELLS
from tests.strategies import places

S = SUBCELLS
HALF = S // 2
SIDES = st.integers(1, 9)
SHAPES = st.tuples(SIDES, SIDES)


def squared_distances(xy, shape):
    """From each point to each cell's centre: (points, rows, columns), by definition."""
    y, x = (np.indices(shape) * S + HALF).astype(object)
    return np.array([(x - px) ** 2 + (y - py) ** 2 for px, py in xy.tolist()]).reshape(-1, *shape)


# ── polygons ──────────────────────────────────────────────────────────────────────────────────


@st.composite
def points(draw):
    shape = draw(SHAPES)
    xy = draw(places(shape))
    amounts = draw(arrays(np.int64, len(xy), elements=st.integers(0, 5)))
    return shape, xy, amounts


RADII = st.one_of(st.integers(1, 8 * S), st.integers(1, 8).map(S.__mul__))


@given(points(), RADII, RADII, st.data())
def test_the_strongest_kernel_and_the_nearest_accepted_point_are_found(world, reach, radius, data):
    shape, xy, weights = world
    accepted = data.draw(arrays(bool, len(xy)))
    strength, nearest = discs.strongest(
        xy, weights / 3, accepted, reach=reach, radius=radius, shape=shape
    )
    d2 = squared_distances(xy, shape)
    hills = weights[:, None, None] / 3 * bells(d2, radius)
    assert strength == pytest.approx(hills.max(axis=0, initial=0), abs=1e-12)
    for cell in np.ndindex(shape):
        near = [(d2[i][cell], i) for i in np.flatnonzero(accepted) if d2[i][cell] <= reach**2]
        assert nearest[cell] == (min(near)[1] if near else -1)


@given(points(), RADII)
def test_kernels_are_summed(world, radius):
    shape, xy, weights = world
    found = discs.kernel_sum(xy, weights / 3, radius=radius, shape=shape)
    hills = weights[:, None, None] / 3 * bells(squared_distances(xy, shape), radius)
    assert found == pytest.approx(hills.sum(axis=0), abs=1e-12)


def bells(d2, radius):
    return np.where(d2 <= radius**2, (1 - d2.astype(float) / radius**2) ** 2, 0)


@given(points(), RADII)
def test_a_disc_sums_the_points_within_its_radius(world, radius):
    shape, xy, amounts = world
    sums = discs.disc_sums(xy, amounts, radius=radius, shape=shape)
    within = squared_distances(xy, shape) <= radius**2
    assert sums.tolist() == np.tensordot(amounts, within.astype(np.int64), 1).tolist()


@given(points(), RADII, st.integers(-5, 5), st.integers(-5, 5), SHAPES)
def test_points_are_summed_alike_in_every_window(world, radius, right, down, other):
    # The same cells seen from a window with another corner: bit for bit the same.
    shape, xy, amounts = world
    moved = xy - np.array([right, down]) * S
    rows = slice(max(down, 0), max(min(shape[0], down + other[0]), 0))
    columns = slice(max(right, 0), max(min(shape[1], right + other[1]), 0))
    there = np.s_[
        rows.start - down : rows.stop - down, columns.start - right : columns.stop - right
    ]
    yes = np.ones(len(xy), bool)

    def surfaces(xy, shape):
        place = {"radius": radius, "shape": shape}
        yield discs.kernel_sum(xy, amounts / 3, **place)
        yield discs.disc_sums(xy, amounts, **place)
        yield from discs.strongest(xy, amounts / 3, yes, reach=radius, **place)

    for one, two in zip(surfaces(xy, shape), surfaces(moved, other), strict=True):
        if rows.start < rows.stop and columns.start < columns.stop:
            assert one[rows, columns].tobytes() == two[there].tobytes()


@pytest.mark.parametrize("radius", [0, 0.9, 1, 1.4143, 2.9, 5, 6.5])
def test_discs_of_cells_are_counted(radius):
    random = np.random.default_rng(7)
    marked = random.random((25, 30)) < 0.4
    label = random.integers(0, 4, marked.shape).astype(np.int32)
    at = np.argwhere(np.ones((25 - 14, 30 - 14), bool)) + 7
    y, x = np.indices(marked.shape)
    around = [(x - c) ** 2 + (y - r) ** 2 <= radius**2 for r, c in at]
    assert discs.disc_counts(marked, at, radius).tolist() == [marked[d].sum() for d in around]
    alike = [(label[d] == label[r, c]).sum() for d, (r, c) in zip(around, at, strict=True)]
    assert discs.same_label_counts(label, at, radius).tolist() == alike
    whole = (2 * discs.disc_widths(radius) + 1).sum()
    assert {d.sum() for d in around} == {whole}


# ── rasters ───────────────────────────────────────────────────────────────────────────────────
