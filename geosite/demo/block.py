"""A block of the world: what is drawn at once, from its own random numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geosite.demo.terrain import ORIGIN, Terrain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

BLOCK = 100_000.0
"""Edge of a block [m]; counted from the world's lower-left corner, whatever its size."""

AREA_KM2 = (BLOCK / 1000) ** 2


@dataclass(slots=True)
class Features:
    """Features of one layer: geometries, and as many values in every field."""

    geometry: list[Any] = field(default_factory=list)
    fields: dict[str, list[Any]] = field(default_factory=dict)

    def add(self, geometry: Any, **values: Any) -> None:
        """Take in one feature; every feature of a layer has the same fields."""
        self.geometry.append(geometry)
        for name, value in values.items():
            self.fields.setdefault(name, []).append(value)


Drawn = dict[str, Features]
"""Features by layer id."""


@dataclass(frozen=True, slots=True)
class Block:
    """One square of the block lattice.

    Parameters
    ----------
    seed : int
        Of the world.
    row, column : int
        Counted north and east from the world's lower-left corner.
    """

    seed: int
    row: int
    column: int

    @property
    def terrain(self) -> Terrain:
        """The ground of the world."""
        return Terrain(self.seed)

    @property
    def home(self) -> bool:
        """Whether this is the first block, which holds one of everything."""
        return self.row == self.column == 0

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Edges [m]."""
        left, bottom = ORIGIN[0] + self.column * BLOCK, ORIGIN[1] + self.row * BLOCK
        return left, bottom, left + BLOCK, bottom + BLOCK

    @property
    def basins(self) -> range:
        """Numbers of the basins that may touch the block."""
        left, bottom, right, top = self.bounds
        u = self.terrain.u_at([left, right, left, right], [bottom, bottom, top, top])
        return range(int(np.floor(u.min())) - 1, int(np.floor(u.max())) + 2)

    @property
    def home_basin(self) -> int:
        """Number of the basin nearest to the world's lower-left corner."""
        return int(np.floor(self.terrain.u_at(ORIGIN[0] + 9_000.0, ORIGIN[1] + 9_000.0)))

    def rng(self, channel: int) -> np.random.Generator:
        """Random numbers of this block and of one purpose, and of no other."""
        return np.random.default_rng(
            np.random.SeedSequence([self.seed, self.row, self.column, channel])
        )

    def name(self, what: str, number: int | None = None) -> str:
        """A name that nobody can take for a real place's."""
        tail = "" if number is None else f".{number}"
        return f"Demo {what} {self.row}.{self.column}{tail}"

    def clipped(self, lines: Sequence[Any]) -> list[Any]:
        """Parts of lines within the block; parts of neighbouring blocks meet at the edge."""
        cut = shapely.clip_by_rect(np.asarray(lines, object), *self.bounds)
        parts = shapely.get_parts(cut)
        return [part for part in parts if part.length > 0]

    def holds(self, x: Any, y: Any) -> NDArray[np.bool_]:
        """Whether points lie within; a point on an edge belongs to one block only."""
        left, bottom, right, top = self.bounds
        x, y = np.asarray(x), np.asarray(y)
        return np.asarray((x >= left) & (x < right) & (y >= bottom) & (y < top))


def spread(index: Any, share: float, seed: int, channel: int) -> NDArray[np.bool_]:
    """Which members of a sequence have a property that a share of them has, evenly spread.

    Notes
    -----
    Multiples of the golden ratio: any run of members holds close to its share.
    """
    start = np.random.default_rng([seed, channel]).random()
    return np.asarray((np.asarray(index) * 0.6180339887498949 + start) % 1.0 < share)
