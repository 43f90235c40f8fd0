"""Rules by which a mineral potential and its certainty are proposed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from geosite.model.base import Spec, Text
from geosite.model.scenario import EvidenceClass, Quality

Level = Literal["O", "L", "M", "H", "ND"]
"""None, low, moderate, high, not determined."""
Certainty = Literal["A", "B", "C", "D"]
"""From A, data that do not suffice, to D, much direct evidence."""


class LevelRule(Spec):
    """Records of these classes propose this level."""

    classes: Annotated[tuple[EvidenceClass, ...], Field(min_length=1)]
    level: Level
    basis: Text


class CertaintyRule(Spec):
    """Records of these qualities, in so many layers or more, propose this certainty."""

    qualities: Annotated[tuple[Quality, ...], Field(min_length=1)]
    layers_at_least: Annotated[int, Field(ge=1)] = 1
    certainty: Certainty
    basis: Text


class PotentialTable(Spec):
    """The first rule that fits decides; where none fits: not determined, of certainty A."""

    levels: tuple[LevelRule, ...] = ()
    certainties: tuple[CertaintyRule, ...] = ()
    citation: Text = "no table"
    note: Text = "no table of rules: nothing is proposed"
