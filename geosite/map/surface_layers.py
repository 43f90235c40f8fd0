"""Surfaces as pictures: suitability, excluded, unknown, likelihood, and rules without outlines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geosite.map.entries import Entry, Layers, Legend
from geosite.map.land import BY_RULE, rule_words
from geosite.map.pictures import (
    likelihood_picture,
    mask_picture,
    status_pictures,
    suitability_picture,
)
from geosite.report import palette
from geosite.report.facts import area
from geosite.report.text import LIMIT, plain

if TYPE_CHECKING:
    from geosite.map.pictures import Picture
    from geosite.report.content import Content, RuleLabel

SURFACES = ("Surfaces",)
_REQUIRED = "require"
_HARD = ("exclude", _REQUIRED)


def surface_layers(content: Content) -> Layers:
    """Entries of the surfaces, and of every rule whose land has no outline of its own."""
    excluded, unknown = status_pictures(content)
    pictures = {
        "suitability": suitability_picture(content),
        "excluded": excluded,
        "unknown": unknown,
    }
    entries = [_suitability(), _excluded(content), _unknown(content)]
    if (likely := likelihood_picture(content)) is not None:
        pictures["likelihood"] = likely
        entries.append(_likelihood(content))
    by_rule = _by_rule(content)
    entries += [entry for entry, _ in by_rule]
    pictures |= {entry.source: picture for entry, picture in by_rule}
    return Layers(tuple(entries), pictures=pictures)


def _suitability() -> Entry:
    rows = tuple(("", colour, "") for colour in palette.SUITABILITY)
    return _surface(
        "suitability",
        "Suitability",
        shown=True,
        legend=Legend("ramp", rows, ("0, worst", "1, best")),
        words=("Cell by cell, on offered land that no rule excludes, by the weights of the run",),
    )


def _excluded(content: Content) -> Entry:
    land, _, _ = content.offered
    return _surface(
        "excluded",
        "Excluded by any rule",
        shown=True,
        legend=Legend("classes", (("fill", palette.EXCLUDED, "excluded"),)),
        words=(f"{area(land)} of offered land",),
    )


def _unknown(content: Content) -> Entry:
    _, land, _ = content.offered
    lost = len(content.unknown_rules)
    asked = f"{lost} {'rule' if lost == 1 else 'rules'} could not be asked for want of a layer"
    words = (f"{area(land)} of offered land: not excluded, and some hard rule cannot tell",)
    return _surface(
        "unknown",
        "Unknown",
        # Where nearly all is unknown, the hatch would hide what is known.
        shown=not content.is_mostly_unknown,
        legend=Legend("classes", (("hatch", palette.UNKNOWN, "unknown"),)),
        words=(*words, asked) if lost else words,
    )


def _likelihood(content: Content) -> Entry:
    rows = tuple(("fill", colour, words) for _, colour, words in palette.LIKELIHOOD)
    said = "Share of the land of the same state with a lower likelihood of a deposit"
    words = [said, "No probability, and no part of the ranking unless a criterion reads it"]
    if content.likelihood_leak_m:
        near = content.likelihood_leak_m / 1000
        words.append(f"Records within {near:g} km of a place say nothing of it")
    return _surface(
        "likelihood", "Likelihood of a deposit", legend=Legend("classes", rows), words=tuple(words)
    )


def _surface(id_: str, title: str, **more: Any) -> Entry:
    return Entry(f"surface-{id_}", title, SURFACES, "picture", id_, **more)


def _by_rule(content: Content) -> list[tuple[Entry, Picture]]:
    """Rules that exclude land and have no outline: their cells are shown."""
    if content.excluded_by is None:
        return []
    outlined = set(content.exclusions["rule"]) if "rule" in content.exclusions else set()
    bare = {r.id: r for r in content.rules if r.tier in _HARD and r.id not in outlined}
    masks = content.excluded_by(tuple(bare)) if bare else {}
    return [
        (_rule(bare[id_]), mask_picture(content, mask, palette.EXCLUSION_LINE))
        for id_, mask in sorted(masks.items())
    ]


def _rule(rule: RuleLabel) -> Entry:
    kind = ("Land without what this rule requires",) if rule.tier == _REQUIRED else ()
    return Entry(
        f"rule-{rule.id}",
        plain(rule.title, LIMIT),
        (BY_RULE,),
        "picture",
        f"rule-{rule.id}",
        legend=Legend("classes", (("fill", palette.EXCLUSION_LINE, "excluded, cell by cell"),)),
        words=(*rule_words(rule), *kind),
    )
