"""Decisions of a reviewer on their land: what each changes about its rule, or why nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import shapely

from geosite.limits import BINDING

if TYPE_CHECKING:
    from pyproj import CRS
    from shapely.geometry.base import BaseGeometry

    from geosite.inputs import Effect
    from geosite.model.review import Decision
    from geosite.model.rule import Rule, Treatment


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision on its land.

    Attributes
    ----------
    place : str
        The site as the reviewed run calls it, or the area as it was written.
    land : BaseGeometry
        In the grid's CRS, inside the AOI.
    effect
        What becomes of the rule there; None if nothing changes.
    words : str
        The same in words, or why nothing changes.
    carried : bool
        The reviewed run itself was made with it, and it holds on.
    """

    decision: Decision
    place: str
    land: BaseGeometry
    effect: Effect | None
    words: str
    carried: bool = False


@dataclass(frozen=True, slots=True)
class Overlay:
    """Decisions about a run, from the first day to the last.

    Attributes
    ----------
    run : Path
        Folder of the reviewed run.
    run_hash : str
        What that run says of its question and data.
    """

    run: Path
    run_hash: str
    decided: tuple[Decided, ...]

    @property
    def amendments(self) -> dict[str, tuple[tuple[BaseGeometry, Effect], ...]]:
        """Land and effect by rule, in the order in which they hold: a later one covers an earlier.

        A finding that was accepted stands again: earlier decisions about the rule end there.
        """
        found: dict[str, list[tuple[BaseGeometry, Effect]]] = {}
        for one in self.decided:
            known = found.setdefault(one.decision.rule, [])
            if one.effect is not None:
                known.append((one.land, one.effect))
            elif one.decision.decision == "accept":
                known[:] = [(land.difference(one.land), effect) for land, effect in known]
        left = {
            rule: tuple((land, effect) for land, effect in known if not land.is_empty)
            for rule, known in found.items()
        }
        return {rule: left[rule] for rule in sorted(left) if left[rule]}

    def frame(self, crs: CRS) -> gpd.GeoDataFrame:
        """Land of each decision with what was decided, in the grid's CRS."""
        rows = [
            {
                **{k: v or "" for k, v in one.decision.model_dump(mode="json").items()},
                "place": one.place,
                "effect": one.words,
            }
            for one in self.decided
        ]
        return gpd.GeoDataFrame(rows, geometry=[one.land for one in self.decided], crs=crs)

    @property
    def asked(self) -> list[dict[str, Any]]:
        """What the answer depends on, as JSON holds it."""
        return [
            p.decision.model_dump(mode="json")
            | {"land": hashlib.sha256(shapely.to_wkb(p.land)).hexdigest(), "run": self.run_hash}
            for p in self.decided
        ]


def effect_of(decision: Decision, rule: Rule) -> tuple[Effect | None, str]:
    """What a decision changes about a rule on its land, and the same in words.

    Notes
    -----
    Nothing but an override that says it holds changes a rule on the land of another sovereign.
    A statute or a withdrawal is in doubt only where a case is named: a dispute without one is
    kept and shown, and changes nothing.
    """
    match decision.decision, decision.finding:
        case "accept", _:
            return None, "the finding stands"
        case "override", "holds":
            return "holds", "the rule is taken to hold on this land"
        case "override", _:
            case_ = f", case {decision.case}" if decision.case else ""
            return "set aside", f"the rule is set aside on this land{case_}"
        case _ if rule.sovereign:
            return None, "recorded; nothing puts a rule about sovereign land in doubt"
        case _ if rule.authority in BINDING and decision.case is None:
            return None, f"recorded; without a case a {rule.authority} is not put in doubt"
        case _:
            return "in doubt", "whether the rule holds on this land is unknown until it is settled"


def refusals(decision: Decision, rule: Rule, treatment: Treatment) -> list[str]:
    """Why a decision cannot be applied to a rule; empty if it can."""
    if decision.decision != "override":
        return []
    if decision.finding == "holds":
        if treatment.tier == "include":
            return [
                (
                    f"finding: rule {rule.id} lifts other rules, and an overlay lifts none; "
                    "override the rules that it would lift, each with its reason"
                )
            ]
        return []
    if rule.sovereign:
        return [
            (
                f"finding: rule {rule.id} is about land of another sovereign and is never set "
                "aside; take the decision out, or dispute it to have it on record"
            )
        ]
    if rule.authority in BINDING and decision.case is None:
        return [
            (
                f"case: rule {rule.id} rests on a {rule.authority} ({rule.citation}) and is set "
                "aside only where the case is named; give its number or file, or dispute it"
            )
        ]
    return []


def contradictions(decisions: Mapping[int, Decision]) -> list[str]:
    """Decisions of one day about one place and rule that do not agree, by their numbers."""
    found: list[str] = []
    first: dict[tuple[object, ...], tuple[int, tuple[str, str | None]]] = {}
    for k, d in decisions.items():
        key = ((d.site or "").casefold(), d.area, d.rule, d.date)
        before, said = first.setdefault(key, (k, (d.decision, d.finding)))
        if said != (d.decision, d.finding):
            found.append(
                f"decisions.{k}: decisions.{before} says otherwise of the same rule, place and "
                "day; keep one of the two"
            )
    return found
