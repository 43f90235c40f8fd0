"""What a plan says at single places: whether rules exclude them, and how suitable they are.

Each place is worked on as a window of one cell, by the same function as a tile of a run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geosite.constraints import (
    OUTSIDE,
    STATUS_NAMES,
    against_bits,
    is_hard,
    lifters_of,
    numbered,
    unsure_bits,
)
from geosite.tile import tile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geosite.inputs import TileInputs
    from geosite.planning import Plan


@dataclass(frozen=True, slots=True)
class Spot:
    """What rules and criteria say of the cell that holds a place.

    Attributes
    ----------
    status : str
        One of `constraints.STATUS_NAMES`.
    offered : bool
        Whether its land may hold a candidate, whatever the rules say.
    against, unsure : tuple of rule ids
        Hard rules that speak against it, or cannot tell; on land of any owner. What another
        rule lifts here is not among them.
    suitability : float
        NaN where there is none.
    """

    status: str
    offered: bool
    against: tuple[str, ...]
    unsure: tuple[str, ...]
    suitability: float


def spots(plan: Plan, inputs: TileInputs, xy: NDArray[np.float64]) -> list[Spot]:
    """What is said at some places, in their order.

    Parameters
    ----------
    xy : (places, 2)
        In the grid's CRS.
    """
    columns, rows = plan.grid.indices(xy[:, 0], xy[:, 1])
    ids = [r.id for r in plan.rules]
    lifters = lifters_of(inputs.treatments, numbered(ids, inputs.lifts))
    hard = [k for k, t in enumerate(inputs.treatments) if is_hard(t)]
    found = []
    for column, row in zip(columns, rows, strict=True):
        r, c = plan.grid.row + int(np.floor(row)), plan.grid.column + int(np.floor(column))
        here = tile(inputs, plan.grid.part(r, c, (1, 1)))
        status = int(here.status[0, 0])
        if status == OUTSIDE:
            found.append(Spot(STATUS_NAMES[OUTSIDE], offered=False, against=(), unsure=(),
                              suitability=np.nan))  # fmt: skip
            continue
        speaks = {k for k in range(len(ids)) if against_bits(here.planes, k)[0, 0]}
        doubts = {k for k in range(len(ids)) if unsure_bits(here.planes, k)[0, 0]}
        standing = [k for k in hard if not speaks.intersection(lifters.get(k, ()))]
        found.append(
            Spot(
                STATUS_NAMES[status],
                bool(inputs.offered[here.parcel[0, 0]]),
                _named(ids, standing, speaks),
                _named(ids, standing, doubts),
                float(here.suitability[0, 0]),
            )
        )
    return found


def _named(ids: Sequence[str], hard: Sequence[int], which: set[int]) -> tuple[str, ...]:
    return tuple(ids[k] for k in hard if k in which)
