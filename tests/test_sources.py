"""What the sources offer to the rest of the program; how they read is in test_read.py."""

import geopandas as gpd
import pytest
import shapely

from geosite import sources
from geosite.errors import CRSMismatchError, LayerDataError
from geosite.sources import read_outline

SQUARE = shapely.box(-117, 40, -116, 41)


def written(path, shapes, crs="EPSG:4326"):
    gpd.GeoDataFrame({"n": range(len(shapes))}, geometry=shapes, crs=crs).to_file(path)
    return path


def test_everything_offered_is_there_once():
    assert len(set(sources.__all__)) == len(sources.__all__)
    assert all(hasattr(sources, name) for name in sources.__all__)


@pytest.mark.parametrize("ending", ["gpkg", "geojson", "fgb", "shp"])
def test_an_outline_is_read_from_any_vector_file(tmp_path, ending):
    found = read_outline(written(tmp_path / f"area.{ending}", [SQUARE]))
    assert found.crs.to_epsg() == 4326
    assert shapely.equals_exact(
        shapely.normalize(found.geometry.iloc[0]), shapely.normalize(SQUARE)
    )


def test_only_polygons_with_an_area_are_an_outline(tmp_path):
    line = shapely.LineString([(-117, 40), (-116, 41)])
    found = read_outline(written(tmp_path / "area.geojson", [SQUARE, line]))
    assert len(found) == 1


def test_an_outline_without_a_polygon_is_refused(tmp_path):
    path = written(tmp_path / "area.gpkg", [shapely.Point(-117, 40)])
    with pytest.raises(LayerDataError, match=r"area\.gpkg: holds no polygon"):
        read_outline(path)


def test_an_outline_without_a_crs_is_refused(tmp_path):
    path = written(tmp_path / "area.shp", [SQUARE])
    (tmp_path / "area.prj").unlink()
    with pytest.raises(CRSMismatchError, match="never guessed"):
        read_outline(path)


def test_an_outline_that_is_no_vector_file_is_refused(tmp_path):
    path = tmp_path / "area.gpkg"
    path.write_bytes(b"nothing")
    with pytest.raises(LayerDataError, match=r"area\.gpkg: cannot be read"):
        read_outline(path)
