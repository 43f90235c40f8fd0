"""Lines as a graph."""

import numpy as np
import pytest
import shapely
from pyproj import CRS
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from geosite.crs import geodesic
from geosite.network import lines_graph

ALBERS = CRS.from_epsg(5070)


def graph(*words, **more):
    return lines_graph(np.array(shapely.from_wkt(words), dtype=object), ALBERS, **more)


def pieces(found):
    n = len(found.nodes)
    return connected_components(
        csr_array((np.ones(len(found.tail)), (found.tail, found.head)), shape=(n, n)), False
    )[0]


def test_lines_are_joined_at_a_shared_end_and_at_a_shared_corner():
    ends = graph("LINESTRING (0 0, 4000 0)", "LINESTRING (4000 0, 4000 900)")
    assert (len(ends.nodes), len(ends.tail), pieces(ends)) == (3, 2, 1)
    tee = graph("LINESTRING (0 0, 1000 0, 2000 0)", "LINESTRING (1000 0, 1000 900)")
    assert (len(tee.nodes), len(tee.tail), pieces(tee)) == (4, 3, 1)


def test_lines_that_cross_without_a_corner_are_not_joined():
    assert pieces(graph("LINESTRING (0 0, 2000 0)", "LINESTRING (1000 -900, 1000 900)")) == 2


@pytest.mark.parametrize(("gap", "parts"), [(60, 1), (140, 2)])
def test_a_small_gap_at_an_end_is_bridged_with_its_length(gap, parts):
    found = graph("LINESTRING (0 0, 2000 0)", f"LINESTRING ({2000 + gap} 0, 4000 0)")
    assert pieces(found) == parts
    drawn = found.first >= 0
    assert found.length_m[~drawn].tolist() == pytest.approx([gap] * (2 - parts), rel=0.02)


def test_lengths_are_those_on_the_ellipsoid_and_none_is_lost():
    words = ("LINESTRING (0 2000000, 60000 2030000, 90000 1990000)", "LINESTRING (0 0, 9000 0)")
    found = graph(*words)
    whole = 0.0
    for line in shapely.from_wkt(words):
        xy = shapely.get_coordinates(shapely.segmentize(line, 5000))
        whole += geodesic(xy[:-1], xy[1:], ALBERS)[0].sum()
    assert found.length_m.sum() == pytest.approx(whole)


def test_a_long_line_can_be_joined_along_its_way():
    found = graph("LINESTRING (0 0, 100000 0)")
    assert 15 <= len(found.nodes) <= 25
    assert np.diff(np.sort(found.nodes[:, 0])).max() <= 10_001
    assert pieces(found) == 1


def test_an_edge_is_drawn_from_its_tail_to_its_head():
    found = graph("LINESTRING (0 0, 100 500, 900 0, 1000 0)", "LINESTRING (900 0, 900 900)")
    for tail, head, first, last in zip(
        found.tail, found.head, found.first, found.last, strict=True
    ):
        way = found.corners[first : last + 1]
        assert np.allclose(way[0], found.nodes[tail])
        assert np.allclose(way[-1], found.nodes[head])


def test_a_stated_length_counts_where_it_is_longer():
    words = (
        "LINESTRING (0 0, 4000 0)",
        "LINESTRING (4000 0, 8000 0)",
        "LINESTRING (8000 0, 9000 0)",
    )
    plain, stated = graph(*words), graph(*words, stated_m=np.array([6000.0, 100.0, np.nan]))
    assert stated.length_m[0] == pytest.approx(6000.0)
    assert stated.length_m[1:].tolist() == pytest.approx(plain.length_m[1:].tolist())


def test_parts_of_a_line_are_lines_and_what_is_none_is_left_out():
    found = graph(
        "MULTILINESTRING ((0 0, 900 0), (5000 0, 5900 0))", "POINT (0 0)", "LINESTRING EMPTY",
    )  # fmt: skip
    assert len(found.tail) == 2
    assert pieces(found) == 2
    nothing = graph()
    assert (len(nothing.nodes), len(nothing.tail)) == (0, 0)


def test_a_ring_is_a_way_round():
    found = graph("LINESTRING (0 0, 20000 0, 20000 20000, 0 20000, 0 0)")
    assert pieces(found) == 1
    assert found.length_m.sum() == pytest.approx(80_000, rel=0.02)
