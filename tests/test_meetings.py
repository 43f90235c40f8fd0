import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geosite import meetings
from geosite.cuts import parts
from geosite.meetings import Features, firsts, united
from tests.shapes import EAST, NORTH, blobs, box

SEEDS = st.integers(0, 10**6)


def cut(*shapes, corners=30):
    return parts(np.array(shapes, object), corners=corners)


@given(SEEDS, st.sampled_from([10, 40, 1000]))
def test_areas_lengths_and_pairs_are_those_of_the_whole_outlines(seed, corners):
    rng = np.random.default_rng(seed)
    sites, polygons = blobs(rng, 4), blobs(rng, 8)
    lines = shapely.boundary(blobs(rng, 3))
    features = np.concatenate([polygons, lines])
    met = Features(parts(features, corners=corners)).met(parts(sites, corners=corners), 4)
    union, net = shapely.union_all(polygons), shapely.union_all(lines)
    assert met.area == pytest.approx(
        shapely.area(shapely.intersection(sites, union)), rel=1e-9, abs=1e-6
    )
    assert met.length == pytest.approx(
        shapely.length(shapely.intersection(sites, net)), rel=1e-9, abs=1e-6
    )
    pairs = set(zip(met.site.tolist(), met.feature.tolist(), strict=True))
    assert pairs == {
        (i, j) for i in range(4) for j in range(11) if sites[i].intersects(features[j])
    }


@given(SEEDS)
def test_the_nearest_piece_is_of_the_nearest_feature(seed):
    rng = np.random.default_rng(seed)
    sites, features = blobs(rng, 5, most=40), blobs(rng, 6, edge=60_000.0)
    own, others = parts(sites, corners=30), Features(parts(features, corners=30))
    at, piece = others.nearest(own)
    assert own.owner[at].tolist() == [0, 1, 2, 3, 4]
    far = shapely.distance(sites[:, None], features)
    found = shapely.distance(own.geometry[at], others.pieces.geometry[piece])
    assert found == pytest.approx(far.min(axis=1), abs=1e-6)
    apart = far.min(axis=1) > 0
    assert (others.pieces.owner[piece] == far.argmin(axis=1))[apart].all()


def test_of_two_that_are_equally_near_the_first_counts():
    site = cut(box(0, 0, 10, 10))
    twins = Features(cut(box(20, 0, 30, 10), box(-20, 0, -10, 10)))
    at, piece = twins.nearest(site)
    assert (at.tolist(), twins.pieces.owner[piece].tolist()) == ([0], [0])


@given(SEEDS, st.floats(0, 3_000))
def test_pieces_within_a_distance_are_those_that_are_so_near(seed, reach):
    rng = np.random.default_rng(seed)
    own, others = parts(blobs(rng, 4), corners=30), Features(parts(blobs(rng, 6), corners=30))
    at, piece = others.within(own, reach)
    far = shapely.distance(own.geometry[:, None], others.pieces.geometry)
    assert set(zip(at.tolist(), piece.tolist(), strict=True)) == set(
        zip(*(k.tolist() for k in np.nonzero(far <= reach)), strict=True)
    )


def test_a_micrometre_apart_is_a_touch_and_a_millimetre_is_not():
    site = cut(box(0, 0, 10, 10))
    for gap, pairs in ((0.0, 1), (5e-7, 1), (1e-3, 0)):
        met = Features(cut(box(10 + gap, 0, 20, 10))).met(site, 1)
        assert len(met.site) == pairs
        assert met.area.tolist() == [0.0]


def test_a_site_without_features_and_features_without_a_site_meet_nothing():
    one, none = cut(box(0, 0, 10, 10)), cut()
    assert Features(none).met(one, 1).area.tolist() == [0.0]
    assert Features(none).nearest(one)[0].tolist() == []
    assert Features(one).nearest(none)[0].tolist() == []
    assert Features(one).met(none, 2).area.tolist() == [0.0, 0.0]
    assert Features(none).within(one, 5.0)[0].tolist() == []


def test_a_line_site_has_pairs_and_no_area():
    line = cut(shapely.LineString([(EAST, NORTH), (EAST + 50, NORTH)]))
    met = Features(cut(box(-10, -10, 10, 10))).met(line, 1)
    assert (met.site.tolist(), met.area.tolist(), met.length.tolist()) == ([0], [0.0], [0.0])


def test_blocks_of_any_size_give_the_same_bytes(monkeypatch):
    rng = np.random.default_rng(8)
    own, others = parts(blobs(rng, 30)), parts(blobs(rng, 30))
    whole = Features(others).met(own, 30)
    monkeypatch.setattr(meetings, "_BLOCK", 3)
    monkeypatch.setattr(meetings, "_TOGETHER", 4)
    again = Features(others).met(own, 30)
    assert whole.area.tobytes() == again.area.tobytes()
    assert (whole.site.tolist(), whole.feature.tolist()) == (
        again.site.tolist(),
        again.feature.tolist(),
    )


def test_geometries_that_a_caller_has_prepared_may_be_given():
    site = box(0, 0, 10, 10)
    shapely.prepare(site)
    assert Features(cut(site)).met(cut(site, site), 2).area.tolist() == [100.0, 100.0]


def test_groups_are_united_each_by_itself():
    shapes = np.array([box(0, 0, 2, 2), box(1, 0, 3, 2), box(0, 0, 1, 1), box(9, 9, 10, 10)])
    at, unions = united(shapes, np.array([4, 4, 1, 4]))
    assert at.tolist() == [1, 4]
    assert shapely.area(unions).tolist() == [1.0, 7.0]


def test_of_several_numbers_of_a_pair_the_least_is_kept():
    one = (np.array([1, 0, 1]), np.array([2, 5, 2]), np.array([9.0, 1.0, 3.0]))
    site, feature, number = firsts([one])
    assert (site.tolist(), feature.tolist(), number.tolist()) == ([0, 1], [5, 2], [1.0, 3.0])
    assert [len(k) for k in firsts([])] == [0, 0, 0]
