"""Permits, consultations and pathways of a site: what is asked of it, and which way is open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from geosite.model.commodity import Commodities
    from geosite.model.permit import Pathway, Permit, Permits
    from geosite.model.rule import ProjectType
    from geosite.model.scenario import Scenario

Fit = Literal["yes", "perhaps", "no"]


@dataclass(frozen=True, slots=True)
class Law:
    """What permits and supply are read from.

    Attributes
    ----------
    day
        Day on which pathways are open or not.
    class_weights
        Evidence class → 0–1, as the scenario weighs it; None where it weighs none.
    through_host
        What a by-product counts at a host that is not known to hold it.
    """

    permits: Permits
    commodities: Commodities
    project: ProjectType
    day: date
    class_weights: Mapping[str, float] | None = None
    through_host: float = 1.0

    @classmethod
    def of(cls, permits: Permits, commodities: Commodities, scenario: Scenario, day: date) -> Law:
        """Of a scenario on a day."""
        evidence = scenario.evidence
        weights = {str(k): v for k, v in evidence.class_weights.items()} if evidence else None
        through = evidence.through_host if evidence else 1.0
        return cls(permits, commodities, scenario.project, day, weights, through)


@dataclass(frozen=True, slots=True)
class Site:
    """What permits depend on: owner, minerals, and the rules that touch or may touch.

    `origin` is ``public domain``, ``acquired``, ``partly acquired (37 %), …`` or unknown.
    """

    agency: str
    commodities: tuple[str, ...] = ()
    origin: str = ""
    touching: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Needs:
    """Permits of a site: `certain` are asked of it, `possible` perhaps; in the table's order."""

    certain: tuple[Permit, ...]
    possible: tuple[Permit, ...]

    @property
    def least(self) -> int:
        """Federal permits and consultations that are asked in any case."""
        return sum(p.track == "federal" for p in self.certain)

    @property
    def most(self) -> int:
        """The same, with those that are possible."""
        return self.least + sum(p.track == "federal" for p in self.possible)


Ground = tuple[tuple["Permit", Fit, Fit], ...]
"""Permits of the project, whether each is for such land and minerals, and asked without a rule."""


def needs(site: Site, law: Law, triggers: Mapping[str, tuple[str, ...]]) -> Needs:
    """Permits and consultations of a site.

    Parameters
    ----------
    triggers : mapping of rule id to permit ids
    """
    certain, possible = (named(r, triggers) for r in (site.touching, site.doubtful))
    return triggered(ground(site, law), certain, possible)


