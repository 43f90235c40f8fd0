"""Decisions of reviewers about rules, as land on the grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geosite.errors import CatalogError, faults
from geosite.grid import Grid
from geosite.harmonise import category
from geosite.inputs import Amendment
from geosite.localities import area_shapes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shapely.geometry.base import BaseGeometry

    from geosite.inputs import Effect
    from geosite.planning import Plan

_SMALL = 100
"""Areas of up to so many cells are looked at for one whose centre they hold."""


def amended_land(
    decided: Mapping[str, Sequence[tuple[BaseGeometry, Effect]]], plan: Plan
) -> tuple[dict[str, tuple[Amendment, ...]], list[str]]:
    """Areas and effects on the grid by rule id, in order, and what is to be said of them.

    A cell belongs to an area that holds its centre, as it belongs to a parcel.

    Raises
    ------
    CatalogError
        If the plan does not ask a rule that was decided about.
    """
    asked = {r.id for r in plan.rules}
    if unknown := sorted({*decided} - asked):
        lines = [f"{rule}: this run does not ask the rule" for rule in unknown]
        fix = "review a run of the same rules, or take the decision out of the overlay"
        raise CatalogError(faults("rules are decided about that have no say:", [*lines, fix]))
    out, notes = {}, []
    for rule, areas in sorted(decided.items()):
        out[rule] = tuple(Amendment(area_shapes(a, plan.grid), effect) for a, effect in areas)
        notes += [
            f"rule {rule}: a decision about {area.area / 10_000:,.2f} ha changes nothing: no cell "
            f"of {plan.grid.resolution:g} m has its centre there"
            for (area, _), amendment in zip(areas, out[rule], strict=True)
            if not _holds_a_cell(area, amendment, plan.grid)
        ]
    return out, notes


def _holds_a_cell(area: BaseGeometry, amendment: Amendment, grid: Grid) -> bool:
    if area.is_empty:
        return False
    around = Grid.covering(area.bounds, grid.crs, resolution=grid.resolution, origin=grid.origin)
    return around.cells > _SMALL or bool(category(amendment.land, around).any())
