"""Text from anywhere, made safe for one place: a page, a script block, Markdown, a cell.

Attributes of public datasets are strangers' words. Folium runs what an element
renders through a template a second time, Leaflet takes strings for HTML, and a
spreadsheet takes some cells for formulas; so each kind of place has its function
here, and no text reaches a file without one.
"""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

LIMIT = 300
"""Longest text that is shown on a map [characters]."""

_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]+"
)
# A mark inside a word means nothing to Markdown, so it stays bare and the source readable.
_MARKDOWN = re.compile(r"[\\`*\[\]|~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|^[#+=-](?=\W|$)")
# Other ampersands are plain text to Markdown: R&D stays R&D.
_ENTITY = re.compile(r"&(?=#?\w+;)")
_HELD = re.compile(r'"\\u0000(\d+)"')
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True, slots=True)
class Json:
    """JSON that is written already: thousands of outlines need not be visited again."""

    text: str


def plain(value: object, limit: int | None = None) -> str:
    r"""Words on one line: no control or direction marks, nothing for "missing", cut at a limit.

    Examples
    --------
    >>> plain("a\x00b\nc")
    'a b c'
    >>> plain("abcdef", 4)
    'abc…'
    >>> plain(float("nan"))
    ''
    """
    if missing(value):
        return ""
    if not isinstance(value, str) and isinstance(value, Iterable):
        value = "; ".join(plain(v) for v in value)
    text = str(value)
    if not (text.isascii() and text.isprintable()):
        text = _UNSEEN.sub(" ", text).encode("utf-8", "replace").decode("utf-8")
    text = text.strip()
    return text if limit is None or len(text) <= limit else text[: limit - 1].rstrip() + "…"


def missing(value: object) -> bool:
    """Whether a cell of a table holds nothing: None, NaN, NaT or NA."""
    # Tables are read cell by cell, a million at a time: the usual kinds are told at once.
    if value is None or isinstance(value, str | int):
        return value is None
    if isinstance(value, float):
        return bool(value != value)  # noqa: PLR0124
    return bool(pd.api.types.is_scalar(value) and pd.isna(value))  # type: ignore[call-overload]


def number(value: object) -> float | None:
    """A finite number, or None."""
    if missing(value) or isinstance(value, bool | str):
        return None
    try:
        found = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) else None


def markup(value: object, limit: int | None = None) -> str:
    """Text for HTML that Folium runs through its templates: ``{`` is escaped with the rest."""
    text = html.escape(plain(value, limit), quote=True)
    return text.replace("{", "&#123;").replace("}", "&#125;").replace("`", "&#96;")


def script_json(value: Any) -> str:
    """JSON that cannot end its script element, start a comment or a template.

    Only ASCII, and ``< > &`` are written as escapes; `Json` stays as it is written. It
    must not pass through a template: braces stay as they are.
    """
    made: list[str] = []

    def held(value: Json) -> str:
        made.append(value.text)
        return f"\0{len(made) - 1}"

    text = json.dumps(
        value, ensure_ascii=True, allow_nan=False, separators=(",", ":"), default=held
    )
    text = _HELD.sub(lambda place: made[int(place[1])], text)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def markdown(value: object, limit: int | None = None) -> str:
    """Text for a line of Markdown: its marks are escaped, HTML is shown and not obeyed."""
    text = _ENTITY.sub("&amp;", plain(value, limit)).replace("<", "&lt;").replace(">", "&gt;")
    return _MARKDOWN.sub(lambda mark: f"\\{mark[0]}", text)


def table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table in Markdown, of cells that are Markdown already."""
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def escaped_table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table in Markdown, of any text."""
    return table(heads, [tuple(markdown(v, 1000) for v in row) for row in rows])


def cell(value: object) -> object:
    """A cell of a CSV table: text that a spreadsheet would run gets a leading apostrophe.

    Examples
    --------
    >>> cell("=HYPERLINK(1)")
    "'=HYPERLINK(1)"
    >>> cell(-3.5)
    -3.5
    """
    if missing(value) or isinstance(value, bool | int | float):
        return value
    if not isinstance(value, str) and not isinstance(value, Iterable):
        return value
    text = plain(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def split_names(value: object) -> list[str]:
    """Names of a cell that holds several: a list, or text with ``;`` between them."""
    if missing(value):
        return []
    parts = value.split(";") if isinstance(value, str) else value
    if not isinstance(parts, Iterable):
        return [plain(value)]
    return [text for part in parts if (text := plain(part))]
