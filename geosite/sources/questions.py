"""How a file of the user's own is read: what it says itself, and what has to be asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from geosite.errors import CatalogError
from geosite.model.source import FileSource
from geosite.sources import inspection
from geosite.sources.inspection import JSON_LINES, TABLES

_PAIRS = (
    ("longitude", "latitude"), ("long", "lat"), ("lon", "lat"), ("lng", "lat"), ("x", "y"),
    ("easting", "northing"), ("east", "north"), ("pointx", "pointy"), ("coordx", "coordy"),
    ("xcoord", "ycoord"), ("utme", "utmn"), ("utmeast", "utmnorth"), ("utmx", "utmy"),
    ("longwgs", "latwgs"), ("longdd", "latdd"),
    ("decimallongitude", "decimallatitude"),
)  # fmt: skip
"""Usual names of coordinate columns, letters only."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a file does not say.

    Parameters
    ----------
    key : str
        Under which the answer is given.
    words : str
    choices : tuple of str
        The only answers; empty: any.
    default : str or None
        What is taken without an answer; None: an answer is needed. '' leaves the key out.
    wrong : callable
        What is wrong with an answer; empty if nothing is.
    """

    key: str
    words: str
    choices: tuple[str, ...] = ()
    default: str | None = None
    wrong: Callable[[str], str] = field(default=lambda _: "", compare=False)


@dataclass
class Answers:
    """Answers that were given, and questions that were not answered."""

    given: Mapping[str, str]
    open: list[Question] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def __call__(self, question: Question) -> str | None:
        """The answer, or the question's default; None while an answer is needed."""
        self.asked.append(question.key)
        said = self.given.get(question.key)
        if said is None:
            self.open.append(question)
            return question.default
        if question.choices and said not in question.choices:
            msg = f"{question.key}: {said!r} is none of {', '.join(question.choices)}"
            raise CatalogError(msg)
        return said.strip()

    @property
    def stuck(self) -> bool:
        """Whether an answer is needed before anything more can be asked."""
        return any(question.default is None for question in self.open)


def source(path: Path, where: str, said: Answers) -> FileSource | None:
    """How the file is read; None while that needs an answer."""
    held = inspection.members(path)
    member = held[0] if len(held) == 1 else None
    if len(held) > 1:
        member = said(Question("member", "which dataset of the archive is the layer", held))
        if member is None:
            return None
    more: dict[str, Any] = {"member": member} if member else {}
    inner = (member or path.name).lower()
    if inner.endswith((*TABLES, *JSON_LINES)):
        more |= _table(path, member, said)
    elif layers := inspection.layers(path, member):
        only = layers[0] if len(layers) == 1 else None
        more["layer"] = only or said(Question("layer", "which layer of the file it is", layers))
    return FileSource(kind="file", path=where, **more)


def _table(path: Path, member: str | None, said: Answers) -> dict[str, Any]:
    """How a table is read: encoding, delimiter, coordinate columns."""
    inner = (member or path.name).lower()
    encoding = inspection.encoding(path, member) or said(
        Question("encoding", "it is not UTF-8; which encoding is it in", default="cp1252")
    )
    found: dict[str, Any] = {"encoding": encoding}
    delimiter, columns = inspection.header(path, member, encoding or "utf-8")
    if not inner.endswith(JSON_LINES):
        found |= {"delimiter": delimiter}
        found |= {} if inner.endswith((".csv", ".csv.gz")) else {"format": "csv"}
    if columns:
        x, y = _xy(columns, said)
        found |= {"xy": (x, y)} if x and y else {}
    return found


def _xy(columns: tuple[str, ...], said: Answers) -> tuple[str | None, str | None]:
    letters = {re.sub(r"[^a-z]", "", column.lower()): column for column in columns}
    pairs = [(letters[x], letters[y]) for x, y in _PAIRS if x in letters and y in letters]
    if len(pairs) == 1 and not {"x", "y"} & said.given.keys():
        return pairs[0]
    x, y = pairs[0] if pairs else (None, None)
    return (
        said(Question("x", "which column holds x, or longitude", columns, x)),
        said(Question("y", "which column holds y, or latitude", columns, y)),
    )
