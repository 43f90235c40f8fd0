"""Messages of vector tiles, against a reader of the specification."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import LineString, MultiPoint, Point, Polygon, box

from geosite.map.vector_tiles import (
    LINE,
    POINT,
    POLYGON,
    Attributes,
    commands,
    varint,
    varints,
)
from tests.tilereader import area, layers_of, numbers, rings_of


def read(shapes, kind, group=None, **more):
    parts = np.array(shapes, dtype=object)
    group = np.arange(len(parts)) if group is None else np.array(group)
    groups = int(group.max()) + 1
    made = commands(parts, group, np.zeros((len(parts), 2)), groups=groups, kind=kind, **more)
    return [rings_of(numbers(m)) for m in made]


@given(st.lists(st.integers(0, 2**63 - 1), max_size=30))
def test_numbers_are_read_as_they_were_written(values):
    raw, sizes = varints(np.array(values, np.int64))
    assert numbers(raw.tobytes()) == values
    assert raw.tobytes() == b"".join(map(varint, values))
    assert sizes.tolist() == [len(varint(v)) for v in values]


def test_outlines_wind_one_way_and_holes_the_other():
    ring = box(0.1, 0.1, 0.9, 0.9).exterior.coords
    hole = box(0.3, 0.3, 0.5, 0.5).exterior.coords
    for outer in (ring, ring[::-1]):
        for inner in (hole, hole[::-1]):
            ((a, b),) = read([Polygon(outer, [inner])], POLYGON)
            assert area(a) > 0 > area(b)
            assert len(a) == len(b) == 4


def test_parts_of_one_group_are_one_feature():
    ((a, b), (c,)) = read(
        [box(0, 0, 0.1, 0.1), box(0.2, 0, 0.3, 0.1), box(0.4, 0, 0.5, 0.1)], POLYGON, [0, 0, 1]
    )
    assert b[0][0] - a[0][0] == round(0.2 * 4096)
    assert min(x for x, _ in c) == round(0.4 * 4096)


def test_what_has_no_area_is_nothing():
    flat = Polygon([(0.1, 0.1), (0.2, 0.1), (0.3, 0.1)])
    dot = box(0.5, 0.5, 0.50001, 0.50001)
    made = read([flat, dot, box(0, 0, 1, 1)], POLYGON)
    assert made[:2] == [[], []]
    assert len(made[2][0]) == 4


def test_small_holes_are_closed_if_asked():
    shape = Polygon(box(0, 0, 1, 1).exterior, [box(0.1, 0.1, 0.11, 0.11).exterior])
    assert len(read([shape], POLYGON)[0]) == 2
    assert len(read([shape], POLYGON, least_hole=5000)[0]) == 1


def test_lines_and_points():
    (line,) = read([LineString([(0, 0), (0, 0.00001), (0.5, 0.25)])], LINE)
    assert line == [[(0, 0), (2048, 1024)]]
    assert read([LineString([(0, 0), (0, 0.00001)])], LINE) == [[]]
    points = shapely.get_parts(MultiPoint([(0, 0), (0.5, 0.5)]))
    made = commands(points, np.array([0, 0]), np.zeros((2, 2)), groups=1, kind=POINT)
    assert numbers(made[0]) == [(2 << 3) | 1, 0, 0, 4096, 4096]


def test_nothing_is_nothing():
    for kind in (POINT, LINE, POLYGON):
        empty = np.empty(0, object)
        none = commands(empty, np.empty(0, int), np.empty((0, 2)), groups=0, kind=kind)
        assert none == []


@given(
    st.lists(
        st.tuples(
            st.floats(0, 0.9), st.floats(0, 0.9), st.floats(0.001, 0.1), st.floats(0.001, 0.1)
        ),
        min_size=1,
        max_size=12,
    )
)
def test_boxes_come_back_to_half_a_step(rows):
    shapes = [box(x, y, x + w, y + h) for x, y, w, h in rows]
    for shape, rings in zip(shapes, read(shapes, POLYGON), strict=True):
        (ring,) = rings
        assert (
            shapely.hausdorff_distance(
                shapely.affinity.scale(shape, 4096, 4096, origin=(0, 0)), Polygon(ring)
            )
            <= np.sqrt(0.5) + 1e-9
        )


HOSTILE = '</script><img src=x onerror="alert(1)">\n{{ 7*7 }} \u202e `${1}`'


@given(
    st.lists(
        st.tuples(st.one_of(st.none(), st.text(max_size=20)), st.integers(-(2**40), 2**40)),
        min_size=1,
        max_size=6,
    )
)
def test_attributes_come_back_as_they_are(rows):
    rows = [*rows, (HOSTILE, 0)]
    kept = Attributes({"words": [w for w, _ in rows], "n": [n for _, n in rows]})
    (body,) = commands(
        np.array([Point(0.5, 0.5)]), np.array([0]), np.zeros((1, 2)), groups=1, kind=POINT
    )
    raw = kept.message("layer", [(i, POINT, body) for i in range(len(rows))])
    (found,) = layers_of(raw).values()
    assert [f.id for f in found] == [*range(len(rows))]
    for feature, (words, n) in zip(found, rows, strict=True):
        assert feature.props == ({"n": n} if words is None else {"words": words, "n": n})


def test_other_values_are_numbers_words_or_nothing():
    kept = Attributes({"v": [1.5, float("nan"), True, np.int64(-3), Point(1, 2), "\ud800"]})
    (body,) = commands(
        np.array([Point(0, 0)]), np.array([0]), np.zeros((1, 2)), groups=1, kind=POINT
    )
    (found,) = layers_of(kept.message("a", [(i, POINT, body) for i in range(6)])).values()
    assert [f.props.get("v") for f in found] == [1.5, None, True, -3, "POINT (1 2)", "?"]
