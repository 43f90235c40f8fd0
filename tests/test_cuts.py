import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geosite import cuts
from geosite.cuts import mapped, parts, valid
from tests.shapes import EAST, NORTH, blobs, box

SEEDS = st.integers(0, 10**6)


@given(SEEDS, st.sampled_from([8, 30, 100]))
def test_the_pieces_of_a_polygon_are_small_apart_and_add_up_to_it(seed, corners):
    whole = blobs(np.random.default_rng(seed), 4)
    cut = parts(whole, corners=corners)
    assert (shapely.get_num_coordinates(cut.geometry) <= corners).all()
    assert (np.diff(cut.owner) >= 0).all()
    assert shapely.is_valid(cut.geometry).all()
    for k, shape in enumerate(whole):
        own = cut.geometry[cut.owner == k]
        assert shapely.area(own).sum() == pytest.approx(shape.area, rel=1e-10)
        assert shapely.union_all(own).area == pytest.approx(shape.area, rel=1e-9)
        assert shapely.union_all(own).symmetric_difference(shape).area < 1e-5


def test_a_line_is_cut_and_keeps_its_length():
    xy = np.c_[np.linspace(0, 9_000, 3_000), np.sin(np.linspace(0, 60, 3_000)) * 500]
    line = shapely.LineString(xy + np.array([EAST, NORTH]))
    cut = parts(np.array([line]), corners=100)
    assert len(cut) > 20
    assert set(cut.dimension) == {1}
    assert shapely.length(cut.geometry).sum() == pytest.approx(line.length, rel=1e-12)


def test_collections_fall_into_points_lines_and_polygons():
    several = shapely.GeometryCollection(
        [
            shapely.MultiPoint([(0, 0), (1, 1)]),
            shapely.LineString([(0, 0), (5, 5)]),
            shapely.MultiPolygon([box(0, 0, 1, 1), box(3, 3, 4, 4)]),
            shapely.Polygon(),
        ]
    )
    cut = parts(np.array([None, several, shapely.Point(2, 2)]))
    assert sorted(zip(cut.owner.tolist(), cut.dimension.tolist(), strict=True)) == [
        (1, 0), (1, 0), (1, 1), (1, 2), (1, 2), (2, 0),
    ]  # fmt: skip
    assert cut.of(2).owner.tolist() == [1, 1]


def test_nothing_has_no_pieces():
    assert len(parts(np.array([None, shapely.Polygon()], object))) == 0
    assert len(parts(np.empty(0, object))) == 0


def test_many_corners_on_one_spot_do_not_cut_for_ever():
    xy = np.array([(0.0, 0.0), (1.0, 0.0), *[(1.0, 1e-9 * k) for k in range(1, 50)], (0.0, 1.0)])
    shape = shapely.Polygon(xy)
    cut = parts(np.array([shape]), corners=5)
    assert shapely.area(cut.geometry).sum() == pytest.approx(shape.area, rel=1e-9)


def test_where_clipping_fails_the_halves_are_intersected(monkeypatch):
    shape = blobs(np.random.default_rng(3), 1)
    monkeypatch.setattr(shapely, "clip_by_rect", lambda *_: shapely.Polygon())
    cut = parts(shape, corners=20)
    assert shapely.area(cut.geometry).sum() == pytest.approx(shape[0].area, rel=1e-12)


def test_a_ring_that_crosses_itself_is_repaired_and_keeps_what_it_encloses():
    twice = shapely.Polygon([(0, 0), (4, 0), (4, 4), (1, 4), (1, 1), (5, 1), (5, 2), (0, 2)])
    assert not twice.is_valid
    repaired = valid(np.array([twice, None, shapely.Polygon()], object))
    assert repaired[0].is_valid
    assert repaired[0].contains(shapely.Point(2, 1.5))
    assert repaired[1:].tolist() == [None, None]


def test_what_was_given_is_not_changed():
    given_ = np.array([shapely.Polygon()], object)
    valid(given_)
    assert given_[0] is not None


@pytest.mark.parametrize("threads", [1, 2])
def test_results_come_in_order_on_any_number_of_threads(monkeypatch, threads):
    monkeypatch.setattr(cuts, "_THREADS", threads)
    assert mapped(lambda k: 2 * k, [3, 1, 2]) == [6, 2, 4]
    assert mapped(str, []) == []
