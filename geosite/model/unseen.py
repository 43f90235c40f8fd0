"""What no layer of the catalogue shows, and a dossier therefore says to be unknown."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from geosite.model.base import Identifier, Spec, Text


class Unseen(Spec):
    """A subject that is never examined."""

    id: Identifier
    says: Text
    """The line as it is printed."""
    why: Text
    citation: Text
    evidence: Literal["confirmed", "to be confirmed"] = "to be confirmed"


class UnseenTable(Spec):
    """The table of what is never examined."""

    unseen: Annotated[tuple[Unseen, ...], Field(min_length=1)]
