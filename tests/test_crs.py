import geopandas as gpd
import numpy as np
import pytest
import shapely
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS

from geosite import crs
from geosite.errors import CRSMismatchError

ALBERS = CRS.from_epsg(5070)
ALASKA = CRS.from_epsg(3338)
LON, LAT = st.floats(-124, -67), st.floats(25, 49)


@given(LON, LAT)
def test_there_and_back_again(lon, lat):
    x, y = crs.transformed(np.array([lon]), np.array([lat]), crs.WGS84, ALBERS)
    again_lon, again_lat = crs.transformed(x, y, ALBERS, crs.WGS84)
    assert again_lon[0] == pytest.approx(lon, abs=1e-8)
    assert again_lat[0] == pytest.approx(lat, abs=1e-8)


def test_longitude_comes_first():
    x, y = crs.transformed(np.array([-96.0]), np.array([23.0]), crs.WGS84, ALBERS)
    assert (x[0], y[0]) == pytest.approx((0, 0), abs=2)  # the origin of the projection


def test_a_place_without_an_image_is_infinite():
    x, y = crs.transformed(np.array([np.inf]), np.array([40.0]), crs.WGS84, ALBERS)
    assert np.isinf([x[0], y[0]]).all()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("EPSG:4326", "OGC:CRS84", True),
        ("EPSG:5070", CRS.from_epsg(5070).to_wkt(), True),
        ("EPSG:4326", "EPSG:4269", False),
        ("EPSG:5070", "EPSG:3338", False),
    ],
)
def test_one_system_in_two_spellings_is_the_same(one, other, same):
    assert crs.same_crs(CRS(one), CRS(other)) is same


def test_a_name_that_is_no_crs_is_refused_with_its_place():
    with pytest.raises(CRSMismatchError, match=r"^rail.yaml: crs: 'EPSG:banana' is not a"):
        crs.parsed_crs("EPSG:banana", "rail.yaml: crs")


def test_a_name_that_is_one_is_read():
    assert crs.parsed_crs("EPSG:5070", "here") == ALBERS


def test_features_without_a_crs_are_refused():
    with pytest.raises(CRSMismatchError, match="carry no CRS"):
        crs.projected(gpd.GeoDataFrame(geometry=[shapely.Point(0, 0)]), ALBERS)


def test_features_already_there_are_not_touched():
    frame = gpd.GeoDataFrame(geometry=[shapely.Point(-96, 40)], crs="EPSG:4326")
    assert crs.projected(frame, CRS("OGC:CRS84")) is frame


@given(LON, LAT)
def test_frames_geometries_and_coordinates_go_to_the_same_place(lon, lat):
    point = shapely.Point(lon, lat)
    x, y = crs.transformed(np.array([lon]), np.array([lat]), crs.WGS84, ALBERS)
    frame = gpd.GeoDataFrame(geometry=[point], crs=crs.WGS84)
    moved = crs.projected(frame, ALBERS).geometry.iloc[0]
    alone = crs.projected_geometry(point, crs.WGS84, ALBERS)
    assert (moved.x, moved.y) == (alone.x, alone.y) == pytest.approx((x[0], y[0]), abs=1e-6)


@given(LON, LAT, st.floats(0, 1), st.floats(0, 1))
def test_bounds_hold_every_point_that_was_in_them(lon, lat, along, up):
    box = (lon, lat, lon + 8, lat + 4)
    left, bottom, right, top = crs.projected_bounds(box, crs.WGS84, ALBERS)
    x, y = crs.transformed(np.array([lon + 8 * along]), np.array([lat + 4 * up]), crs.WGS84, ALBERS)
    assert left - 500 <= x[0] <= right + 500  # 21 points an edge leave a sagitta of this order
    assert bottom - 500 <= y[0] <= top + 500


