"""What a finished tile leaves on disk, so that it is joined from there and a run can go on.

A tile is finished when its tables are in place: they are written last, under
another name, and renamed. They carry a sum of every chunk that the tile wrote, so
that nothing damaged, lost or half-written is ever taken for finished work.
"""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import zarr

from geosite.errors import RunError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geosite.grid import Grid
    from geosite.store import Store

_DAMAGE = (OSError, ValueError, KeyError, IndexError, EOFError, zipfile.BadZipFile)
"""What reading a file raises that is damaged, or not ours."""
_SUM_BYTES = 4
"""A file begins with the sum of the rest."""
_CHUNKS, _SUMS = "chunks", "sums"


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Tables of the finished tiles of a store, one file a tile."""

    folder: Path
    store: Store

    def write(self, window: Grid, tables: Mapping[str, pd.DataFrame | NDArray[Any]]) -> None:
        """Say that a window is finished; its chunks have been written."""
        arrays: dict[str, NDArray[Any]] = {}
        for name, table in tables.items():
            arrays |= _arrays(name, table)
        found = {f: s for f in self._chunks(window) if (s := _sum(self.store.path / f)) is not None}
        arrays[_CHUNKS] = np.array(list(found), "U")
        arrays[_SUMS] = np.array(list(found.values()), np.int64)
        path = self._path(window)
        draft = path.with_suffix(f".{os.getpid()}.draft")
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
            for name, array in arrays.items():
                with file.open(f"{name}.npy", "w", force_zip64=True) as entry:
                    np.lib.format.write_array(entry, np.asarray(array), allow_pickle=False)
        whole = packed.getbuffer()
        with draft.open("wb") as out:
            out.write(zlib.crc32(whole).to_bytes(_SUM_BYTES, "big"))
            out.write(whole)
        draft.replace(path)

    def read(self, window: Grid) -> dict[str, pd.DataFrame | NDArray[Any]]:
        """Tables of a finished window.

        Raises
        ------
        RunError
            If the window is not finished, or its file is damaged.
        """
        path = self._path(window)
        try:
            arrays = self._arrays(path)
            return _tables({n: a for n, a in arrays.items() if n not in {_CHUNKS, _SUMS}})
        except _DAMAGE as error:
            msg = f"{path}: is damaged: {error or type(error).__name__}; go on with --resume"
            raise RunError(msg) from None

    def is_finished(self, window: Grid) -> bool:
        """Whether the tables of a window are whole, and every chunk is as the tile left it."""
        path = self._path(window)
        if not path.exists():
            return False
        try:
            arrays = self._arrays(path)
            chunks = zip(arrays[_CHUNKS].tolist(), arrays[_SUMS].tolist(), strict=True)
            return all(_sum(self.store.path / f) == s for f, s in chunks)
        except _DAMAGE:
            return False

    def _path(self, window: Grid) -> Path:
        return self.folder / f"{window.row}_{window.column}.tile"

    @staticmethod
    def _arrays(path: Path) -> dict[str, NDArray[Any]]:
        raw = path.read_bytes()
        packed = raw[_SUM_BYTES:]
        if zlib.crc32(packed) != int.from_bytes(raw[:_SUM_BYTES], "big"):
            msg = "its bytes are not those that were written"
            raise ValueError(msg)
        with np.load(io.BytesIO(packed), allow_pickle=False) as file:
            return dict(file)

    def _chunks(self, window: Grid) -> Iterator[str]:
        # Files that may hold the chunks of a window, below the store.
        rows, columns = self.store.grid.window(window)
        group = zarr.open_group(self.store.path, mode="r")
        for name, array in group.arrays():
            if array.ndim < 2:  # the coordinates of rows and columns
                continue
            *layers, high, wide = array.shards or array.chunks
            above = [range(-(-n // step)) for n, step in zip(array.shape, layers, strict=False)]
            down = range(rows.start // high, -(-rows.stop // high))
            along = range(columns.start // wide, -(-columns.stop // wide))
            for at in product(*above, down, along):
                yield f"{name}/{array.metadata.encode_chunk_key(at)}"


def count(folder: Path) -> int:
    """Tiles that say that they are finished."""
    return sum(1 for _ in folder.glob("*.tile"))


def _sum(path: Path) -> int | None:
    # Chunks of nothing but the fill value have no file.
    try:
        return zlib.crc32(path.read_bytes())
    except FileNotFoundError:
        return None


def _arrays(name: str, table: pd.DataFrame | NDArray[Any]) -> dict[str, NDArray[Any]]:
    if not isinstance(table, pd.DataFrame):
        return {name: table}
    # Hundreds of columns of one type are one array: an entry of a file costs more than a column.
    out = {f"{name}/columns": np.array(list(table.columns), "U")}
    kinds = np.array([np.dtype(t).str for t in table.dtypes], "U")
    for kind in sorted(set(kinds.tolist())):
        block = table.iloc[:, np.flatnonzero(kinds == kind)]
        out[f"{name}/{kind[1:]}"] = np.ascontiguousarray(block.to_numpy(kind).T)
    return out | {f"{name}/kinds": kinds}


def _tables(arrays: Mapping[str, NDArray[Any]]) -> dict[str, pd.DataFrame | NDArray[Any]]:
    out: dict[str, pd.DataFrame | NDArray[Any]] = {
        name: array for name, array in arrays.items() if "/" not in name
    }
    for name in [n.removesuffix("/columns") for n in arrays if n.endswith("/columns")]:
        columns, kinds = arrays[f"{name}/columns"].tolist(), arrays[f"{name}/kinds"].tolist()
        rows = {k: iter(arrays[f"{name}/{k[1:]}"]) for k in set(kinds)}
        out[name] = pd.DataFrame({c: next(rows[k]) for c, k in zip(columns, kinds, strict=True)})
    return out
