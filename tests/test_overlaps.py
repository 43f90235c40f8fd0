import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS, Geod

from geosite import crs
from geosite.errors import CRSMismatchError
from geosite.overlaps import areas, directions, touches
from tests.shapes import EAST, NORTH, blobs, box, neighbour
from tests.toyworld import ALBERS

SEEDS = st.integers(0, 10**6)
SITE = box(0, 0, 1000, 1000)


def frame(*shapes, **columns):
    return gpd.GeoDataFrame(columns, geometry=np.array(shapes, object), crs=ALBERS)


def of(features, site=SITE, **asked):
    """What one site has to do with features."""
    return touches(frame(site), features, **asked).iloc[0]


# ── laws of areas ─────────────────────────────────────────────────────────────────────────────
@given(SEEDS)
def test_an_area_is_that_under_the_union_and_at_most_either(seed):
    rng = np.random.default_rng(seed)
    sites, features = blobs(rng, 4), blobs(rng, 9)
    union = shapely.union_all(features)
    found = areas(sites, features)
    assert found == pytest.approx(
        shapely.area(shapely.intersection(sites, union)), rel=1e-9, abs=1e-6
    )
    assert (found <= shapely.area(sites)).all()
    assert (found >= 0).all()
    assert (found <= union.area * (1 + 1e-12)).all()


@given(SEEDS)
def test_a_feature_given_twice_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    sites, features = blobs(rng, 3), blobs(rng, 5)
    twice = np.concatenate([features, features[:3]])
    assert areas(sites, twice) == pytest.approx(areas(sites, features), rel=1e-9, abs=1e-6)


@given(SEEDS, st.floats(0.1, 0.9))
def test_a_feature_that_is_split_changes_nothing(seed, at):
    rng = np.random.default_rng(seed)
    sites, features = blobs(rng, 3), blobs(rng, 5)
    left, bottom, right, top = shapely.total_bounds(features)
    x = left + at * (right - left)
    halves = [
        shapely.box(left - 1, bottom - 1, x, top + 1),
        shapely.box(x, bottom - 1, right + 1, top + 1),
    ]
    split = np.concatenate([shapely.intersection(features, half) for half in halves])
    assert areas(sites, split) == pytest.approx(areas(sites, features), rel=1e-9, abs=1e-5)


@given(SEEDS)
def test_the_parts_of_a_site_add_up_to_it(seed):
    rng = np.random.default_rng(seed)
    site, features = blobs(rng, 1), blobs(rng, 6)
    left, bottom, right, top = site[0].bounds
    x, y = (left + right) / 2, (bottom + top) / 2
    quarters = [
        shapely.box(a, b, a + x - left, b + y - bottom) for a in (left, x) for b in (bottom, y)
    ]
    parted = areas(shapely.intersection(site[0], quarters), features)
    assert parted.sum() == pytest.approx(areas(site, features)[0], rel=1e-9, abs=1e-5)


@given(SEEDS)
def test_another_feature_never_makes_an_area_smaller(seed):
    rng = np.random.default_rng(seed)
    sites, features = blobs(rng, 3), blobs(rng, 6)
    fewer = areas(sites, features[:-1])
    assert (areas(sites, features) >= fewer * (1 - 1e-9) - 1e-6).all()


def test_a_site_wholly_covered_has_its_own_area_and_a_share_of_exactly_one():
    lattice = [box(k * 100, -50, k * 100 + 100, 1050) for k in range(-1, 12)]
    row = of(frame(*lattice))
    assert row["share"] == 1.0
    assert row["overlap_ha"] * 10_000 == pytest.approx(SITE.area, rel=1e-12)


def test_holes_are_not_covered_and_parts_are():
    ring = box(0, 0, 1000, 1000).difference(box(200, 200, 800, 800))
    two = shapely.MultiPolygon([box(0, 0, 100, 1000), box(900, 0, 1000, 1000)])
    assert areas(np.array([SITE, two]), np.array([ring])) == pytest.approx([640_000, 200_000])


def test_nothing_covers_nothing():
    nothing = np.array([None, shapely.Polygon()], object)
    assert areas(np.array([SITE]), nothing).tolist() == [0.0]
    assert areas(nothing, np.array([SITE])).tolist() == [0.0, 0.0]
    assert areas(np.empty(0, object), np.empty(0, object)).tolist() == []


def test_a_feature_that_crosses_itself_is_repaired():
    xy = np.array([(0, 0), (1000, 1000), (1000, 0), (0, 1000)]) + np.array([EAST, NORTH])
    bow = shapely.Polygon(xy)
    assert areas(np.array([SITE]), np.array([bow])) == pytest.approx([500_000])


# ── the table ─────────────────────────────────────────────────────────────────────────────────
def test_each_site_has_its_row_under_its_own_id_and_in_order():
    sites = frame(box(5_000, 0, 5_100, 100), SITE)
    sites.index = pd.Index(["NV-2", "NV-1"], name="site")
    found = touches(sites, frame(box(0, 0, 500, 1000), name=["Marsh"]))
    assert found.index.equals(sites.index)
    assert found["overlap_ha"].tolist() == pytest.approx([0, 50])
    assert found["share"].tolist() == pytest.approx([0, 0.5])
    assert found["names"].tolist() == [(), ("Marsh",)]
    assert found["standing"].tolist() == ["clear", "certain"]


