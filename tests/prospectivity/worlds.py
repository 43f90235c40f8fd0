"""Toy ground with deposits along a belt, for the tests of the evidence surface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geosite.grid import Grid
from geosite.model.prospectivity import Prospectivity
from geosite.prospectivity import Ground
from tests.toyworld import ALBERS

if TYPE_CHECKING:
    from collections.abc import Iterable

SIDE = 60
SPEC = Prospectivity(
    leak=3000.0, widths=(3000.0, 6000.0), bags=4, background=400, block=8000.0, penalty=5.0
)


def ground(side: int = SIDE, *, column: int = 0, row: int = 0, two: bool = False) -> Ground:
    """Square kilometres of land, of one state or of a western and an eastern one."""
    grid = Grid(ALBERS, 1000.0, column, row, (side, side))
    state = np.ones((side, side), np.int16)
    if two:
        state[:, side // 2 :] = 2
    return Ground(grid, np.ones((side, side), bool), state)


def table(rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """Occurrences, with what is not said filled in."""
    usual = {
        "name": "", "commodities": ("gold",), "evidence_class": "unknown", "quality": "D",
        "weight": 0.03, "asked": True,
    }  # fmt: skip
    return pd.DataFrame([usual | row for row in rows])


def belt(land: Ground, count: int = 40, seed: int = 0) -> pd.DataFrame:
    """Named deposits and small records along a north-south belt in the middle of the land."""
    rng = np.random.default_rng(seed)
    left, bottom, right, top = land.grid.bounds
    middle, height = (left + right) / 2, top - bottom
    rows: list[dict[str, Any]] = []
    for i in range(count):
        # Offsets in eighths of a metre, so that a shift rounds nothing.
        x = middle + round(rng.normal(0, 3000) * 8) / 8
        y = bottom + round(rng.uniform(0, height) * 8) / 8
        known = {"evidence_class": "resource", "quality": "B", "weight": 0.75}
        rows.append({"name": f"D{i:03d}", "x": x, "y": y, **known})
        for _ in range(3):
            dx, dy = (round(v * 8) / 8 for v in rng.normal(0, 4000, 2))
            rows.append({"x": x + dx, "y": y + dy})
    return table(rows)


def gravel(x: float, y: float, count: int) -> pd.DataFrame:
    """Pits that nobody asked for, all at one place."""
    pit = {"commodities": ("sand",), "asked": False, "weight": 0.03}
    return table([{**pit, "x": x, "y": y} for _ in range(count)])
