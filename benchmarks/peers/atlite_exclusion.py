"""atlite's part of the workload: land that is offered and not excluded, by an ExclusionContainer.

No distances but the setback, no slope, no score, no patches. Prints laps.
Usage: atlite_exclusion.py FOLDER, the folder nv90.
"""

import sys
import time
from pathlib import Path

LAP = time.perf_counter()

import geopandas as gpd  # noqa: E402
import shapely  # noqa: E402
from atlite.gis import ExclusionContainer, shape_availability  # noqa: E402


def lap(name):
    global LAP  # noqa: PLW0603
    print(f"{name}: {time.perf_counter() - LAP:.2f}", flush=True)
    LAP = time.perf_counter()


lap("import")
folder = Path(sys.argv[1])
layers = {
    n: gpd.read_file(folder / f"{n}.gpkg") for n in ("habitat", "tribal", "wilderness", "parcels")
}
lap("read")
excluder = ExclusionContainer(crs=5070, res=90)
# Frames: given nothing but series, atlite 0.7 takes all for opened and forgets the buffer.
excluder.add_geometry(layers["habitat"])
excluder.add_geometry(layers["tribal"])
excluder.add_geometry(layers["wilderness"], buffer=1000)
excluder.add_geometry(layers["parcels"], invert=True)
square = gpd.GeoSeries([shapely.box(-2_100_000, 1_760_000, -1_380_000, 2_300_000)], crs=5070)
available, _ = shape_availability(square, excluder)
lap("exclusion")
print(f"eligible cells before slope {int(available.sum())} of {available.size}")
