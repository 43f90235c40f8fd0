"""A catalogue entry for a layer of the user's own: what its file says, and what was answered."""

from __future__ import annotations

import math
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError
from pyproj.exceptions import ProjError

from geosite.catalog import open_catalog
from geosite.crs import WGS84, parsed_crs, projected_bounds, same_crs
from geosite.disk import sync
from geosite.errors import CatalogError, CRSMismatchError, GeositeError, faults
from geosite.model.base import LayerId
from geosite.sources.inspection import Inspection, inspected
from geosite.sources.questions import Answers, Question, source
from geosite.sources.raster import open_raster
from geosite.sources.read import read_features
from geosite.sources.wording import entry_text

if TYPE_CHECKING:
    from pyproj import CRS

_SIDECARS = (".shx", ".dbf", ".prj", ".cpg", ".tfw", ".aux.xml", ".tif.aux.xml", ".tiff.aux.xml")
EXTENT, EVERYWHERE = "extent", "everywhere"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A catalogue entry, as far as it is known.

    Parameters
    ----------
    id : str
    text : str or None
        The entry as YAML; None while an answer is needed without which nothing can be written.
    questions : tuple of Question
        Not answered yet; where each has a default, the text is made with them.
    """

    id: str
    text: str | None
    questions: tuple[Question, ...]


def own_id(path: Path) -> str:
    """Id that a file suggests for its layer.

    Examples
    --------
    >>> own_id(Path("Drill Holes 2026.csv.gz"))
    'own/drill-holes-2026'
    """
    words = re.findall(r"[a-z0-9]+", path.name.split(".")[0].lower())
    return f"own/{'-'.join(words) or 'layer'}"


def proposed(
    path: Path, *, id_: str, answers: Mapping[str, str], data: Path | None = None
) -> Proposal:
    """A catalogue entry for a file, made by looking at it and from what was answered.

    Parameters
    ----------
    path : Path
        A file of any format that geosite reads, or a folder such as a file geodatabase.
    id_ : str
        Of the layer, such as ``own/drill-holes``.
    answers : mapping of key to answer
    data : Path, optional
        Root of file sources: a file below it is declared where it is, another as
        ``<id>.<ending>``, where it has to be copied.

    Raises
    ------
    CatalogError
        If an answer is none of its choices, or answers nothing that is asked.
    LayerDataError
        If the file cannot be read.
    GeositeError
        If a folder cannot be written.
    CRSMismatchError
        If it carries no CRS although its format can, or a CRS was answered that is none.
    """
    said = Answers(answers)
    read = source(path, place(path, id_, data), said)
    if read is None or said.stuck:
        return Proposal(id_, None, tuple(said.open))
    found = inspected(path, read)
    entry = _entry(path, found, said)
    unknown = [key for key in answers if key not in said.asked]
    if unknown:
        msg = f"{', '.join(unknown)}: not asked of {path.name}; answers: {', '.join(said.asked)}"
        raise CatalogError(msg)
    text = None if said.stuck else entry_text(id_, entry, read, found.columns)
    return Proposal(id_, text, tuple(said.open))


def place(path: Path, id_: str, data: Path | None) -> str:
    """Where the file is or has to be, relative to the data root."""
    if data is not None and path.resolve().is_relative_to(data.resolve()):
        return path.resolve().relative_to(data.resolve()).as_posix()
    name = path.name.lower()
    return id_ + name[name.index(".") :] if name.endswith(".gz") else id_ + path.suffix.lower()


def _entry(path: Path, found: Inspection, said: Answers) -> dict[str, Any]:
    """Keys of the entry but for its source and its fields, in the order of the catalogue."""
    crs = _crs(path, found, said)
    kinds = found.kinds
    geometry = kinds[0] if len(kinds) == 1 else said(
        Question("geometry", "it holds several kinds of geometry; which is the layer", kinds)
    )  # fmt: skip
    name = path.name.split(".")[0].replace("_", " ").strip() or path.name
    year = str(datetime.fromtimestamp(path.stat().st_mtime, UTC).year)
    raster = kinds == ("raster",)
    entry: dict[str, Any] = {
        "title": said(Question("title", "what it is called", default=name)),
        "agency": said(Question("agency", "who made it", default="own data")),
        "purpose": said(Question("purpose", "what it is for", default="own data")),
        "geometry": geometry,
        "unit": said(Question("unit", "unit of the cells, if any", default="")) if raster else "",
        "crs": crs[1] if crs else None,
        "coverage": {"kind": "valid_cells"},
        "absence": "informative",
    }
    if not raster:
        entry |= {"coverage": _coverage(found, crs[0] if crs else None, said)}
        entry |= {"absence": _absence(said)}
    accuracy = "how far off its places may be, such as 10 m, if known"
    return entry | {
        "positional_accuracy": said(Question("positional_accuracy", accuracy, default="")),
        "vintage": said(Question("vintage", "year or date that it describes", default=year)),
        "status": "unofficial",
        "licence": said(Question("licence", "who may use it", default="not for publication")),
        "citation": said(Question("citation", "how it is cited", default=f"own data, {path.name}")),
        "evidence": "" if raster else f"counted; {found.count} features when this was written",
    }


def _absence(said: Answers) -> str | None:
    words = (
        "is a place without a feature known to have none (informative), or may it not have been "
        "looked at (not_informative)"
    )
    return said(Question("absence", words, ("informative", "not_informative")))


def _crs(path: Path, found: Inspection, said: Answers) -> tuple[CRS, str] | None:
    """The CRS and its name in the catalogue; None while that needs an answer."""
    if found.can_carry_crs:
        if found.crs is None:
            msg = (
                f"{path}: carries no coordinate reference system, and none is ever guessed; write "
                "the true one into the file (a .prj beside a shapefile, gdal_edit or ogr2ogr "
                "-a_srs for others) and add it again"
            )
            raise CRSMismatchError(msg)
        flat = (found.crs.sub_crs_list[0] if found.crs.is_compound else found.crs).to_2d()
        return flat, _named(flat)
    words = "in which coordinate reference system are its coordinates, such as EPSG:4326"
    answer = said(Question("crs", words, wrong=_no_crs))
    return (parsed_crs(answer, "crs"), answer) if answer else None


def _no_crs(answer: str) -> str:
    try:
        parsed_crs(answer, "crs")
    except GeositeError as error:
        return str(error)
    return ""


def _named(crs: CRS) -> str:
    """Authority code of a CRS, or all of its definition where no code means the same."""
    found = crs.to_authority(min_confidence=70)
    code = ":".join(found) if found else ""
    sure = crs.to_authority(min_confidence=100) is not None
    if code and (sure or same_crs(crs, parsed_crs(code, "crs"))):
        return code
    return " ".join(crs.to_wkt().split())


def _coverage(found: Inspection, crs: CRS | None, said: Answers) -> dict[str, Any]:
    box = _extent(found, crs) if crs else None
    words = (
        f"what area does it speak for: {EXTENT} (the box of its own features), {EVERYWHERE}, or "
        "west, south, east, north in degrees"
    )
    usual = EXTENT if box else EVERYWHERE

    def wrong(answer: str) -> str:
        named = answer == EVERYWHERE or (answer == EXTENT and box)
        fix = f"{EXTENT}, {EVERYWHERE} or west, south, east, north"
        return "" if named or _numbers(answer) else f"coverage: {answer!r} is not {fix}"

    answer = said(Question("coverage", words, default=usual, wrong=wrong)) or usual
    if words := wrong(answer):
        raise CatalogError(words)
    if answer == EVERYWHERE:
        return {"kind": "everywhere"}
    numbers = _numbers(answer) or box or ()
    return {"kind": "box", **dict(zip(("west", "south", "east", "north"), numbers, strict=True))}


def _extent(found: Inspection, crs: CRS) -> tuple[float, float, float, float] | None:
    """Box of the features in degrees, outward to thousandths; None if it has no place there."""
    if found.bounds is None:
        return None
    try:
        west, south, east, north = projected_bounds(found.bounds, crs, WGS84)
    except ProjError:
        return None
    if not all(map(math.isfinite, (west, south, east, north))):
        return None
    if west > east:
        west, east = -180.0, 180.0
    low = (math.floor(v * 1000) / 1000 for v in (west, south))
    high = ((math.floor(v * 1000) + 1) / 1000 for v in (east, north))
    (west, south), (east, north) = low, high
    return max(west, -180.0), max(south, -90.0), min(east, 180.0), min(north, 90.0)


def _numbers(text: str) -> tuple[float, ...] | None:
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        return None
    if len(found) != 4:
        return None
    west, south, east, north = found
    return found if -180 <= west < east <= 180 and -90 <= south < north <= 90 else None


def added(
    path: Path, layers: Path, data: Path, answers: Mapping[str, str],
    ask: Callable[[Question], str] | None, *, id_: str | None = None,
) -> Path:  # fmt: skip
    """Write a catalogue entry for a file; gives its path.

    A file that is not below the data root is copied there. The entry is written once it has
    been read with the file, so that whatever is wrong is said now; nothing is left of one that
    cannot be read.

    Parameters
    ----------
    path : Path
    layers : Path
        Root of the catalogue.
    data : Path
        Root of file sources.
    answers : mapping of key to answer
        Given beforehand.
    ask : function, optional
        Asked for the answer to every other question; without it their defaults are taken.
    id_ : str, optional
        Of the layer; made from the file's name if not given.

    Raises
    ------
    CatalogError
        If the entry or the file is there already, or an answer is missing or wrong.
    LayerDataError
        If the file cannot be read.
    CRSMismatchError
        If it carries no CRS although its format can, or another one than was answered.
    """
    if not path.exists():
        msg = f"{path}: there is no such file"
        raise CatalogError(msg)
    id_ = _valid(id_) if id_ else own_id(path)
    target = layers / f"{id_}.yaml"
    if target.exists():
        msg = f"{target}: is there already, and is not overwritten; name another id with --id"
        raise CatalogError(msg)
    text = _answered(path, id_, answers, ask, data)
    copies = _copies(path, data / place(path, id_, data))
    try:
        for here, there in copies.items():
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(here, there) if here.is_dir() else shutil.copy2(here, there)
        _check(id_, text, layers, data)
        _write(target, text)
    except BaseException as error:
        for there in copies.values():
            if there.exists():
                shutil.rmtree(there) if there.is_dir() else there.unlink()
        if isinstance(error, OSError) and not isinstance(error, GeositeError):
            msg = (
                f"{error.filename2 or error.filename or target}: cannot be written "
                f"({error.strerror}); name another folder with --layers or --data, or make room; "
                "nothing was left behind"
            )
            raise GeositeError(msg) from None
        raise
    return target


def _valid(id_: str) -> str:
    try:
        return TypeAdapter(LayerId).validate_python(id_)
    except ValidationError:
        msg = f"{id_!r} is no id of a layer: lower-case words joined by /, such as own/drill-holes"
        raise CatalogError(msg) from None


def _answered(
    path: Path, id_: str, answers: Mapping[str, str], ask: Callable[[Question], str] | None,
    data: Path,
) -> str:  # fmt: skip
    known = dict(answers)
    while True:
        found = proposed(path, id_=id_, answers=known, data=data)
        if found.text is not None and (ask is None or not found.questions):
            return found.text
        if ask is None:
            missing = [_asked(q) for q in found.questions if q.default is None]
            title = f"{path}: answers are needed that it does not give:"
            raise CatalogError(faults(title, missing))
        known |= {question.key: ask(question) for question in found.questions}


def _asked(question: Question) -> str:
    choices = f" ({', '.join(question.choices)})" if question.choices else ""
    return f"{question.key}: {question.words}{choices}"


def _copies(path: Path, target: Path) -> dict[Path, Path]:
    """A file and what belongs to it → where they go; nothing if it is in place."""
    if target.resolve() == path.resolve():
        return {}
    if target.exists():
        msg = f"{target}: is there already, and is not overwritten; name another id with --id"
        raise CatalogError(msg)
    beside = _SIDECARS if path.suffix.lower() in (".shp", ".tif", ".tiff") else ()
    pairs = {path.with_suffix(e): target.with_suffix(e) for e in beside}
    return {path: target} | {here: there for here, there in pairs.items() if here.is_file()}


def _check(id_: str, text: str, layers: Path, data: Path) -> None:
    """See that the entry is valid and that its layer can be read."""
    with tempfile.TemporaryDirectory(prefix="geosite-") as folder:
        root = Path(folder)
        file = root / f"{id_}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        try:
            catalog = open_catalog(root)
        except CatalogError as error:
            raise CatalogError(str(error).replace(str(root), str(layers))) from None
    read = open_raster if catalog[id_].geometry == "raster" else read_features
    read(catalog[id_], catalog, data)


def _write(target: Path, text: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    sync(part)
    part.replace(target)
