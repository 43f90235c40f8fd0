"""What a file is by its first bytes, whatever its name says."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from geosite.sources.answers import RefusedError, glimpse

if TYPE_CHECKING:
    from pathlib import Path

_MARKS = (
    (b"PK\x03\x04", ".zip"),
    (b"PK\x05\x06", ".zip"),
    (b"PAR1", ".parquet"),
    (b"SQLite format 3\x00", ".gpkg"),
    (b"fgb\x03", ".fgb"),
    (b"\x1f\x8b", ".gz"),
    (b"II*\x00", ".tif"),
    (b"II+\x00", ".tif"),
    (b"MM\x00*", ".tif"),
    (b"MM\x00+", ".tif"),
)
_BINARY = {
    ".zip": "a zip archive", ".xlsx": "a spreadsheet", ".parquet": "a Parquet file",
    ".geoparquet": "a Parquet file", ".gpkg": "a GeoPackage", ".fgb": "a FlatGeobuf file",
    ".gz": "a gzip file", ".tif": "a TIFF file", ".tiff": "a TIFF file",
}  # fmt: skip
_TABLES = (".csv", ".txt", ".psv", ".tsv", ".tab", ".dat")
_LINES = (".jsonl", ".ndjson", ".geojsonl")
_TEXTS = (*_TABLES, *_LINES, ".json", ".geojson", ".topojson")
_MARKUP = (".gml", ".kml", ".xml")
_KNOWN = (*_BINARY, *_TEXTS, *_MARKUP, ".img")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def said_ending(name: str) -> str:
    """The ending that a name of a file claims, such as ``.zip``; '' if it says nothing known."""
    suffixes = [s.lower() for s in PurePosixPath(name).suffixes[-2:]]
    if not suffixes or suffixes[-1] not in _KNOWN:
        return ""
    return "".join(suffixes) if suffixes[-1] == ".gz" and len(suffixes) == 2 else suffixes[-1]


def said_name(url: str) -> str:
    """The name of the file at an address: of its path, or as its query says it."""
    parts = urlsplit(url)
    named = parse_qs(parts.query).get("name") or parse_qs(parts.query).get("f") or [""]
    name = unquote(PurePosixPath(parts.path).name)
    return name if said_ending(name) else named[0]


def true_ending(path: Path, said: str, url: str) -> str:
    """The ending that the first bytes of a file ask for; '' if they say nothing.

    Parameters
    ----------
    path : Path
    said : str
        What its name claims.
    url : str
        Where it came from, for messages.

    Raises
    ------
    RefusedError
        If it is a web page, or cannot be what its name claims.
    """
    with path.open("rb") as file:
        head = file.read(2048)
    found = next((ending for mark, ending in _MARKS if head.startswith(mark)), None)
    if found is not None:
        # A spreadsheet is a zip archive; what is inside a gzip its name says.
        kept = (found, said) in ((".zip", ".xlsx"), (".parquet", ".geoparquet"))
        return said if kept or found == ".gz" else found
    expected = _BINARY.get("." + said.rpartition(".")[2])
    markup = head.removeprefix(_BYTE_ORDER_MARK).lstrip().startswith(b"<")
    if expected is not None or (markup and said not in _MARKUP):
        words = f"sent {glimpse(head)}, expected {expected or 'a file of data'}"
        raise RefusedError(url, words)
    return said


def is_table(ending: str) -> bool:
    """Whether files of this ending are plain tables."""
    return ending.removesuffix(".gz") in _TABLES
