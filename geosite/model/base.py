"""The base of everything read from a file."""

import re
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints


class Spec(BaseModel):
    """Frozen, and closed to unknown keys: a typo in YAML is an error. Every number is finite."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False
    )


Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+([-_][a-z0-9]+)*$")]
"""Lower-case words joined by hyphens or underscores."""

LayerId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]+(/[a-z0-9_-]+)+$")]
"""Path of a catalogue entry below its root, without the ending: ``land/states``."""

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
"""Words that must not be empty."""


def _a_day(value: Any) -> Any:
    # A bare number would be taken for seconds since 1970.
    if isinstance(value, str) and not re.fullmatch(r"\d{4}-\d\d-\d\d", value.strip()):
        msg = "write the day as year-month-day, such as 2026-05-31"
        raise ValueError(msg)
    return value.strip() if isinstance(value, str) else value


Day = Annotated[date, BeforeValidator(_a_day)]
"""A day that is written in one way only."""