def test_names_are_distinct_sorted_and_without_the_nameless():
    row = of(
        frame(*[box(0, 0, 10 * k, 10) for k in range(1, 6)], name=["Pine", "Oak", None, "Pine", ""])
    )
    assert row["names"] == ("Oak", "Pine")
    assert row["features_n"] == 5


def test_features_without_a_column_of_names_have_none():
    row = of(frame(box(0, 0, 10, 10)))
    assert (row["names"], row["features_n"]) == ((), 1)


def test_lines_have_a_length_counted_once_and_points_only_touch():
    along = shapely.LineString([(EAST - 500, NORTH + 300), (EAST + 400, NORTH + 300)])
    again = shapely.LineString([(EAST + 100, NORTH + 300), (EAST + 600, NORTH + 300)])
    spring = shapely.Point(EAST + 5, NORTH + 5)
    row = of(frame(along, again, spring, name=["Creek", "Creek", "Spring"]))
    assert row["length_m"] == pytest.approx(600)
    assert (row["overlap_ha"], row["share"], row["nearest_m"]) == (0, 0, 0)
    assert row["names"] == ("Creek", "Spring")
    assert row["standing"] == "certain"
    assert np.isnan(of(frame(spring))["length_m"])


def test_where_there_is_no_feature_nothing_is_near():
    row = of(frame(name=[]), ring=8_000, reach=500, accuracy=10)
    assert (row["overlap_ha"], row["features_n"], row["ring_n"]) == (0, 0, 0)
    assert row["standing"] == "clear"
    assert row["direction"] == row["nearest_name"] == ""
    assert np.isnan(row["nearest_m"])
    assert np.isnan(row["bearing_deg"])


def test_a_site_of_nothing_touches_nothing():
    row = of(frame(SITE), site=None, ring=10.0, accuracy=5.0)
    assert row["standing"] == "clear"
    assert np.isnan([row["share"], row["nearest_m"]]).all()


def test_no_sites_make_an_empty_table():
    found = touches(frame(), frame(SITE), ring=100.0, accuracy=5.0)
    assert len(found) == 0
    assert "standing" in found.columns


def test_the_order_of_features_does_not_matter():
    rng = np.random.default_rng(4)
    sites, features = frame(*blobs(rng, 6)), frame(*blobs(rng, 9), name=list("abcdefghi"))
    one = touches(sites, features, ring=2_000.0, reach=300.0, accuracy=100.0)
    other = touches(sites, features.iloc[::-1], ring=2_000.0, reach=300.0, accuracy=100.0)
    pd.testing.assert_frame_equal(one, other, rtol=1e-9)


# ── distance and direction ────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("lon", "lat", "direction"),
    [(-117, 41.5, "N"), (-116, 41, "E"), (-117, 40.5, "S"), (-118, 41, "W"), (-116.5, 41.38, "NE")],
)
def test_distance_and_direction_are_those_on_the_ground(lon, lat, direction):
    x, y = crs.transformed(np.array([-117.0, lon]), np.array([41.0, lat]), crs.WGS84, ALBERS)
    row = of(frame(shapely.Point(x[1], y[1])), site=shapely.Point(x[0], y[0]).buffer(0.01))
    azimuth, _, far = Geod(ellps="WGS84").inv(-117, 41, lon, lat)
    assert row["nearest_m"] == pytest.approx(far, abs=0.05)
    assert row["bearing_deg"] == pytest.approx(azimuth % 360, abs=1e-3)
    assert row["direction"] == direction


def test_the_grids_own_distance_is_not_the_one_on_the_ground():
    row = of(frame(box(1000, 21_000, 2000, 22_000)))
    assert abs(row["nearest_m"] - 20_000) > 20


def test_the_nearest_feature_is_named_and_where_they_touch_there_is_no_bearing():
    far = frame(box(5_000, 0, 5_100, 100), box(1_500, 0, 1_600, 100), name=["Far", "Near"])
    assert of(far)["nearest_name"] == "Near"
    touching = of(frame(box(500, 0, 1_600, 100), name=["Here"]))
    assert (touching["nearest_m"], touching["direction"], touching["nearest_name"]) == (0, "", "")
    assert np.isnan(touching["bearing_deg"])


def test_sixteen_directions_go_round():
    said = directions(np.array([*(22.5 * np.arange(16)), 359.0, np.nan]))
    assert said.tolist()[:5] == ["N", "NNE", "NE", "ENE", "E"]
    assert said.tolist()[12:] == ["W", "WNW", "NW", "NNW", "N", ""]