def named(rules: Iterable[str], triggers: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    """Ids of the permits that rules trigger."""
    return frozenset(i for rule in rules for i in triggers.get(rule, ()))


def ground(site: Site, law: Law) -> Ground:
    """What its land and minerals ask of a site, whatever rules touch it."""
    found = []
    for permit in law.permits.permits:
        if law.project in permit.projects:
            land = _lesser(_land(permit, site)[0], _disposal(permit, site, law)[0])
            asked = _lesser(land, _listed(permit, site, law)[0]) if permit.every else "no"
            found.append((permit, land, asked))
    return tuple(found)


def triggered(of: Ground, by_rule: frozenset[str], in_doubt: frozenset[str]) -> Needs:
    """The same with the permits of rules that touch the site, or of which one cannot tell."""
    certain, possible = [], []
    for permit, land, asked in of:
        fits = asked
        if permit.id in by_rule:
            fits = _greater(fits, land)
        if permit.id in in_doubt and land != "no":
            fits = _greater(fits, "perhaps")
        if fits == "yes":
            certain.append(permit)
        elif fits == "perhaps":
            possible.append(permit)
    return Needs(tuple(certain), tuple(possible))


def ids_of(permits: Iterable[Permit], track: str, *, consultations: bool | None = None) -> str:
    """Ids of the permits of a track, ``a; b``; with or without the consultations."""
    return "; ".join(
        p.id
        for p in permits
        if p.track == track
        and (consultations is None or (p.kind == "consultation") == consultations)
    )


@dataclass(frozen=True, slots=True)
class Way:
    """A pathway and a site: whether it is open to it, for which minerals, or why not."""

    pathway: Pathway
    open: bool
    why: str

    @property
    def said(self) -> str:
        """``emergency (lithium)``, ``lease (duration unknown)``, ``emergency: gold not on …``."""
        if not self.open:
            return f"{self.pathway.id}: {self.why}"
        notes = [self.why] if self.why else []
        if self.pathway.months is None:
            notes.append("duration unknown")
        return f"{self.pathway.id} ({', '.join(notes)})" if notes else self.pathway.id

    def months(self, part: str) -> float:
        """Low, likely or high [months]; NaN where it is not open or not known."""
        if not self.open or self.pathway.months is None:
            return float("nan")
        return float(getattr(self.pathway.months, part))


def ways(site: Site, law: Law) -> tuple[Way, ...]:
    """Every pathway of the project, and whether it is open to a site.

    What is open only perhaps is not open, and says so.
    """
    found = []
    for pathway in pathways(law):
        answers = (_land(pathway, site), _disposal(pathway, site, law), _taken(pathway, site, law))
        day: tuple[Fit, str] = ("yes", "")
        if not pathway.in_force(law.day):
            day = ("no", f"not in force on {law.day.isoformat()}")
        fit = _lesser(day[0], *(a[0] for a in answers))
        if fit == "yes":
            found.append(Way(pathway, open=True, why=answers[2][1]))
        else:
            why = next(text for f, text in (day, *answers) if f == fit)
            found.append(Way(pathway, open=False, why=why))
    return tuple(found)


def pathways(law: Law) -> list[Pathway]:
    """Pathways of the project, in the table's order."""
    return [p for p in law.permits.pathways if law.project in p.projects]


# ── whether an entry fits a site, and why not ───────────────────────────────────────────────

_ORDER: tuple[Fit, ...] = ("no", "perhaps", "yes")


def _lesser(*fits: Fit) -> Fit:
    return min(fits, key=_ORDER.index)


def _greater(*fits: Fit) -> Fit:
    return max(fits, key=_ORDER.index)


def _land(entry: Permit | Pathway, site: Site) -> tuple[Fit, str]:
    if not entry.land or site.agency in entry.land:
        return "yes", ""
    return "no", f"not on {site.agency or 'unknown'} land"


def _disposal(entry: Permit | Pathway, site: Site, law: Law) -> tuple[Fit, str]:
    wanted = entry.disposal
    if wanted == "any":
        return "yes", ""
    if site.origin == "acquired":
        kinds = {"leasable"}
    else:
        of = {c.id: c.disposal for c in law.commodities.commodities}
        kinds = {str(of.get(c, "unknown")) for c in site.commodities}
        if "acquired" in site.origin:  # in part
            kinds.add("leasable")
    if wanted in kinds:
        return "yes", ""
    if not kinds or kinds & {"both", "unknown"}:
        return "perhaps", f"for {wanted} minerals; not known whether these are"
    if wanted == "leasable" and site.origin != "public domain":
        return "perhaps", "for leasable minerals; not known whether the land is acquired"
    return "no", f"for {wanted} minerals only"


def _listed(entry: Permit | Pathway, site: Site, law: Law) -> tuple[Fit, str]:
    if entry.commodities is None:
        return "yes", ""
    on = on_list(entry.commodities, law.commodities)
    if found := [c for c in site.commodities if c in on]:
        return "yes", ", ".join(found)
    wanted = entry.commodities if isinstance(entry.commodities, str) else "its list"
    if not site.commodities:
        return "perhaps", f"for minerals on {wanted}; the site's are not known"
    return "no", f"{', '.join(site.commodities)} not on {wanted}"


def _taken(pathway: Pathway, site: Site, law: Law) -> tuple[Fit, str]:
    # Gold with a little silver is a gold project, which a list with silver on it does not take.
    fit, words = _listed(pathway, site, law)
    if fit != "yes" or pathway.commodities is None:
        return fit, words
    on = on_list(pathway.commodities, law.commodities)
    if other := [c for c in site.commodities if c not in on]:
        return "perhaps", f"for {words}; not known whether a project with {', '.join(other)} is"
    return fit, words


def on_list(wanted: str | Sequence[str], table: Commodities) -> frozenset[str]:
    """Commodity ids that an entry speaks of, by list name or one by one."""
    if isinstance(wanted, str):
        return frozenset(c.id for c in table.commodities if wanted in c.lists)
    return frozenset(wanted)
