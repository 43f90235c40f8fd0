"""How far the country depends on imports of a commodity."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from geosite.model.base import Spec, Text


class ImportReliance(Spec):
    """Net imports as a share of what the country uses in a year."""

    percent: Annotated[str, Field(pattern=r"^[<>]?(100|[0-9]{1,2})$")]
    """As it is published: ``85``, or a bound where the figure is withheld: ``>50``."""
    form: Text
    """Which line of the source it is: a metal, a concentrate, all forms."""
    year: Annotated[int, Field(ge=1900, le=2100)]
    source: Text
    evidence: Literal["confirmed", "to be confirmed"] = "to be confirmed"

    @property
    def low(self) -> float:
        """The least that it may be, 0–1."""
        return 0.0 if self.percent[0] == "<" else int(self.percent.lstrip("<>")) / 100

    @property
    def high(self) -> float:
        """The most that it may be, 0–1."""
        return 1.0 if self.percent[0] == ">" else int(self.percent.lstrip("<>")) / 100
