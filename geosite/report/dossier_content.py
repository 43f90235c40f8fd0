"""What a dossier holds of each site, in the shape that pages and tables are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import geopandas as gpd
    from pyproj import CRS
    from shapely.geometry.base import BaseGeometry

Standing = Literal["certain", "possible", "clear", "unknown"]
Group = Literal["touches", "near", "examined", "unasked"]
TIERS = ("exclude", "require", "include", "avoid", "mitigate", "flag")
"""As they are read out: what decides comes first."""
GAPS = {
    "never": "No layer shows it",
    "missing": "Layer not to be had",
    "not asked": "Rule not asked",
    "not covered": "Layer does not speak for the land, or for a part of it",
    "presence only": "Layer does not show everything there is",
    "stale": "Layer older than it should be",
    "age not known": "Day of retrieval on no record",
    "heading": "Not known of the place",
}
"""Kinds of gap, in the order in which they are printed, and their headings."""
ACRES = 2.471053814671653
"""Acres a hectare."""
MILE = 1609.344
_LITTLE = 0.001
_ROUNDING = 1e-9
"""Share that a sum of areas may lack by rounding."""


def percent(share: float) -> str:
    """A share as people read it; less than all is never written as 100 %, nor some as none.

    Examples
    --------
    >>> percent(0.99999), percent(1.0), percent(0.57), percent(0.0001)
    ('99.9 %', '100 %', '57 %', 'less than 0.1 %')
    """
    if 0 < share < _LITTLE:
        return "less than 0.1 %"
    whole = share > 1.0 - _ROUNDING
    return f"{100.0 if whole else min(99.9, round(100 * share, 1)):g} %"


@dataclass(frozen=True, slots=True)
class LayerFacts:
    """What is known of the layer that a rule is read off.

    Attributes
    ----------
    retrieved : str
        Day on which it was fetched; empty if that is on no record.
    stale : bool or None
        Older than the catalogue lets it grow; None: nobody can say.
    accuracy_m : float or None
        Positional accuracy that the catalogue states [m].
    """

    id: str
    title: str = ""
    agency: str = ""
    vintage: str = ""
    retrieved: str = ""
    age_days: int | None = None
    stale: bool | None = None
    accuracy_m: float | None = None
    absence_informative: bool = True
    problems: str = ""
    missing: str = ""
    """Why it cannot be read; empty if it was."""


@dataclass(frozen=True, slots=True)
class RuleFacts:
    """How a rule is written, for the project that is asked about."""

    id: str
    title: str
    tier: str
    says: str
    """What it means for the project, in words: ``exclude, within 100 m``."""
    authority: str
    citation: str
    evidence: str
    exceptions: tuple[str, ...] = ()
    consultation: str = ""
    permits: tuple[str, ...] = ()
    """Titles of the permits and consultations that a touch triggers."""
    who_can_act: str = ""
    note: str = ""

    @property
    def is_law(self) -> bool:
        """False for practice, which is no law."""
        return self.authority != "practice"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule is to one site; lengths and areas are of the exact outlines.

    Attributes
    ----------
    method : {"outline", "cells", "none"}
        Read off the exact outline, off the cells of the run, or not at all.
    overlap_ha, share : float
        Of the site under the union of the features; NaN where nothing was measured.
    length_m : float
        Of lines inside the site; NaN for other features.
    nearest_m : float
        Along the ellipsoid; 0 where it overlaps, NaN where nothing was found.
    looked_m : float
        How far a nearest feature was looked for.
    covered : float
        Share of the site that the layer speaks for.
    shape : BaseGeometry or None
        The union of the features, cut by the site, in the dossier's CRS.
    """

    site_id: str
    rule: RuleFacts
    layer: LayerFacts
    group: Group
    standing: Standing
    method: Literal["outline", "cells", "none"]
    why: str = ""
    """In words, where something is not plain."""
    names: tuple[str, ...] = ()
    features_n: int = 0
    overlap_ha: float = float("nan")
    share: float = float("nan")
    length_m: float = float("nan")
    nearest_m: float = float("nan")
    bearing_deg: float = float("nan")
    direction: str = ""
    nearest_name: str = ""
    looked_m: float = 0.0
    ring_n: int = 0
    ring_names: tuple[str, ...] = ()
    covered: float = 1.0
    shape: BaseGeometry | None = None

    @property
    def acres(self) -> float:
        """Of the site under the features."""
        return self.overlap_ha * ACRES


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that was not examined, or not in full.

    Attributes
    ----------
    kind : str
        ``never``, ``missing``, ``not asked``, ``not covered``, ``presence only``, ``stale``,
        ``age not known`` or ``outline``.
    site_id : str
        Empty where it is so for every site.
    """

    kind: str
    what: str
    why: str
    rules: tuple[str, ...] = ()
    layer: str = ""
    site_id: str = ""
    citation: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a reviewer decided about a rule on the land of a site.

    Attributes
    ----------
    share : float
        Of the site, on which it was decided.
    effect : str
        What the decision changed in the run, in words.
    """

    rule: str
    title: str
    decision: str
    finding: str
    share: float
    reason: str
    role: str
    day: str
    case: str = ""
    effect: str = ""

    @property
    def words(self) -> str:
        """The decision in one line, with its reason."""
        held = f" ({self.finding})" if self.finding else ""
        case = f"; case {self.case}" if self.case else ""
        return (
            f"{self.decision}{held} on {percent(self.share)} of the site: {self.effect}. "
            f"{self.role}, {self.day}{case}: {self.reason}"
        )


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a heading."""

    label: str
    value: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """All that is said of one site."""

    site_id: str
    name: str
    outline: BaseGeometry
    """In the dossier's CRS."""
    area_ha: float
    lines: tuple[Line, ...]
    managers: tuple[tuple[str, str, float], ...]
    """Code of the owner, its names, and its land in the site [ha]."""
    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...]
    remarks: tuple[str, ...] = ()
    """What was done to the outline."""
    verdicts: tuple[Verdict, ...] = ()
    """What reviewers decided, by day."""

    @property
    def acres(self) -> float:
        """Of the outline."""
        return self.area_ha * ACRES

    def of(self, group: Group) -> tuple[Finding, ...]:
        """Findings of a group, by tier, the largest overlap first."""
        found = [f for f in self.findings if f.group == group]
        return tuple(sorted(found, key=_order))


def _order(f: Finding) -> tuple[int, float, float, str]:
    share = 0.0 if f.share != f.share else f.share
    nearest = float("inf") if f.nearest_m != f.nearest_m else f.nearest_m
    return TIERS.index(f.rule.tier), -share, nearest, f.rule.id


@dataclass(frozen=True, slots=True)
class Dossier:
    """What official layers and the rulebook say of some sites."""

    title: str
    about: str
    """The run, or the file, that the sites are of."""
    project: str
    as_of: str
    notice: str
    """Disclaimer, years of the data, and marking; on every page and row."""
    marking: str
    synthetic: bool
    ring_m: float
    crs: CRS
    pages: tuple[Page, ...]
    gaps: tuple[Gap, ...]
    """Of every site."""
    near: gpd.GeoDataFrame
    """Features within the ring: ``rule, title, tier, layer, name, site_ids, geometry``."""
