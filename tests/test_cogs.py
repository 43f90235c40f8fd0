"""A rough GeoTIFF made into a Cloud Optimized one."""

import numpy as np
import rasterio
from rasterio.transform import from_origin

from geosite.cogs import optimized


def test_the_copy_has_the_values_and_the_rough_one_is_gone(tmp_path):
    rough, path = tmp_path / "status.rough.tif", tmp_path / "status.tif"
    # Codes 1 and 4 in turns: any mean of neighbours would be a third code.
    cells = np.where(np.add.outer(np.arange(1024), np.arange(1024)) % 2, 1, 4).astype(np.uint8)
    profile = {"driver": "GTiff", "height": 1024, "width": 1024, "count": 1, "dtype": "uint8"}
    place = {"crs": "EPSG:5070", "transform": from_origin(0, 0, 90, 90)}
    with rasterio.open(rough, "w", **profile, **place) as file:
        file.write(cells, 1)
    optimized(rough, path)
    assert [p.name for p in tmp_path.iterdir()] == ["status.tif"]
    with rasterio.open(path) as file:
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        np.testing.assert_array_equal(file.read(1), cells)
        (factor,) = file.overviews(1)
        half = file.read(1, out_shape=(1024 // factor, 1024 // factor))
        assert set(np.unique(half)) <= {1, 4}
