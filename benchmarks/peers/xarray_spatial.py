"""xarray-spatial's part of the workload: proximity, slope and the weighted sum, no patches.

Burning the layers is rasterio's, as in the naive script: xarray-spatial has none. Prints laps;
writes xarray_spatial_suitability.tif. Usage: xarray_spatial.py FOLDER, the folder nv90.
"""

import sys
import time
from pathlib import Path

LAP = time.perf_counter()

import geopandas as gpd  # noqa: E402
import numpy as np  # noqa: E402
import rasterio  # noqa: E402
import xarray as xr  # noqa: E402
from rasterio import features  # noqa: E402
from rasterio.transform import from_origin  # noqa: E402
from xrspatial import proximity, slope  # noqa: E402

NY, NX, RES, X0, Y0 = 6000, 8000, 90.0, -2_100_000.0, 2_300_000.0
TRANSFORM = from_origin(X0, Y0, RES, RES)
CRITERIA = {
    "occurrences": (0.35, 20_000.0),
    "roads": (0.20, 30_000.0),
    "rail": (0.15, 50_000.0),
    "power": (0.15, 50_000.0),
}
EXCLUDED = ("habitat", "tribal", "wilderness")


def lap(name):
    global LAP  # noqa: PLW0603
    print(f"{name}: {time.perf_counter() - LAP:.2f}", flush=True)
    LAP = time.perf_counter()


def burn(geometries, **how):
    return features.rasterize(geometries, out_shape=(NY, NX), transform=TRANSFORM, **how)


def raster(values):
    y = Y0 - RES * (np.arange(NY) + 0.5)
    x = X0 + RES * (np.arange(NX) + 0.5)
    return xr.DataArray(values, coords={"y": y, "x": x}, dims=("y", "x"), attrs={"res": RES})


lap("import")
folder = Path(sys.argv[1])
layers = {n: gpd.read_file(folder / f"{n}.gpkg") for n in (*CRITERIA, *EXCLUDED, "parcels")}
with rasterio.open(folder / "dem.tif") as file:
    dem = file.read(1)
lap("read")

excluded = burn(layers["habitat"].geometry, dtype="uint8")
excluded |= burn(layers["tribal"].geometry, dtype="uint8")
excluded |= burn(layers["wilderness"].buffer(1000), dtype="uint8")
parcels = burn(layers["parcels"].geometry, dtype="uint8")
near = {n: burn(layers[n].geometry, dtype="uint8", all_touched=True) for n in CRITERIA}
lap("rasterise")

far = {}
for n, (_, worst) in CRITERIA.items():
    # Beyond the worst point nothing changes, and a bounded search is what it offers for that.
    found = proximity(raster(near.pop(n).astype("f4")), max_distance=worst).to_numpy()
    far[n] = np.where(np.isnan(found), worst, found)
lap("distance")

# It gives degrees.
steep = np.tan(np.radians(slope(raster(dem)).to_numpy()))
lap("slope")

suitability = 0.15 * np.clip(1 - steep / 0.6, 0, 1)
for n, (weight, worst) in CRITERIA.items():
    suitability += weight * np.clip(1 - far.pop(n) / worst, 0, 1)
suitability[(excluded > 0) | (parcels == 0) | ~(steep < 0.6)] = np.nan
suitability = suitability.astype("f4")
lap("score")

profile = {
    "driver": "GTiff",
    "height": NY,
    "width": NX,
    "count": 1,
    "dtype": "float32",
    "crs": "EPSG:5070",
    "transform": TRANSFORM,
    "nodata": np.nan,
    "compress": "zstd",
    "tiled": True,
}
with rasterio.open("xarray_spatial_suitability.tif", "w", **profile) as target:
    target.write(suitability, 1)
lap("write")
print(f"eligible cells {int(np.isfinite(suitability).sum())}, no patches")
