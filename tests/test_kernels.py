from math import cos, pi, sin

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from geosite import kernels
from geosite.grid import SUBCELLS
from tests.toyworld import draw, picture

S = SUBCELLS
HALF = S // 2
SIDES = st.integers(1, 9)
SHAPES = st.tuples(SIDES, SIDES)


def edges(*rings):
    """Segments of closed rings, given in cells."""
    out = []
    for ring in rings:
        xy = np.rint(np.array([*ring, ring[0]]) * S).astype(np.int64)
        out.append(np.c_[xy[:-1], xy[1:]])
    return np.concatenate(out)


def square(left, top, right, bottom):
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


@st.composite
def rings(draw, reach=12.0):
    """A star-shaped ring somewhere round a window of some cells, in cells."""
    x, y = draw(st.floats(-4, reach)), draw(st.floats(-4, reach))
    spokes = draw(st.lists(st.floats(0.05, 7), min_size=3, max_size=9))
    turns = [2 * pi * k / len(spokes) for k in range(len(spokes))]
    return [(x + r * cos(t), y + r * sin(t)) for r, t in zip(spokes, turns, strict=True)]


def places(shape, margin=3):
    """Points in and round a window, in sub-cells; often on the edge or the centre of a cell."""
    rows, columns = shape

    def along(cells):
        anywhere = st.integers(-margin * S, (cells + margin) * S)
        return st.one_of(anywhere, st.integers(-2 * margin, 2 * (cells + margin)).map(HALF.__mul__))

    point = st.tuples(along(columns), along(rows))
    return st.lists(point, max_size=6).map(lambda xy: np.array(xy, np.int64).reshape(-1, 2))


def squared_distances(xy, shape):
    """From each point to each cell's centre: (points, rows, columns), by definition."""
    y, x = (np.indices(shape) * S + HALF).astype(object)
    return np.array([(x - px) ** 2 + (y - py) ** 2 for px, py in xy.tolist()]).reshape(-1, *shape)