@pytest.mark.parametrize(("system", "lon", "lat"), [(ALBERS, -117, 40), (ALASKA, -150, 64)])
def test_a_picture_lies_on_the_map_where_the_land_is(system, lon, lat):
    """A lit cell must be found at its own longitude and latitude, not beside it."""
    size, cell = 400, 1000.0
    x, y = crs.transformed(np.array([float(lon)]), np.array([float(lat)]), crs.WGS84, system)
    left = np.floor(x[0] / cell) * cell - size / 2 * cell
    top = np.floor(y[0] / cell) * cell + size / 2 * cell
    transform = Affine(cell, 0, left, 0, -cell, top)
    rows, columns = np.array([20, 20, 200, 380, 380]), np.array([20, 380, 200, 20, 380])
    values = np.zeros((size, size), np.float32)
    for r, c in zip(rows, columns, strict=True):
        values[r - 1 : r + 2, c - 1 : c + 2] = r * size + c  # three cells wide: nearest may skip
    width = 700
    image, (west, south, east, north) = crs.warped_to_web_mercator(
        values, system, transform, width=width
    )
    centre_lon, centre_lat = crs.transformed(
        left + (columns + 0.5) * cell, top - (rows + 0.5) * cell, system, crs.WGS84
    )

    def northing(latitude):  # the y of Web Mercator, up to scale
        return np.log(np.tan(np.pi / 4 + np.radians(latitude) / 2))

    across = (centre_lon - west) / (east - west) * image.shape[1]
    down = (northing(north) - northing(centre_lat)) / (northing(north) - northing(south))
    found = image[(down * image.shape[0]).astype(int), across.astype(int)]
    assert image.shape[1] == width
    assert found.tolist() == (rows * size + columns).tolist()


def test_outside_the_land_the_picture_is_transparent():
    values = np.ones((100, 100), np.float32)
    transform = Affine(10_000, 0, -2_300_000, 0, -10_000, 2_900_000)
    image, _ = crs.warped_to_web_mercator(values, ALBERS, transform, width=200)
    assert np.isnan(image[0, 0]) or np.isnan(image[0, -1])
    assert np.nanmin(image) == np.nanmax(image) == 1


@pytest.mark.parametrize(
    ("start", "end", "metres", "bearing"),
    [
        # a degree of the meridian and of the equator, from the ellipsoid's own formulas
        ((0, 0), (0, 1), 110_574.389, 0),
        ((0, 0), (1, 0), 111_319.491, 90),
        ((0, 1), (0, 0), 110_574.389, 180),
        ((1, 0), (0, 0), 111_319.491, 270),
    ],
)
def test_distance_and_bearing_follow_the_ellipsoid(start, end, metres, bearing):
    far, way = crs.geodesic(np.array([start], float), np.array([end], float), crs.WGS84)
    assert far[0] == pytest.approx(metres, abs=0.001)
    assert way[0] == pytest.approx(bearing, abs=1e-9)


@given(LON, LAT)
def test_distances_are_the_same_from_any_plane(lon, lat):
    ends = np.array([[lon, lat], [lon + 0.5, lat + 0.3]])
    x, y = crs.transformed(ends[:, 0], ends[:, 1], crs.WGS84, ALBERS)
    plane = np.c_[x, y]
    ground = crs.geodesic(ends[:1], ends[1:], crs.WGS84)
    again = crs.geodesic(plane[:1], plane[1:], ALBERS)
    assert again[0] == pytest.approx(ground[0], rel=1e-9)
    assert again[1] == pytest.approx(ground[1], abs=1e-6)


@given(st.floats(-2_000_000, 2_000_000), st.floats(500_000, 2_900_000))
def test_a_planes_scale_bounds_its_distances(x, y):
    least, most = crs.linear_scales(ALBERS, (x, y, x + 20_000, y + 20_000))
    assert least <= 1.0 <= most
    ends = np.array([[x, y], [x + 20_000, y + 20_000], [x, y + 20_000], [x + 20_000, y]])
    far, _ = crs.geodesic(ends[[0, 2]], ends[[1, 3]], ALBERS)
    plane = np.hypot(20_000, 20_000)
    assert (least * far <= plane * 1.001).all()
    assert (plane <= most * far * 1.001).all()


def test_a_conformal_plane_has_one_scale_at_a_place():
    least, most = crs.linear_scales(CRS.from_epsg(32611), (500_000, 4e6, 500_001, 4_000_001))
    assert (least, most) == pytest.approx((0.9996, 0.9996), abs=1e-6)
