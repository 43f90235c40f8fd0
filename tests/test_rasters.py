"""Rasters of a plan, sampled the more densely the coarser the grid."""

import pytest

from geosite.rasters import MOST_SAMPLES, raster_surface
from tests.worlds import make_hamlet


@pytest.mark.parametrize(("resolution", "samples"), [(100, 1), (200, 1), (400, 2), (5000, 4)])
def test_a_coarse_cell_is_averaged_from_samples_up_to_sixteen(tmp_path, resolution, samples):
    planned = make_hamlet(tmp_path / "hamlet").plan()
    grid = planned.grid
    coarse = type(grid).covering(grid.bounds, grid.crs, resolution=resolution)
    surface, raster = raster_surface(planned, "terrain/elevation", coarse)
    assert surface.subsamples == samples <= MOST_SAMPLES
    assert surface.shape == raster.shape == (80, 80)
    assert [f.path for f in raster.files] == ["dem.tif"]
