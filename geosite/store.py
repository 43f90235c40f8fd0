"""Surfaces of a run in one Zarr group, and Cloud Optimized GeoTIFFs made from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import rasterio
import rasterio.shutil
from rasterio.windows import Window

from geosite.grid import Grid

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import DTypeLike, NDArray


_LARGE = 2**28
"""Cells from which on a raster takes a gigabyte and more."""


@dataclass(frozen=True, slots=True)
class Store:
    """Surfaces of a grid in one Zarr group; each tile writes its own chunks."""

    path: Path
    grid: Grid
    _opened: dict[tuple[str, str], Any] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def create(
        cls,
        path: Path,
        grid: Grid,
        arrays: Mapping[str, tuple[int | None, DTypeLike, Any]],
        *,
        chunk: int,
    ) -> Store:
        """Make an empty store.

        Parameters
        ----------
        arrays : mapping of name to (layers or None, dtype, fill value)
            Arrays are (layers, y, x), or (y, x) where there are no layers.
        chunk : int
            Side of a chunk [cells]; it divides the tiles', so that no two tiles ever
            write the same chunk. Layers of one place lie in one chunk of half the side,
            because they are read together.
        """
        import zarr  # noqa: PLC0415 -- slow to import
        from zarr.codecs import BloscCodec  # noqa: PLC0415

        group = zarr.open_group(path, mode="w")
        for name, (layers, dtype, fill) in arrays.items():
            lead = () if layers is None else (layers,)
            side = chunk if layers is None or chunk % 2 else chunk // 2
            group.create_array(
                name,
                shape=(*lead, *grid.shape),
                chunks=(*lead, side, side),
                dtype=dtype,
                fill_value=fill,
                dimension_names=[*(f"{name}_layer" for _ in lead), "y", "x"],
                # Half the time of Zstandard, and a third larger: no tile waits for the disk.
                compressors=BloscCodec(cname="lz4", clevel=1, shuffle="shuffle"),
            )
        x, y = grid.centres()
        for name, values in (("x", x), ("y", y)):
            at = group.create_array(name, shape=values.shape, dtype="f8", dimension_names=[name])
            at[:] = values
        return cls(path, grid)

    def write(self, window: Grid, values: Mapping[str, NDArray[Any]]) -> None:
        """Write the surfaces of one window; chunks of nothing but the fill value take no room."""
        rows, columns = self.grid.window(window)
        for name, array in values.items():
            self._array(name, "r+")[..., rows, columns] = array

    def write_cells(
        self, name: str, window: Grid, where: NDArray[np.bool_], values: NDArray[Any]
    ) -> None:
        """Write values of some cells of a window into every layer of an array.

        Parameters
        ----------
        where : (y, x) bool
        values : (layers, cells)
            In the reading order of `where`; some rows are in memory at a time.
        """
        array = self._array(name, "r+")
        side = array.chunks[-1]
        begin = 0
        for band in window.bands(side):
            here = where[window.window(band)]
            end = begin + int(np.count_nonzero(here))
            if end > begin:
                layers = np.full((len(values), *band.shape), array.fill_value, array.dtype)
                layers[:, here] = values[:, begin:end]
                array[(slice(None), *self.grid.window(band))] = layers
            begin = end

    def read(self, name: str, window: Grid) -> NDArray[Any]:
        """One array on a window."""
        return np.asarray(self._array(name, "r")[(..., *self.grid.window(window))])

    def _array(self, name: str, mode: Literal["r", "r+"]) -> Any:
        import zarr  # noqa: PLC0415 -- slow to import

        # Opening an array reads its metadata, which takes longer than a small window.
        if (name, mode) not in self._opened:
            _calm()
            self._opened[name, mode] = zarr.open_array(self.path, path=name, mode=mode)
        return self._opened[name, mode]

    def dataset(self) -> xr.Dataset:
        """Every surface, lazily."""
        import xarray as xr  # noqa: PLC0415 -- slow to import

        found: xr.Dataset = xr.open_zarr(self.path, consolidated=False, chunks=None)
        return found

    def write_cog(self, name: str, path: Path, *, nodata: float, windows: Sequence[Grid]) -> None:
        """Write one (y, x) array as a Cloud Optimized GeoTIFF."""
        rough = path.with_suffix(".rough.tif")
        rows, columns = self.grid.shape
        dtype = self._array(name, "r").dtype
        profile = {
            "driver": "GTiff",
            "height": rows,
            "width": columns,
            "count": 1,
            "dtype": dtype,
            "crs": self.grid.crs.to_wkt(),
            "transform": self.grid.transform,
            "nodata": nodata,
            "tiled": True,
            "blockxsize": 512,
            "blockysize": 512,
            "bigtiff": "if_safer",
            "sparse_ok": True,
        }
        if self.grid.cells > _LARGE:
            # What is read again at once needs no compression, unless it would fill the disk.
            profile |= {"compress": "zstd", "zstd_level": 1, "num_threads": "all_cpus"}
        with rasterio.Env(GDAL_CACHEMAX=64):
            with rasterio.open(rough, "w", **profile) as file:
                for window in windows:
                    values = self.read(name, window)
                    if not _is_only(values, nodata):
                        r, c = self.grid.window(window)
                        file.write(values, 1, window=Window.from_slices(r, c))
            rasterio.shutil.copy(
                rough,
                path,
                driver="COG",
                compress="zstd",
                level=1,
                overview_resampling="nearest",
                num_threads="all_cpus",
                bigtiff="if_safer",
            )
        rough.unlink()


def _is_only(values: NDArray[Any], value: float) -> bool:
    return bool(np.isnan(values).all() if np.isnan(value) else (values == value).all())


def _calm() -> None:
    # The tiles are what runs side by side; more threads within each only wait for another.
    import zarr  # noqa: PLC0415

    zarr.config.set({"async.concurrency": 2, "threading.max_workers": 2})
