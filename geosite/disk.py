"""Writing to disk: whole, or an error that says what to do."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyogrio
import rasterio
from rasterio._err import CPLE_BaseError

from geosite.errors import GeositeError, RunError

UNWRITABLE = (
    OSError,
    rasterio.errors.RasterioError,
    CPLE_BaseError,
    pyogrio.errors.DataSourceError,
    pyogrio.errors.DataLayerError,
)
"""What the drivers raise where they cannot write; copying a raster lets GDAL's own errors out."""


@contextmanager
def writing(folder: Path, option: str = "--outputs") -> Iterator[None]:
    """Say a failure to write in one message; a folder that was not there before is taken away.

    Parameters
    ----------
    folder : Path
        What is written: a folder, or a file.
    option : str
        The option by which a user names another place.

    Raises
    ------
    RunError
        If what is written inside fails: no space, no permission.
    """
    fresh, whole = not folder.exists(), False
    try:
        yield
        whole = True
    except GeositeError:
        raise
    except UNWRITABLE as error:
        left = "nothing half-written was kept" if fresh else f"{folder} may be incomplete now"
        raise RunError(unwritable(folder, error, left, f"{_ROOM} {option}")) from None
    finally:
        if fresh and not whole:
            shutil.rmtree(folder, ignore_errors=True)


_ROOM = "Make room or name another folder with"
ROOM = f"{_ROOM} --outputs"


def unwritable(folder: Path, error: BaseException, left: str, fix: str = ROOM) -> str:
    """What happened, and what is left, in words."""
    place = folder.parent
    free = shutil.disk_usage(next(p for p in (place, *place.parents) if p.exists())).free
    return (
        f"{place}: {folder.name} could not be written: {' '.join(str(error).split())}; "
        f"{free / 1e9:.2f} GB are free there. {fix}; "
        f"{left}, and earlier runs are untouched"
    )


def placed(folder: Path, path: Path) -> Path:
    """Rename a folder to a path, or to the first numbered one that is free; gives the new path."""
    # Two runs of one question in one second: the second one gets a number. Whether a name
    # is free is asked by taking it, since another run may take it in between.
    for n in range(1, 10_000):
        place = path if n == 1 else path.parent / f"{path.name}-{n}"
        if place.exists():
            continue
        try:
            return folder.rename(place)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
    raise FileExistsError(errno.EEXIST, "every name for this run is taken", str(path))


def assembled(folder: Path, fill: Callable[[Path], None]) -> Path:
    """Make a folder whole or not at all; gives its path, or the first numbered one that is free.

    Raises
    ------
    RunError
        If it cannot be written: no space, no permission. Nothing is left then.
    """
    folder = Path(os.path.abspath(folder))  # noqa: PTH100 -- a link stays one, but `..` goes
    partial: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        partial.chmod(0o755)
        fill(partial)
        flush(partial)
        return placed(partial, folder)
    except UNWRITABLE as error:
        fix = f"{_ROOM} --out"
        left = "nothing half-written was kept"
        raise RunError(unwritable(folder, error, left, fix)) from None
    finally:
        if partial is not None:
            shutil.rmtree(partial, ignore_errors=True)


def flush(folder: Path) -> None:
    """See everything in a folder to the disk."""
    # The rename must not reach the disk before the bytes it promises.
    for path in (*folder.rglob("*"), folder):
        sync(path)


def sync(path: Path) -> None:
    """See a file, or the names in a folder, to the disk."""
    # A folder's own bytes are the names in it; Windows opens no folder and keeps them itself.
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
