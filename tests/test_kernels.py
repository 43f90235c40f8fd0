from math import cos, pi, sin

import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from geosite import kernels
from geosite.grid import SUBCELLS
from tests.strategies import places
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
