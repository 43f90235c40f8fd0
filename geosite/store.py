"""Surfaces of a run in one Zarr group, and Cloud Optimized GeoTIFFs made from them."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import rasterio
from rasterio.windows import Window

from geosite.cogs import optimized
from geosite.grid import Grid

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import DTypeLike, NDArray


_CODEC: tuple[Literal["lz4"], int] = ("lz4", 1)
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
                compressors=BloscCodec(cname=_CODEC[0], clevel=_CODEC[1], shuffle="shuffle"),
            )
        x, y = grid.centres()
        for name, values in (("x", x), ("y", y)):
            at = group.create_array(name, shape=values.shape, dtype="f8", dimension_names=[name])
            at[:] = values
        return cls(path, grid)

    def write(self, window: Grid, values: Mapping[str, NDArray[Any]]) -> None:
        """Write the surfaces of one window; chunks of nothing but the fill value take no room."""
        for name, array in values.items():
            self._write_block(name, window, array)

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
        begin = 0
        for band in window.bands(array.chunks[-1]):
            here = where[window.window(band)]
            end = begin + int(np.count_nonzero(here))
            if end > begin:
                layers = np.full((len(values), *band.shape), array.fill_value, array.dtype)
                layers[:, here] = values[:, begin:end]
                self._write_block(name, band, layers)
            begin = end

    def _write_block(self, name: str, window: Grid, values: NDArray[Any]) -> None:
        array, (rows, columns) = self._array(name, "r+"), self.grid.window(window)
        side = array.chunks[-1]
        whole = all(
            s.start % side == 0 and (s.stop % side == 0 or s.stop == n)
            for s, n in zip((rows, columns), self.grid.shape, strict=True)
        )
        if not whole:
            array[..., rows, columns] = values
            return
        # Whole chunks are written as Zarr would, but without its event loop, in which the
        # tiles of other threads would wait for each other: half the time of a tile.
        for r, c in product(range(0, values.shape[-2], side), range(0, values.shape[-1], side)):
            block = values[..., r : r + side, c : c + side]
            place = ((rows.start + r) // side, (columns.start + c) // side)
            key = array.metadata.encode_chunk_key((*(0 for _ in block.shape[:-2]), *place))
            self._write_chunk(self.path / name / key, block, array)

    @staticmethod
    def _write_chunk(path: Path, block: NDArray[Any], array: Any) -> None:
        if _is_only(block, array.fill_value):
            path.unlink(missing_ok=True)
            return
        whole = np.ascontiguousarray(block, array.dtype)
        if block.shape != array.chunks:
            whole = np.full(array.chunks, array.fill_value, array.dtype)
            whole[tuple(slice(n) for n in block.shape)] = block
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.draft")
        try:
            draft.write_bytes(_codec().encode(whole))
            draft.replace(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise

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
            optimized(rough, path)


@cache
def _codec() -> Any:
    from numcodecs import Blosc  # noqa: PLC0415 -- slow to import

    return Blosc(cname=_CODEC[0], clevel=_CODEC[1], shuffle=Blosc.SHUFFLE)


def _is_only(values: NDArray[Any], value: float) -> bool:
    if np.isnan(value):
        # One look at a corner saves most of them.
        return bool(np.isnan(values.flat[0]) and np.isnan(values).all())
    return bool(values.flat[0] == value and (values == value).all())


def _calm() -> None:
    # The tiles are what runs side by side; more threads within each only wait for another.
    import zarr  # noqa: PLC0415

    zarr.config.set({"async.concurrency": 2, "threading.max_workers": 2})
