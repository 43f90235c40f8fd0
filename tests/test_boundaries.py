"""Land that somebody drew: what would have to be guessed is refused by its name."""

from __future__ import annotations

import geopandas as gpd
import pytest
import shapely
from pyproj import CRS

from geosite.boundaries import boundary
from geosite.crs import WGS84
from geosite.errors import CoverageError, CRSMismatchError, LayerDataError

ALBERS, ALASKA = CRS.from_epsg(5070), CRS.from_epsg(3338)
BOW = [(-117, 40), (-116, 41), (-116, 40), (-117, 41)]
HALF_BOW = [(-117, 40), (-116, 41), (-116, 40), (-117, 40.5)]
HOLE = shapely.Polygon(
    [(-117, 40), (-116, 40), (-116, 41), (-117, 41)],
    [[(-116.8, 40.2), (-116.8, 40.8), (-116.2, 40.8), (-116.2, 40.2)]],
)


def drawn(folder, *shapes, crs=WGS84, name="drawn.geojson"):
    path = folder / name
    gpd.GeoDataFrame({"n": range(len(shapes))}, geometry=list(shapes), crs=crs).to_file(path)
    return name


def test_a_box_and_a_file_of_the_same_land(tmp_path):
    box = boundary("-117,40,-116,41", tmp_path, ALBERS)
    assert box.area / 1e6 == pytest.approx(9_392, rel=0.01)
    edge = shapely.segmentize(shapely.box(-117, 40, -116, 41), 0.02)
    file = boundary(drawn(tmp_path, edge), tmp_path, ALBERS)
    assert file.symmetric_difference(box).area / box.area < 1e-6


def test_holes_and_overlaps_count_once(tmp_path):
    parts = (HOLE, shapely.box(-117, 40, -116.9, 41))
    land = boundary(drawn(tmp_path, *parts), tmp_path, WGS84)
    assert land.area == pytest.approx(1 - 0.36)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b,c,d", "four numbers"),
        ("179,51,-179,53", "antimeridian"),
        ("40,-117,41,-116", "swapped"),
        ("-117,41,-116,40", "swapped"),
        ("-117,40,-117,41", "west < east"),
        ("170,51,190,53", "west < east"),
        ("nan,40,-116,41", "west < east"),
        ("nowhere.gpkg", "there is no such file"),
    ],
)
def test_a_text_that_is_no_area(tmp_path, text, words):
    with pytest.raises(CoverageError) as caught:
        boundary(text, tmp_path, ALBERS)
    assert words in str(caught.value)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        ([shapely.Polygon(BOW)], "feature 1 crosses itself (Self-intersection at -116.5 40.5)"),
        ([shapely.box(-117, 40, -116, 41), shapely.Polygon(HALF_BOW)], "feature 2 crosses itself"),
        ([shapely.box(-179, 51, 179, 53)], "feature 1 crosses the antimeridian"),
        ([shapely.box(179, 51, 181, 53)], "feature 1 crosses the antimeridian"),
        ([shapely.box(51, 179, 53, 181)], "feature 1 has no place on earth"),
        ([shapely.Point(-117, 40)], "feature 1 is a Point; expected a polygon"),
        ([shapely.LineString([(-117, 40), (-116, 41)])], "feature 1 is a LineString"),
        ([None], "feature 1 has no shape"),
    ],
)
def test_what_a_file_may_not_hold(tmp_path, shapes, words):
    with pytest.raises(CoverageError) as caught:
        boundary(drawn(tmp_path, *shapes, name="drawn.gpkg"), tmp_path, ALBERS)
    assert words in str(caught.value)
    assert "drawn.gpkg" in str(caught.value)


def test_every_fault_of_a_file_is_named_and_many_are_counted(tmp_path):
    name = drawn(tmp_path, *[shapely.Polygon(BOW)] * 7, name="drawn.gpkg")
    with pytest.raises(CoverageError) as caught:
        boundary(name, tmp_path, ALBERS)
    assert str(caught.value).count("crosses itself") == 5
    assert "and 2 more" in str(caught.value)


def test_a_projected_file_beyond_the_antimeridian(tmp_path):
    beyond = gpd.GeoSeries([shapely.box(179.5, 51, 180.5, 52)], crs=WGS84)
    across = beyond.to_crs(ALASKA).iloc[0]
    with pytest.raises(CoverageError, match="crosses the antimeridian"):
        boundary(drawn(tmp_path, across, crs=ALASKA, name="drawn.gpkg"), tmp_path, ALASKA)


def test_a_file_that_is_none_or_carries_no_crs(tmp_path):
    (tmp_path / "text.gpkg").write_text("no vector file", encoding="utf-8")
    with pytest.raises(LayerDataError, match="cannot be read as a vector file"):
        boundary("text.gpkg", tmp_path, ALBERS)
    name = drawn(tmp_path, shapely.box(0, 0, 1, 1), name="bare.shp")
    (tmp_path / "bare.prj").unlink()
    with pytest.raises(CRSMismatchError, match="carries no CRS"):
        boundary(name, tmp_path, ALBERS)
    (tmp_path / "table.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(LayerDataError, match="a table without shapes"):
        boundary("table.csv", tmp_path, ALBERS)
    with pytest.raises(CoverageError, match="holds no feature"):
        boundary(drawn(tmp_path, name="empty.gpkg"), tmp_path, ALBERS)
