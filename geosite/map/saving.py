"""The map of a run as a file, and its full tiles beside it."""

from __future__ import annotations

import shutil
from math import ceil
from typing import TYPE_CHECKING

from geosite.errors import RunError
from geosite.map.budget import attributes_drawn, zooms_drawn
from geosite.map.content_block import block_of
from geosite.map.page import page_of
from geosite.map.tiles import archive

if TYPE_CHECKING:
    from pathlib import Path

    from geosite.map.entries import Layers
    from geosite.report.content import Content

FINEST = 12
"""Finest zoom of the tiles beside a map, zoom 13 of the map: pixels of 15 m at forty degrees."""
MAX_MB = 10.0
"""Largest size of a map if none is asked for [MB of 10⁶ bytes]: what mail carries."""
_MB = 1e6


def saved_map(
    content: Content,
    path: Path,
    *,
    max_mb: float = MAX_MB,
    max_sites: int = 10_000,
    is_served: bool = False,
) -> tuple[str, ...]:
    """Save the map of a run as one HTML file; the old one stays until the new one is whole.

    Parameters
    ----------
    max_mb : float
        Largest size of the file [MB of 10⁶ bytes].
    is_served : bool
        Write tiles of every outline as it is beside the file, too: a folder named after it,
        such as ``map-tiles``, with an archive a name. The page draws them where it is served
        over HTTP, and its own ones elsewhere.

    Returns
    -------
    tuple of str
        What was simplified or left out, and whether the file is larger than asked, in words.

    Raises
    ------
    RunError
        If the page cannot be written.

    Notes
    -----
    A page that cannot be as small as asked is written as small as it can be, and said to be
    larger: whoever asked for a map, and every run, has one.
    """
    if not path.parent.is_dir():
        # Said before the work, which takes a minute for a large run.
        msg = f"{path}: there is no folder {path.parent}; make it, or give another place with --out"
        raise RunError(msg)
    folder = path.parent / f"{path.stem}-tiles"
    block = block_of(
        content, max_mb=max_mb, max_sites=max_sites, beside=folder.name if is_served else ""
    )
    text = page_of(content, block).get_root().render().encode()
    new, tiles = (
        path.with_name(f".{path.name}.partial"),
        folder.with_name(f".{folder.name}.partial"),
    )
    try:
        new.write_bytes(text)
        if is_served:
            _write_tiles(block.layers, tiles)
            shutil.rmtree(folder, ignore_errors=True)
            tiles.replace(folder)
        new.replace(path)
    except OSError as error:
        kept = "the old map is untouched" if path.exists() else "no map was left there"
        msg = f"{path.parent}: {path.name} could not be written: {error}; {kept}"
        raise RunError(msg) from None
    finally:
        new.unlink(missing_ok=True)
        shutil.rmtree(tiles, ignore_errors=True)
    return (*block.notes, *size_notes(path, max_mb))


def size_notes(path: Path, max_mb: float = MAX_MB) -> tuple[str, ...]:
    """What has to be said of a map that is larger than it was to be [MB of 10⁶ bytes]."""
    size = path.stat().st_size / _MB
    if size <= max_mb:
        return ()
    # Rounded up, so that asking for it is asking for enough.
    least = ceil(size * 10) / 10
    said = f"{path.name} takes {least:g} MB and was to take {max_mb:g}"
    return (f"{said}: its sites, their cards and its scripts cannot be made smaller",)


def _write_tiles(layers: Layers, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    drawn, seen = attributes_drawn(layers.entries), zooms_drawn(layers.entries)
    for tiles in layers.tiles:
        names = drawn.get(tiles.name, set())
        held = archive(tiles, drawn=names, seen=seen.get(tiles.name), finest=FINEST)
        (folder / f"{tiles.name}.pmtiles").write_bytes(held)
