"""Which rules are asked, and in whose voice: a project's decision, a local rule, the rulebook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from geosite import phrases
from geosite.constraints import is_hard
from geosite.evidence import asked_commodities
from geosite.limits import BINDING, CLAIMS

if TYPE_CHECKING:
    from geosite.catalog import Rulebook
    from geosite.model.commodity import Commodity
    from geosite.model.rule import LocalRule, Override, Rule, Treatment
    from geosite.model.scenario import Scenario

_SOON = timedelta(days=365)
"""What ceases to hold within this time after the day goes stale next, and is said."""
_OTHER = {"locatable": "leasable", "leasable": "locatable"}
_WORDS = {"locatable": "located", "leasable": "leased"}


@dataclass(frozen=True, slots=True)
class Resolved:
    """The rules of a scenario on a day.

    Attributes
    ----------
    rules, treatments
        Rules in force for the project, in order of id, and what they mean for it.
    not_asked : mapping of rule id to reason
    local : mapping of rule id to local rules
        Those that hold, in order of precedence; of a rule that has none, nothing.
    overrides : mapping of rule id to Override
        Decisions of the project, of rules that speak of it.
    lifts : mapping of rule id to rule ids
        Of each rule that includes: the hard rules it lifts on its land.
    order : tuple of str
        A line ``<rule id>: …`` for every rule that more than one voice speaks of, from the
        voice that is heard to the last; for what a rule lifts; and for what was dropped. At
        the end, which rules speak of some of the commodities only.
    notes : tuple of str
        What ceases to hold within a year.
    """

    rules: tuple[Rule, ...]
    treatments: tuple[Treatment, ...]
    not_asked: Mapping[str, str]
    local: Mapping[str, tuple[LocalRule, ...]]
    overrides: Mapping[str, Override]
    lifts: Mapping[str, frozenset[str]]
    order: tuple[str, ...]
    notes: tuple[str, ...]


def resolved(scenario: Scenario, rulebook: Rulebook, day: date) -> Resolved:
    """The rules of a scenario on a day: project decisions before local before generic rules.

    Notes
    -----
    A rule is asked if the project's decision or, without one, the rule says what it means for
    the type of project; if the day is one of its own; if it does not need federal money that
    is not there; and, of a mine, if it does not speak of located minerals alone where all the
    commodities are leased, or the other way round. A rule that the project decided about, by
    an override or a rule of its own of the same id, has no local rules.
    """
    chosen, generic = rulebook.rules(scenario), rulebook.generic(scenario)
    replaced = {r.id for r in scenario.own_rules} & set(generic)
    decided = {o.rule: o for o in scenario.overrides}
    minerals = _minerals(scenario, rulebook)
    asked: dict[str, tuple[Rule, Treatment]] = {}
    not_asked: dict[str, str] = {}
    local: dict[str, tuple[LocalRule, ...]] = {}
    heeded: dict[str, Override] = {}
    order: list[str] = []
    for rule in chosen:
        override, plain = decided.get(rule.id), rule.treatment(scenario.project)
        treatment = override.treatment if override else plain
        if treatment is None and plain is None:
            continue
        if reason := _why_not(rule, scenario, day, minerals):
            not_asked[rule.id] = reason
            continue
        if override:
            heeded[rule.id] = override
        if treatment is None:
            not_asked[rule.id] = f"project override: {_basis(override)}"
            continue
        asked[rule.id] = rule, treatment
        entries = [e for e in (*scenario.local, *rulebook.local.local) if e.rule == rule.id]
        held = tuple(e for e in entries if e.in_force(day))
        decisions = (
            [f"override ({phrases.said(treatment)}: {_basis(override)})"] if override else []
        )
        if rule.id in replaced:
            decisions.append(f"rule ({phrases.said(plain)}, {rule.citation})")
            plain = generic[rule.id].treatment(scenario.project)
        if held and not decisions:
            local[rule.id] = held
        order += _heard(rule, decisions, [_local(e, scenario) for e in held], plain)
        order += [_dropped(e, scenario, day) for e in entries if not e.in_force(day)]
    found = list(asked.values())
    rules, treatments = tuple(r for r, _ in found), tuple(t for _, t in found)
    lifts = lifted_by(rules, treatments)
    return Resolved(
        rules,
        treatments,
        not_asked,
        local,
        heeded,
        lifts,
        (*order, *_lifting(found, lifts), *_of_either(rules, minerals)),
        tuple(_stale(rules, local, day)),
    )


def spoken(scenario: Scenario, rulebook: Rulebook) -> list[tuple[Rule, Treatment]]:
    """Rules that speak of the project on any day, with what it decided about them, by id.

    For what has to be known before the day is: which layers, and how far around the AOI.
    """
    decided = {o.rule: o.treatment for o in scenario.overrides}
    pairs = [
        (r, decided.get(r.id, r.treatment(scenario.project))) for r in rulebook.rules(scenario)
    ]
    return [(r, t) for r, t in pairs if t is not None]


def lifted_by(rules: Sequence[Rule], treatments: Sequence[Treatment]) -> dict[str, frozenset[str]]:
    """By the id of each rule that includes: the hard rules it lifts, among some rules.

    By itself it lifts what rests on a regulation, a plan or practice; a statute or a
    withdrawal where it names it and its case. Sovereign land is never lifted, and a layer of
    claims lifts nothing.
    """
    hard = [r for r, t in zip(rules, treatments, strict=True) if is_hard(t) and not r.sovereign]
    lifts: dict[str, frozenset[str]] = {}
    for rule, treatment in zip(rules, treatments, strict=True):
        if treatment.tier != "include":
            continue
        if treatment.lifts:
            may = [r for r in hard if r.authority not in BINDING or treatment.case]
            found = {r.id for r in may} & set(treatment.lifts)
        else:
            found = {r.id for r in hard if r.authority not in BINDING}
        lifts[rule.id] = frozenset() if rule.layer in CLAIMS else frozenset(found)
    return lifts


def _minerals(scenario: Scenario, rulebook: Rulebook) -> tuple[Commodity, ...]:
    # A plant digs nothing: rules about either kind of mineral are asked of it as they stand.
    if scenario.project != "mine":
        return ()
    wanted = asked_commodities(scenario.commodities, rulebook.commodities)
    return tuple(c for c in rulebook.commodities.commodities if c.id in wanted)


def _why_not(
    rule: Rule, scenario: Scenario, day: date, minerals: Sequence[Commodity]
) -> str | None:
    if not rule.in_force(day):
        return f"not in force on {day}"
    if rule.needs_federal_funding and not scenario.federal_funding:
        return "applies to federally funded projects only"
    others = _others(rule, minerals)
    if minerals and len(others) == len(minerals):
        return f"speaks of {rule.disposal} minerals; {_acquired(rule, others)}"
    return None


def _others(rule: Rule, minerals: Iterable[Commodity]) -> list[str]:
    # Commodities that the rule does not speak of; of one that may be either it does.
    other = _OTHER.get(rule.disposal)
    return [c.id for c in minerals if c.disposal == other] if other else []


def _acquired(rule: Rule, others: list[str]) -> str:
    verb = "is" if len(others) == 1 else "are"
    return f"{phrases.some(others)} {verb} {_WORDS[_OTHER[rule.disposal]]}"


def _of_either(rules: Sequence[Rule], minerals: Sequence[Commodity]) -> Iterator[str]:
    # Land is asked about as a whole, and some of it may be wanted for the other kind.
    for disposal in _OTHER:
        asked = [r for r in rules if r.disposal == disposal and _others(r, minerals)]
        if asked:
            yield (
                f"rules that speak of {disposal} minerals are asked of all land; of the "
                f"commodities {_acquired(asked[0], _others(asked[0], minerals))}: "
                f"{', '.join(r.id for r in asked)}"
            )


def _heard(
    rule: Rule, decisions: Sequence[str], local: Sequence[str], generic: Treatment | None
) -> Iterator[str]:
    # Nothing of a rule that only the rulebook speaks of.
    if decisions:
        voices = [*(f"project {d}" for d in decisions), *local]
        line = " before ".join([*voices, f"generic ({phrases.said(generic)})"])
        yield f"{rule.id}: {line}{'; the local rules are not asked' if local else ''}"
    elif local and generic is not None:
        line = " before ".join([*local, f"generic ({phrases.setback(generic)})"])
        yield f"{rule.id}: {line}"


def _basis(override: Override | None) -> str:
    if override is None:
        return ""
    return f"{override.basis}; case {override.case}" if override.case else override.basis


def _local(entry: LocalRule, scenario: Scenario) -> str:
    return ("project " if entry in scenario.local else "") + phrases.local(entry)


def _dropped(entry: LocalRule, scenario: Scenario, day: date) -> str:
    when = f"expired on {entry.valid_to}"
    if entry.valid_from is not None and day < entry.valid_from:
        when = f"holds from {entry.valid_from} only"
    return f"{entry.rule}: {_local(entry, scenario)} {when}"


def _lifting(
    found: Iterable[tuple[Rule, Treatment]], lifts: Mapping[str, frozenset[str]]
) -> Iterator[str]:
    for rule, treatment in found:
        if treatment.tier == "include":
            names = ", ".join(sorted(lifts[rule.id])) or "no rule that is asked"
            case = f" (case {treatment.case})" if treatment.case else ""
            yield f"{rule.id}: lifts {names}{case}"


def _stale(
    rules: Iterable[Rule], local: Mapping[str, tuple[LocalRule, ...]], day: date
) -> Iterator[str]:
    ending = [(r.valid_to, f"rule {r.id}") for r in rules]
    ending += [
        (e.valid_to, f"rule {id_}, {phrases.local(e)},")
        for id_, held in local.items()
        for e in held
    ]
    soon = sorted((to, what) for to, what in ending if to is not None and to - day <= _SOON)
    for to, what in soon:
        yield f"goes stale next: {what} holds until {to}; read it anew after that day"
