"""Which kind of plant takes the ore of which commodity."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from geosite.model.base import Identifier, Spec, Text

Route = Literal["hydromet", "smelter", "both", "neither"]
"""What a plant does: leaching and separation, smelting, either, or neither of the two."""


class Treatment(Spec):
    """The route of one commodity from ore or concentrate to a product."""

    commodity: Identifier
    route: Route
    source: Text
    evidence: Literal["confirmed", "to be confirmed"] = "to be confirmed"


class Processing(Spec):
    """The table of routes; a commodity that is not in it goes to no plant."""

    treatments: Annotated[tuple[Treatment, ...], Field(min_length=1)]

    def taken(self, kind: str) -> frozenset[str]:
        """Commodities that a plant of a kind takes: ``hydromet``, ``smelter`` or ``any``."""
        able = {"hydromet", "smelter", "both"} if kind == "any" else {kind, "both"}
        return frozenset(t.commodity for t in self.treatments if t.route in able)