# ── polygons ──────────────────────────────────────────────────────────────────────────────────
def test_a_triangle_fills_halves_and_wholes_exactly():
    full = kernels.FULL
    triangle = edges([(0, 0), (3, 3), (0, 3)])
    expected = [[full // 2, 0, 0], [full, full // 2, 0], [full, full, full // 2]]
    assert kernels.filled(triangle, (3, 3)).tolist() == expected
    # The other way round the same land is inside.
    assert kernels.filled(triangle[:, [2, 3, 0, 1]], (3, 3)).tolist() == expected


def test_a_hole_is_not_filled():
    ring = edges(square(0, 0, 5, 4), square(1, 1, 4, 3)[::-1])
    legend = {".": 0, "#": kernels.FULL}
    assert draw(kernels.filled(ring, (4, 5)), legend) == picture("""
        # # # # #
        # . . . #
        # . . . #
        # # # # #
    """)


def test_two_hundred_rings_over_one_cell_do_not_overflow():
    # Half of them wound against the other half, as differences accumulate before they cancel.
    one = edges(square(-5, -5, 9, 9))
    many = np.concatenate([one] * 101 + [one[:, [2, 3, 0, 1]]] * 100)
    assert (kernels.filled(many, (3, 4)) == kernels.FULL).all()


@given(rings(), SHAPES)
def test_the_area_of_a_polygon_is_what_it_fills(ring, shape):
    rows, columns = shape
    polygon = shapely.Polygon(ring)
    filled = kernels.filled(edges(ring), shape) / kernels.FULL
    cells = [[shapely.box(c, r, c + 1, r + 1) for c in range(columns)] for r in range(rows)]
    expected = shapely.area(shapely.intersection(np.array(cells), polygon))
    assert np.abs(filled - expected).max() <= 2e-3


@given(rings(), SHAPES)
def test_the_polygon_over_the_centre_paints_the_cell(ring, shape):
    box = np.array([[-99 * S, -99 * S, 99 * S, 99 * S]])
    lines = edges(ring)
    painted = kernels.painted(lines, np.array([0, len(lines)]), np.array([7], np.int32), box, shape)
    snapped = shapely.Polygon(np.rint(np.array(ring) * S))
    r, c = np.indices(shape)
    centres = shapely.points(c * S + HALF, r * S + HALF)
    # A crossing is cut to the sub-cell: a centre that near to the outline may go either way.
    sure = shapely.distance(snapped.exterior, centres) > 2
    assert (painted == 7 * shapely.contains(snapped, centres))[sure].all()


def test_of_two_polygons_the_first_keeps_the_cell():
    first, second = edges(square(1, 1, 4, 3)), edges(square(0, 0, 3, 4))
    lines, starts = np.concatenate([first, second]), np.array([0, 4, 8])
    boxes = np.array([[1, 1, 4, 3], [0, 0, 3, 4]]) * S
    painted = kernels.painted(lines, starts, np.array([3, 5], np.int32), boxes, (4, 5))
    assert draw(painted, {".": 0, "a": 3, "b": 5}) == picture("""
        b b b . .
        b a a a .
        b a a a .
        b b b . .
    """)


def test_an_edge_through_centres_belongs_to_one_side_only():
    # Two polygons that share an edge through the centres of a column, and of a row.
    for ring, other in (
        (square(0, 0, 1.5, 3), square(1.5, 0, 3, 3)),
        (square(0, 0, 3, 1.5), square(0, 1.5, 3, 3)),
    ):
        counts = [
            kernels.painted(
                edges(r),
                np.array([0, 4]),
                np.array([1], np.int32),
                np.array([[0, 0, 3, 3]]) * S,
                (3, 3),
            )
            for r in (ring, other)
        ]
        assert (counts[0] + counts[1] == 1).all()


# ── lines ─────────────────────────────────────────────────────────────────────────────────────
@given(SHAPES.flatmap(lambda shape: st.tuples(st.just(shape), places(shape, 5))))
def test_a_line_touches_the_cells_it_meets(case):
    shape, xy = case
    lines = np.c_[xy[:-1], xy[1:]]
    touched = kernels.touched(lines, shape)
    r, c = np.indices(shape)
    closed = shapely.box(c * S, r * S, (c + 1) * S, (r + 1) * S)
    inner = shapely.box(c * S + 1, r * S + 1, (c + 1) * S - 1, (r + 1) * S - 1)
    line = shapely.multilinestrings(shapely.linestrings(lines.reshape(-1, 2, 2)))
    met = shapely.intersects(inner, line)
    # What runs along an edge may be the neighbour's.
    may = shapely.intersects(closed, line)
    assert (touched[met] == 1).all()
    assert (touched[~may] == 0).all()


def test_a_line_along_an_edge_and_a_point_on_one_belong_below_and_right():
    line = np.array([[1 * S, 2 * S, 3 * S, 2 * S], [5 * S, 1 * S, 5 * S, 1 * S]])
    assert draw(kernels.touched(line, (4, 6)), {".": 0, "#": 1}) == picture("""
        . . . . . .
        . . . . . #
        . # # # . .
        . . . . . .
    """)


# ── points ────────────────────────────────────────────────────────────────────────────────────
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
    strength, nearest = kernels.strongest(
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
    found = kernels.kernel_sum(xy, weights / 3, radius=radius, shape=shape)
    hills = weights[:, None, None] / 3 * bells(squared_distances(xy, shape), radius)
    assert found == pytest.approx(hills.sum(axis=0), abs=1e-12)


def bells(d2, radius):
    return np.where(d2 <= radius**2, (1 - d2.astype(float) / radius**2) ** 2, 0)


@given(points(), RADII)
def test_a_disc_sums_the_points_within_its_radius(world, radius):
    shape, xy, amounts = world
    sums = kernels.disc_sums(xy, amounts, radius=radius, shape=shape)
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
        yield kernels.kernel_sum(xy, amounts / 3, **place)
        yield kernels.disc_sums(xy, amounts, **place)
        yield from kernels.strongest(xy, amounts / 3, yes, reach=radius, **place)

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
    discs = [(x - c) ** 2 + (y - r) ** 2 <= radius**2 for r, c in at]
    assert kernels.disc_counts(marked, at, radius).tolist() == [marked[d].sum() for d in discs]
    alike = [(label[d] == label[r, c]).sum() for d, (r, c) in zip(discs, at, strict=True)]
    assert kernels.same_label_counts(label, at, radius).tolist() == alike
    whole = (2 * kernels.disc_widths(radius) + 1).sum()
    assert {d.sum() for d in discs} == {whole}


# ── rasters ───────────────────────────────────────────────────────────────────────────────────
def sampled(values, columns, rows, *, nodata=np.nan, nearest=False):
    """Values at the nodes themselves: each is the centre of a window of one cell."""
    out = np.empty(columns.shape, np.float32)
    for at in np.ndindex(columns.shape):
        # A node a cell, and both its neighbours at the same place.
        nodes = np.repeat([columns[at], rows[at]], 4).reshape(2, 2, 2).astype(float)
        out[at] = kernels.sampled(
            values,
            nodata,
            nodes,
            first=(0, 0, 0, 0),
            step=1,
            samples=1,
            nearest=nearest,
            offset=(0, 0),
            shape=(1, 1),
        )[0, 0]
    return out


QUARTERS = st.integers(-6, 30).map(lambda n: n / 4)


@given(
    arrays(np.float32, st.tuples(SIDES, SIDES), elements=st.integers(-9, 99).map(float)),
    arrays(float, (2, 2, 4), elements=QUARTERS),
)
def test_between_cell_centres_values_are_bilinear(values, at):
    columns, rows = at
    expected = ndimage.map_coordinates(
        values.astype(float), [rows - 0.5, columns - 0.5], order=1, cval=np.nan, prefilter=False
    )
    assert sampled(values, columns, rows) == pytest.approx(expected, nan_ok=True, rel=1e-6)


@pytest.mark.parametrize("nodata", [-9999.0, np.nan])
def test_what_is_next_to_nodata_is_not_known(nodata):
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    values[1, 2] = nodata
    y, x = np.indices((9, 13)) / 4 + 0.5
    found = sampled(values, x, y, nodata=nodata)
    # A weight above zero on the missing cell, whose centre is at column 2.5, row 1.5.
    lost = (np.abs(x - 2.5) < 1) & (np.abs(y - 1.5) < 1)
    assert (np.isnan(found) == lost).all()
    assert found[~lost] == pytest.approx((4 * (y - 0.5) + (x - 0.5))[~lost])


def test_a_code_is_that_of_the_pixel_that_holds_the_place():
    values = np.arange(12, dtype=np.uint8).reshape(3, 4)
    values[1, 2] = 255
    y, x = np.indices((14, 18)) / 4 - 0.25
    found = sampled(values, x, y, nodata=255, nearest=True)
    inside = (x >= 0) & (x < 4) & (y >= 0) & (y < 3)
    expected = 4 * np.floor(y) + np.floor(x)
    known = inside & (expected != 6)
    assert (found == expected)[known].all()
    assert np.isnan(found[~known]).all()


@given(arrays(np.int32, SHAPES, elements=st.integers(0, 2)))
def test_patches_are_contiguous_cells_of_one_value(values):
    labels, count = kernels.labelled(values)
    assert (labels > 0).tolist() == (values > 0).tolist()
    _, first = np.unique(labels[labels > 0], return_index=True)
    assert len(first) == count
    assert (np.diff(first) > 0).all(), "numbered in reading order"
    pairs = 0
    for value in (1, 2):
        expected, n = ndimage.label(values == value)
        pairs += n
        both = np.unique(np.c_[expected[values == value], labels[values == value]], axis=0)
        assert len(both) == n, "one label for each patch and one patch for each label"
    assert pairs == count


def test_arms_that_join_late_are_one_patch():
    text = """
        a . a . a . b
        a . a . a . b
        a a a . a . b
        . . a a a b b
        b b . b b b .
    """
    rows = picture(text).splitlines()
    values = np.array([[".ab".index(s) for s in row.split()] for row in rows], np.int32)
    labels, count = kernels.labelled(values)
    assert count == 3
    assert draw(labels, {".": 0, "1": 1, "2": 2, "3": 3}) == picture("""
        1 . 1 . 1 . 2
        1 . 1 . 1 . 2
        1 1 1 . 1 . 2
        . . 1 1 1 2 2
        3 3 . 2 2 2 .
    """)
