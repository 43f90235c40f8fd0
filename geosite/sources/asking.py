"""What is asked of a source of a layer, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from geosite.model.layer import Layer
from geosite.model.lock import Box
from geosite.model.source import ServiceSource

CHANGED = 0.2
"""Share by which a count may differ from the attested one."""
Told = Callable[[int, int | None], None]
"""Is told how much there is already, and of how much if that is known: features or bytes."""


@dataclass(frozen=True, slots=True)
class State:
    """A state that meets the box: postal code such as NV, FIPS code such as 32."""

    code: str
    fips: str


@dataclass(frozen=True, slots=True)
class Ask:
    """A layer, or what of it meets a box, from one of its sources.

    Parameters
    ----------
    layer : Layer
    source : ServiceSource
        One of the layer's.
    box : west, south, east, north in degrees (WGS 84), optional
        Without it all of the layer. West > east crosses the antimeridian.
    states : tuple of State
        Those that meet the box, for sources with one file a state; all without a box.
    """

    layer: Layer
    source: ServiceSource
    box: Box | None = None
    states: tuple[State, ...] = ()

    @property
    def boxes(self) -> tuple[Box | None, ...]:
        """The box, in two where it crosses the antimeridian; None alone without one."""
        if self.box is None or self.box[0] <= self.box[2]:
            return (self.box,)
        west, south, east, north = self.box
        return ((west, south, 180.0, north), (-180.0, south, east, north))

    @property
    def is_part(self) -> bool:
        """Whether it is for a part of the layer; one file a state is one as well."""
        return self.box is not None and (self.source.by_box or "{" in self.source.url)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names at the source of the fields that the layer declares; empty: all are wanted.

        Only these are asked for and kept: no personal name that a service offers besides
        them is ever stored.
        """
        declared = self.layer.fields.items()
        return tuple(f.from_ or name for name, f in declared if f.constant is None)


@dataclass(frozen=True, slots=True)
class Got:
    """What came, in a file that nobody else knows yet.

    Parameters
    ----------
    path : Path
        GeoParquet with the source's own column names in the layer's declared CRS, or a
        Cloud Optimized GeoTIFF in that CRS.
    count : int
        Features, or cells.
    url : str
        What was asked, without what changes from page to page.
    server_count : int, optional
        Features of the whole layer on the server.
    edited : str, optional
        When the server says that its data was last edited, as ISO 8601.
    source_sha256 : str, optional
        Of the publisher's file.
    notes : tuple of str
        What a planner should know: pieces generalised, pages asked again, tiles that are not.
    """

    path: Path
    count: int
    url: str
    server_count: int | None = None
    edited: str | None = None
    source_sha256: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Estimate:
    """What would come: features and bytes, as far as the server says; None: it does not."""

    count: int | None
    size: int | None
    measured: bool = False
    """Whether the size is worked out from a sample."""


Health = Literal["ok", "moved", "schema changed", "count changed", "dead"]


@dataclass(frozen=True, slots=True)
class Finding:
    """How one source of a layer is."""

    health: Health
    words: str
    count: int | None = None


def count_finding(words: str, count: int | None, before: int | None) -> Finding:
    """How a source is whose layer and fields are as declared, by its count of features.

    Parameters
    ----------
    words : str
        What was found.
    before : int, optional
        Features when it was last attested.
    """
    if count is not None and before and abs(count - before) > CHANGED * before:
        said = f"{words} counts {count:,} features, {before:,} when last attested; see what changed"
        return Finding("count changed", said, count)
    return Finding("ok", f"{words}: {'answers' if count is None else f'{count:,} features'}", count)
