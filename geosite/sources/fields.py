"""Attributes as the catalogue declares them: names, nulls, codes, types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geosite.errors import LayerDataError
from geosite.sources.dataset import matched

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geosite.model.layer import FieldSpec, Layer

_EXACT = 2**53
"""Below this a float tells every whole number from the next."""


@dataclass(frozen=True, slots=True)
class Declared:
    """Attributes under their canonical names.

    Parameters
    ----------
    frame : DataFrame
        One column a declared field; every column of the source if none is declared.
    unreadable : field → number of values
        Values that were not of the declared type, and are null now.
    uncoded : field → number of values
        Values without a meaning among the declared codes; they stay as they were.
    """

    frame: pd.DataFrame
    unreadable: Mapping[str, int]
    uncoded: Mapping[str, int]


def declared_fields(attributes: pd.DataFrame, layer: Layer, name: str) -> Declared:
    """Attributes of a source under the names, codes and types that its layer declares.

    Raises
    ------
    LayerDataError
        If columns that the fields come from are not in the source, all of them at once.
    """
    if not layer.fields:
        stripped = [str(column).strip() for column in attributes.columns]
        return Declared(attributes.set_axis(stripped, axis="columns"), {}, {})
    columns = list(attributes.columns)
    source = {
        field: matched(spec.from_ or field, columns)
        for field, spec in layer.fields.items()
        if spec.constant is None
    }
    missing = [
        repr(layer.fields[field].from_ or field) for field, is_ in source.items() if is_ is None
    ]
    if missing:
        msg = (
            f"{name}: layer {layer.id} declares columns that are not there (or several times): "
            f"{', '.join(missing)}; columns: {', '.join(map(str, columns))}; correct fields.*.from"
        )
        raise LayerDataError(msg)
    typed: dict[str, pd.Series[Any]] = {}
    unreadable: dict[str, int] = {}
    uncoded: dict[str, int] = {}
    for field, spec in layer.fields.items():
        if spec.constant is not None:
            constant = pd.Series(spec.constant, index=attributes.index, dtype="str")
            typed[field] = _typed(constant, spec)
            continue
        values = _known(attributes[source[field]], spec)
        if spec.codes:
            values, without = _decoded(values, spec)
            uncoded |= {field: without} if without else {}
        typed[field] = _typed(values, spec)
        lost = int(values.notna().sum() - typed[field].notna().sum())
        unreadable |= {field: lost} if lost else {}
    return Declared(pd.DataFrame(typed, index=attributes.index), unreadable, uncoded)


def _text(value: Any) -> str:
    """A value as a person would write it: 12.0 read from a float column is '12'."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    if isinstance(value, float | np.floating):
        whole = float(value).is_integer() and abs(float(value)) < _EXACT
        return str(int(value)) if whole else repr(float(value))
    if isinstance(value, np.datetime64):
        value = pd.Timestamp(value)
    if hasattr(value, "isoformat"):
        return str(value.isoformat()).removesuffix("T00:00:00")
    return str(value).strip()


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if np.isfinite(found) else None


def _known(values: pd.Series[Any], spec: FieldSpec) -> pd.Series[Any]:
    """Values with blanks and the declared sentinels null."""
    sentinels = {text.strip() for text in spec.null} | {""}
    if sentinels == {""} and pd.api.types.is_numeric_dtype(values):
        return values
    numbers = {number for text in sentinels if (number := _number(text)) is not None}
    unknown = [
        value
        for value in pd.unique(values.dropna())
        if (text := _text(value)) in sentinels or (numbers and _number(text) in numbers)
    ]
    return values.mask(values.isin(unknown))


def _decoded(values: pd.Series[Any], spec: FieldSpec) -> tuple[pd.Series[Any], int]:
    exact = {code.strip(): meaning for code, meaning in spec.codes.items()}
    folded = {code.casefold(): meaning for code, meaning in exact.items()}
    numbers = {n: meaning for code, meaning in exact.items() if (n := _number(code)) is not None}
    meanings: dict[Any, str] = {}
    without = set()
    for value in pd.unique(values.dropna()):
        text = _text(value)
        number = _number(text)
        meaning = exact.get(text, folded.get(text.casefold()))
        if meaning is None and number is not None:
            meaning = numbers.get(number)
        if meaning is None:
            meaning = text
            without.add(value)
        meanings[value] = meaning
    return values.map(meanings), int(values.isin(without).sum())


def _typed(values: pd.Series[Any], spec: FieldSpec) -> pd.Series[Any]:
    if spec.type == "text":
        if isinstance(values.dtype, pd.StringDtype):
            return values.str.strip()
        return values.map({v: _text(v) for v in pd.unique(values.dropna())}).astype("str")
    if spec.type == "date":
        return _dates(values)
    numbers = pd.to_numeric(values, errors="coerce").astype(float)
    numbers = numbers.where(np.isfinite(numbers))
    if spec.type == "number":
        return numbers
    whole = (numbers == np.floor(numbers)) & (numbers.abs() < _EXACT)
    return numbers.where(whole).astype("Int64")


def _dates(values: pd.Series[Any]) -> pd.Series[Any]:
    """Dates of ISO 8601 text, US text (month/day/year) and date columns; others are null."""
    if pd.api.types.is_datetime64_any_dtype(values):
        found = pd.to_datetime(values, utc=True)
    else:
        text = values.map({v: _text(v) for v in pd.unique(values.dropna())}).astype("str")
        found = pd.to_datetime(text, errors="coerce", utc=True, format="ISO8601")
        us = pd.to_datetime(text.where(found.isna()), errors="coerce", utc=True, format="%m/%d/%Y")
        found = found.fillna(us)
    return found.dt.tz_localize(None).dt.normalize().astype("datetime64[s]")
