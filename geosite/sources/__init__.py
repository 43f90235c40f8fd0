"""Sources: the only code that knows a file format. Files below the data root, checked and read."""

from geosite.sources.declared_crs import declared_crs
from geosite.sources.features import Counts, Features
from geosite.sources.outline import read_drawn, read_outline
from geosite.sources.place import FileRecord, Placed, missing_reason, placed
from geosite.sources.raster import Raster, open_raster
from geosite.sources.read import read_features, selected_features
from geosite.sources.select import selected

__all__ = [
    "Counts",
    "Features",
    "FileRecord",
    "Placed",
    "Raster",
    "declared_crs",
    "missing_reason",
    "open_raster",
    "placed",
    "read_drawn",
    "read_features",
    "read_outline",
    "selected",
    "selected_features",
]
