"""What it costs to carry ore from a mine to a plant."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from geosite.model.base import Spec, Text


class Figure(Spec):
    """One number with its unit and where it is from."""

    value: Annotated[float, Field(gt=0)]
    unit: Text
    source: Text
    evidence: Literal["confirmed", "to be confirmed"] = "to be confirmed"


class Freight(Spec):
    """Rates of freight, and the distances at which one way of carrying gives over to another."""

    truck: Figure
    """USD per short ton-mile."""
    rail: Figure
    """USD per short ton-mile."""
    transfer: Figure
    """USD per short ton, wherever truck and train meet."""
    detour: Figure
    """Length of a road over the straight line, where no road is drawn."""
    siding: Figure
    """Nearer to a railway than this no truck is needed [m]."""
    terminal: Figure
    """So near to one another road and railway hand over freight [m]."""
    half: Figure
    """Ore that costs so much to carry counts half [USD per short ton]."""
