"""Areas of interest: what is refused, and why. What is found is in test_planning."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from pyproj import CRS

from geosite.aoi import area_of_interest, named_states
from geosite.catalog import Catalog, Rulebook
from geosite.crs import WGS84, areal_scale, strays
from geosite.errors import CatalogError, CoverageError, CRSMismatchError

ALBERS, ALASKA = CRS.from_epsg(5070), CRS.from_epsg(3338)
NOTHING = Catalog(Path("nowhere"), {})


def aoi(text, crs=ALBERS):
    book = Rulebook({}, None, None, {}, None, None)
    return area_of_interest(text, NOTHING, book, Path("nowhere"), crs)


def test_a_box_keeps_its_area():
    _, outline = aoi("-117,40,-116,41")
    assert outline.area / 1e6 == pytest.approx(9_392, rel=0.01)


@pytest.mark.parametrize("text", ["40,-83,41,-82", "-180,-90,180,90", "10,45,11,46"])
def test_an_area_where_the_grid_is_not_meant_for_is_refused(text):
    with pytest.raises(CoverageError, match="not meant for that; are longitude and latitude"):
        aoi(text)


def test_an_area_beyond_the_antimeridian_is_alaskas():
    assert aoi("-179,52,-140,70", ALASKA)[1].area > 0
    assert not strays((172.0, 51.0, 179.0, 53.0), ALASKA)


@pytest.mark.parametrize("code", [3857, 32761, 6350])
def test_a_grid_must_keep_areas(code):
    crs = CRS.from_epsg(code)
    if abs(areal_scale(crs, -117, 40) - 1) < 0.01:
        assert aoi("-117,40,-116,41", crs)
    else:
        with pytest.raises((CRSMismatchError, CoverageError), match=r"keep areas|not meant for"):
            aoi("-117,40,-116,41", crs)


def test_web_mercator_is_off_by_seven_tenths_at_forty_degrees():
    assert areal_scale(CRS.from_epsg(3857), -117, 40) == pytest.approx(1.70, abs=0.02)
    assert areal_scale(ALBERS, -117, 40) == pytest.approx(1, abs=1e-6)


def test_a_file_with_swapped_coordinates_has_no_place(tmp_path):
    path = tmp_path / "swapped.geojson"
    gpd.GeoDataFrame(geometry=[shapely.box(40, -117, 41, -116)], crs=WGS84).to_file(path)
    with pytest.raises(CoverageError, match="are longitude and latitude swapped"):
        aoi(str(path))


def test_a_misspelt_state_is_told_with_its_place():
    states = gpd.GeoDataFrame({"name": ["Iowa", "Ohio"]}, geometry=[shapely.Point(0, 0)] * 2)
    assert named_states(states, ["IOWA"], "here")["name"].tolist() == ["Iowa"]
    with pytest.raises(CatalogError, match="here: aoi/states has no state called Iowaa"):
        named_states(states, ["Iowaa", "Ohio"], "here")
