"""What a reviewer decided about the findings of a run: a dated overlay file."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from geosite.model.base import Day, Identifier, Spec, Text


class Decision(Spec):
    """One decision about one rule on one piece of land."""

    site: Text | None = None
    """Id of a site of the reviewed run."""
    area: Text | None = None
    """Instead: a vector file beside the overlay, or ``west,south,east,north`` in degrees."""
    rule: Identifier
    decision: Literal["accept", "dispute", "override"]
    """accept: the finding stands. dispute: there nobody can tell, until it is settled.
    override: `finding` takes its place."""
    finding: Literal["holds", "does not hold"] | None = None
    """For an override: what is true there in the reviewer's judgement."""
    reason: Text
    role: Text
    """The reviewer's role, such as "wildlife biologist, field office"; no name."""
    date: Day
    """Day of the decision; of two about the same land the later one counts."""
    case: Text | None = None
    """Number or file of the case; without it no statute and no withdrawal is set aside or in
    doubt."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.site is None) == (self.area is None):
            msg = "say where: site or area, not both and not neither"
            raise ValueError(msg)
        if (self.decision == "override") != (self.finding is not None):
            msg = (
                "finding belongs to an override, and an override needs one: holds or does not hold"
            )
            raise ValueError(msg)
        return self


class Reviews(Spec):
    """An overlay: decisions about a run."""

    run: Text
    """Folder of the reviewed run, beside the overlay or as given."""
    decisions: Annotated[tuple[Decision, ...], Field(min_length=1)]
