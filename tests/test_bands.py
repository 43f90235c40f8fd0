"""Surfaces as the bands of one raster file."""

import numpy as np
import rasterio
from pyproj import CRS

from geosite.bands import write_bands
from geosite.grid import Grid


def test_bands_keep_their_names_values_and_place(tmp_path):
    grid = Grid.covering((3000, 2000, 9000, 6000), CRS.from_epsg(5070), resolution=1000)
    one = np.arange(24, dtype=np.float32).reshape(4, 6)
    other = np.where(one > 7, np.nan, one)
    write_bands(tmp_path / "two.tif", grid, {"one": one, "other": other})
    assert [p.name for p in tmp_path.iterdir()] == ["two.tif"]
    with rasterio.open(tmp_path / "two.tif") as file:
        assert file.descriptions == ("one", "other")
        assert file.crs.to_epsg() == 5070
        assert file.transform == grid.transform
        assert np.isnan(file.nodata)
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        np.testing.assert_array_equal(file.read(), [one, other])
