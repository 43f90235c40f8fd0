"""Quantities: units in the text, one unit a dimension in memory."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, GetCoreSchemaHandler, PlainSerializer
from pydantic_core import CoreSchema, core_schema

_FACTORS: dict[str, dict[str, float]] = {
    "m": {"m": 1.0, "km": 1e3, "ft": 0.3048, "mi": 1609.344},
    "ha": {"ha": 1.0, "km2": 100.0, "acre": 0.40468564224, "acres": 0.40468564224},
    "%": {"%": 1.0},
    "persons": {"persons": 1.0},
    "kV": {"kV": 1.0},
    "MGD": {"MGD": 1.0},
    "acre-ft/yr": {"acre-ft/yr": 1.0},
    "mm/yr": {"mm/yr": 1.0},
    "class": {"class": 1.0},
    "": {"": 1.0},
}
FARTHEST = 1e8
"""No projected coordinate lies beyond, zone prefixes of six-degree zones included [m]."""
UNITS = {symbol: (base, factor) for base, t in _FACTORS.items() for symbol, factor in t.items()}


def _number(text: str, factor: float, whole: object) -> float:
    try:
        value = float(text.replace(",", "")) * factor
    except ValueError:
        msg = f"{whole!r} does not begin with a number"
        raise ValueError(msg) from None
    if not math.isfinite(value):
        msg = f"{whole!r} is not finite"
        raise ValueError(msg)
    return value


def _shortest(value: float) -> str:
    """Shortest text that reads back as the same number: a saved scenario is the one that ran."""
    return repr(float(value)).removesuffix(".0")


def parse(text: object, unit: str) -> float:
    """Convert ``"2 km"`` to metres, ``"100 acre"`` to hectares.

    Examples
    --------
    >>> parse("2 km", "m")
    2000.0
    >>> parse("100 m", "ha")
    Traceback (most recent call last):
    ...
    ValueError: '100 m' is not in ha, km2, acre or acres
    """
    factors = _FACTORS[unit]
    value, _, symbol = str(text).strip().partition(" ")
    if symbol.strip() not in factors:
        *some, last = factors
        msg = (
            f"{text!r} is not in {', '.join(some)} or {last}"
            if some
            else f"{text!r} is not in {last}"
        )
        raise ValueError(msg)
    return _number(value, factors[symbol.strip()], text)


class Quantity:
    """A number with its unit, in the base unit of its dimension.

    Examples
    --------
    >>> Quantity.parse("2 km")
    Quantity('2000 m')
    >>> Quantity.parse("0.4").unit
    ''
    """

    __slots__ = ("unit", "value")

    def __init__(self, value: float, unit: str = "") -> None:
        """Keep a value that is already in its base unit."""
        self.value = float(value)
        self.unit = unit

    @classmethod
    def parse(cls, text: object) -> Quantity:
        """Read ``"2 km"``, ``"60 %"``, ``"20000 persons"`` or a bare number."""
        if isinstance(text, cls):
            return text
        number, _, symbol = str(text).strip().partition(" ")
        symbol = symbol.strip()
        if symbol not in UNITS:
            known = ", ".join(s for s in UNITS if s)
            msg = f"{text!r}: the unit {symbol!r} is not one of {known}"
            raise ValueError(msg)
        base, factor = UNITS[symbol]
        return cls(_number(number, factor, text), base)

    def __eq__(self, other: object) -> bool:
        """Same value and unit."""
        return isinstance(other, Quantity) and (self.value, self.unit) == (other.value, other.unit)

    def __hash__(self) -> int:
        """By value and unit."""
        return hash((self.value, self.unit))

    def __str__(self) -> str:
        """As it may be written in YAML."""
        return f"{_shortest(self.value)} {self.unit}".strip()

    def __repr__(self) -> str:
        """As it may be written in YAML, marked."""
        return f"Quantity({str(self)!r})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Text in, text out."""
        return core_schema.no_info_before_validator_function(
            cls.parse,
            core_schema.is_instance_schema(cls),
            json_schema_input_schema=core_schema.str_schema(),
            serialization=core_schema.plain_serializer_function_ser_schema(
                str, return_schema=core_schema.str_schema()
            ),
        )


def _percentage(quantity: Quantity) -> Quantity:
    if quantity.unit != "%":
        msg = f"'{quantity}' is not in %; write it as in '10 %'"
        raise ValueError(msg)
    if quantity.value < 0:
        msg = f"'{quantity}' is below zero"
        raise ValueError(msg)
    return quantity


def _metres(text: object) -> float:
    return text if isinstance(text, float) else parse(text, "m")


def _coordinate(text: object) -> float:
    # A bare number is what every GIS shows of a projected place.
    if isinstance(text, int | float) and not isinstance(text, bool):
        return float(text)
    words = str(text).strip()
    return parse(words if " " in words else f"{words} m", "m")


def _near(value: float) -> float:
    if not abs(value) <= FARTHEST:
        msg = f"{value:g} m is no place in a CRS in metres; give one within {FARTHEST:,.0f} m"
        raise ValueError(msg)
    return value


def _hectares(text: object) -> float:
    return text if isinstance(text, float) else parse(text, "ha")


Metres = Annotated[
    float,
    BeforeValidator(_metres, json_schema_input_type=str),
    Field(ge=0),
    PlainSerializer(lambda v: f"{_shortest(v)} m", return_type=str),
]
Coordinate = Annotated[
    float,
    BeforeValidator(_coordinate, json_schema_input_type=str),
    AfterValidator(_near),
    PlainSerializer(lambda v: f"{_shortest(v)} m", return_type=str),
]
Hectares = Annotated[
    float,
    BeforeValidator(_hectares, json_schema_input_type=str),
    Field(gt=0),
    PlainSerializer(lambda v: f"{_shortest(v)} ha", return_type=str),
]
Percent = Annotated[Quantity, AfterValidator(_percentage)]