@given(SEEDS, st.floats(10, 5_000))
def test_a_ring_holds_what_is_so_near_on_the_ground(seed, ring):
    rng = np.random.default_rng(seed)
    sites = frame(*blobs(rng, 3))
    shapes = blobs(rng, 8, edge=20_000.0)
    found = touches(sites, frame(*shapes, name=[str(k) for k in range(8)]), ring=ring)
    for site, names, count in zip(
        sites.geometry, found["ring_names"], found["ring_n"], strict=True
    ):
        ends = shapely.get_coordinates(shapely.shortest_line(site, shapes)).reshape(-1, 2, 2)
        far, _ = crs.geodesic(ends[:, 0], ends[:, 1], ALBERS)
        clear = np.abs(far - ring) > 1e-3
        assert set(np.flatnonzero((far <= ring) & clear).astype(str)) <= set(names)
        assert set(names) <= set(np.flatnonzero((far <= ring) | ~clear).astype(str))
        assert count == len(names)


# ── certain, possible, clear ──────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("gap", "reach", "accuracy", "standing"),
    [
        (200, 0, None, "clear"),
        (200, 0, 100, "clear"),
        (200, 0, 250, "possible"),
        (200, 150, 30, "clear"),
        (200, 190, 30, "possible"),
        (200, 210, 30, "possible"),
        (200, 240, 30, "certain"),
        (200, 210, None, "certain"),
        (-300, 0, None, "certain"),
        (-300, 0, 100, "certain"),
        (-300, 0, 400, "possible"),  # neither holds a point 400 m inside the other
        (-300, 150, 400, "certain"),  # 250 m deep is enough where 150 m are in reach
        (0, 0, None, "possible"),  # a common edge
        (0, 0, 10, "possible"),
        (0, 50, 10, "certain"),
    ],
)
def test_accuracy_makes_an_overlap_certain_or_possible(gap, reach, accuracy, standing):
    # Broad enough that only the gap decides; a gap below zero is an overlap.
    other = frame(box(1000 + gap, -2000, 5000, 3000), name=["Wilderness"])
    row = of(other, reach=reach, accuracy=accuracy)
    assert row["standing"] == standing
    assert row["accuracy_known"] == (accuracy is not None)
    assert (row["reach_names"] == ("Wilderness",)) == (standing != "clear")


def test_a_small_feature_deep_inside_a_site_is_certain():
    pond = box(495, 495, 505, 505)
    assert of(frame(pond), accuracy=400)["standing"] == "certain"
    assert of(frame(pond), accuracy=600)["standing"] == "possible"
    assert of(frame(pond.centroid), accuracy=400)["standing"] == "certain"


def test_two_features_side_by_side_are_as_deep_as_their_union():
    halves = box(-2000, -2000, 500, 3000), box(500, -2000, 3000, 3000)
    small = box(400, 400, 600, 600)
    assert of(frame(*halves), site=small, accuracy=450)["standing"] == "certain"
    assert of(frame(halves[0]), site=small, accuracy=450)["standing"] == "possible"


def test_a_site_near_the_edge_inside_may_lie_outside():
    park = box(-5_000, -5_000, 1_010, 5_000)
    small = box(990, 0, 1_000, 10)
    row = of(frame(park), site=small, accuracy=100)
    assert (row["share"], row["standing"]) == (1.0, "possible")


def test_each_feature_may_have_a_reach_of_its_own():
    lines = frame(box(1200, 0, 1210, 10), box(1400, 0, 1410, 10), name=["138 kV", "500 kV"])
    row = of(lines, reach=np.array([100.0, 450.0]))
    assert row["reach_names"] == ("500 kV",)
    assert row["standing"] == "certain"
    assert of(lines, reach=np.array([100.0, 300.0]))["standing"] == "clear"


def test_rounding_along_a_common_edge_is_a_touch():
    beside = shapely.transform(neighbour(SITE), lambda xy: xy - (1e-9, 0))
    row = of(frame(beside, name=["Park"]))
    assert (row["standing"], row["names"]) == ("possible", ("Park",))


# ── bad input ─────────────────────────────────────────────────────────────────────────────────
def test_frames_without_a_crs_of_two_or_in_degrees_are_refused():
    good, none = frame(SITE), frame(SITE).set_crs(None, allow_override=True)
    with pytest.raises(CRSMismatchError, match="the sites and the features carry no CRS"):
        touches(none, none)
    with pytest.raises(CRSMismatchError, match="the features carry no CRS"):
        touches(good, none)
    alaska = frame(SITE).set_crs(CRS.from_epsg(3338), allow_override=True)
    with pytest.raises(CRSMismatchError, match=r"sites are in .*Conus.*features in .*Alaska"):
        touches(good, alaska)
    degrees = frame(SITE).set_crs(CRS.from_epsg(4326), allow_override=True)
    with pytest.raises(CRSMismatchError, match=r"WGS 84 is not projected in metres"):
        touches(degrees, degrees)


def test_reaches_of_another_number_than_the_features_are_refused():
    with pytest.raises(ValueError, match="2 reaches for 1 features"):
        touches(frame(SITE), frame(SITE), reach=np.array([1.0, 2.0]))
