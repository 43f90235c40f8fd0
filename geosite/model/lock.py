"""What was fetched: one entry of ``layers.lock`` a layer and area."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from geosite.model.base import LayerId, Spec, Text

Box = tuple[float, float, float, float]
"""West, south, east, north in degrees (WGS 84); west > east across the antimeridian."""


class Entry(Spec):
    """A layer, or the part of it near some area, as it was fetched."""

    layer: LayerId
    asked: Text
    """Digest of what the catalogue asked for: another entry may mean other bytes."""
    box: Box | None
    """Area that it speaks for; None: all of the layer."""
    kind: Text
    """Kind of the source."""
    url: Text
    """What was asked, without what changes from page to page."""
    role: Text
    retrieved: Text
    """UTC, as in 2026-11-22T05:00:00Z."""
    edited: str | None = None
    """When the server says that its data was last edited."""
    count: int
    """Features, or cells of a raster."""
    server_count: int | None = None
    """Features of the whole layer on the server."""
    size: int
    """Of the object [bytes]."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """Of the object, which is named by it."""
    ending: Literal[".parquet", ".tif"]
    source_sha256: str | None = None
    """Of the file that the publisher offers, where the layer was made from one."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """An object that is in place, and what is known of it."""

    path: Path
    entry: Entry


def contains(outer: Box | None, inner: Box | None) -> bool:
    """Whether an area lies in another; None is everywhere."""
    if outer is None or inner is None:
        return outer is None
    (w0, s0, e0, n0), (w1, s1, e1, n1) = outer, inner
    # East of 180 degrees counts on, so that a box across the antimeridian is one piece.
    e0, e1 = e0 + 360 * (e0 < w0), e1 + 360 * (e1 < w1)
    round_the_world = e0 - w0 >= 360
    beside = any(w0 <= w1 + turn and e1 + turn <= e0 for turn in (-360, 0, 360))
    return (round_the_world or beside) and s0 <= s1 and n1 <= n0


def words_of(box: Box | None) -> str:
    """An area in words."""
    return "everywhere" if box is None else ",".join(f"{side:.3f}" for side in box)
