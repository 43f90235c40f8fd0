"""The base of everything read from a file."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints


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
