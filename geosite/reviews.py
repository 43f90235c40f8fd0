"""An overlay of decisions, read and placed on the land of the run that it reviews."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from geosite.boundaries import boundary
from geosite.catalog import load_yaml, misfits
from geosite.crs import parsed_crs, same_crs
from geosite.decisions import Decided, Overlay, contradictions, effect_of, refusals
from geosite.errors import CatalogError, GeositeError, RunError, faults
from geosite.model.review import Decision, Reviews
from geosite.report.text import plain
from geosite.runs import Run, open_run

if TYPE_CHECKING:
    import geopandas as gpd
    from shapely.geometry.base import BaseGeometry

    from geosite.planning import Plan

_NAMED = 5
"""Sites or rules that a message names."""
_SAME = 1e-9
"""Share of the AOI by which two outlines of it may differ and be the same."""


@dataclass(frozen=True, slots=True)
class Written:
    """An overlay file as it was written.

    Attributes
    ----------
    run : Run
        The run that it reviews.
    decisions : mapping of position to decision
        Those that are whole.
    found : tuple of str
        Faults of the others.
    """

    file: Path
    run: Run
    decisions: dict[int, Decision]
    found: tuple[str, ...]

    @property
    def aoi(self) -> str:
        """The area that the reviewed run was asked about."""
        return str(self.run.manifest["scenario"]["aoi"])

    @property
    def resolution(self) -> float:
        """Edge of its cells [m]."""
        return float(self.run.manifest["grid"]["resolution_m"])

    @property
    def day(self) -> date:
        """Day that its rules were read on."""
        return date.fromisoformat(self.run.manifest["as_of"])


def open_overlay(file: Path) -> Written:
    """Read an overlay file and open the run that it reviews.

    Raises
    ------
    CatalogError
        If the file is no YAML, or names no finished run; with every other fault of it.
    """
    raw = load_yaml(file)
    found: list[str] = []
    decisions: dict[int, Decision] = {}
    try:
        decisions = dict(enumerate(Reviews.model_validate(raw).decisions))
    except ValidationError as error:
        found = misfits(error)
        # What is whole is looked at all the same, so that all faults are told at once.
        decisions = _whole(raw.get("decisions"))
    run = None
    if isinstance(raw.get("run"), str) and raw["run"].strip():
        try:
            run = _reviewed(raw["run"].strip(), file.parent)
        except RunError as error:
            found.append(f"run: {error}")
    if run is None:
        raise _invalid(file, found)
    return Written(file, run, decisions, tuple(found))


def reviewed(plan: Plan, written: Written) -> Plan:
    """The plan with the decisions of an overlay on their land.

    Raises
    ------
    CatalogError
        If the overlay cannot be applied: it reviews a run of another question, names a site
        or a rule that the run has not, an area that is none, a day that has not come, or sets
        aside what nobody may. Every fault at once.
    """
    found = [*written.found, *_other_question(plan, written.run)]
    sites = written.run.sites
    placed: list[Decided] = []
    for k, decision in written.decisions.items():
        wrong, one = _placed(plan, written, decision, sites)
        found += [f"decisions.{k}.{line}" for line in wrong]
        if one is not None:
            placed.append(one)
    found += contradictions(written.decisions)
    lost, carried = _carried(plan, written.run)
    found += lost
    if found:
        raise _invalid(written.file, found)
    # As they were decided; on one day as they were written.
    decided = sorted([*carried, *placed], key=lambda one: one.decision.date)
    said = str(written.run.manifest["hash"])
    return replace(plan, reviews=Overlay(written.run.path, said, tuple(decided)))


def _invalid(file: Path, found: list[str]) -> CatalogError:
    return CatalogError(faults(f"{file}: these decisions cannot be applied:", found))


def _whole(items: Any) -> dict[int, Decision]:
    out = {}
    for k, item in enumerate(items if isinstance(items, list) else []):
        try:
            out[k] = Decision.model_validate(item)
        except ValidationError:
            continue
    return out


def _reviewed(text: str, folder: Path) -> Run:
    beside = folder / text
    return open_run(beside if beside.is_dir() else Path(text))


def _other_question(plan: Plan, run: Run) -> list[str]:
    # Only what is asked of the same cells can be compared.
    m, grid = run.manifest, run.store.grid
    name = str(m["scenario"].get("name", ""))
    found = []
    if name != plan.scenario.name:
        found.append(f"run: is of scenario {plain(name)!r}, expected {plan.scenario.name!r}")
    if m["scenario"]["project"] != plan.scenario.project:
        project = plan.scenario.project
        found.append(f"run: is about a {m['scenario']['project']}, expected a {project}")
    if not same_crs(parsed_crs(m["grid"]["crs"], "grid.crs"), plan.grid.crs):
        theirs, ours = grid.crs.to_string(), plan.grid.crs.to_string()
        return [*found, f"run: its grid is in {theirs}, expected {ours}"]
    if grid.resolution != plan.grid.resolution:
        found.append(
            f"run: has cells of {grid.resolution:g} m, expected {plan.grid.resolution:g} m; leave "
            "--resolution out, it is taken from the run"
        )
    outline = run.layer("aoi").geometry.union_all()
    if outline.symmetric_difference(plan.aoi).area > _SAME * plan.aoi.area:
        theirs, ours = plain(m["aoi"]), plain(plan.aoi_name)
        found.append(
            f"run: is about another area ({theirs}), expected {ours}; leave --aoi out, it is "
            "taken from the run"
        )
    elif grid.resolution == plan.grid.resolution and (
        (grid.row, grid.column, grid.shape) != (plan.grid.row, plan.grid.column, plan.grid.shape)
        or not np.allclose(grid.origin, plan.grid.origin)
    ):
        found.append("run: has other cells than the scenario asks for now; see grid.origin")
    if found:
        found.append("name a run of this question, or review the one that is meant with its own")
    return found


def _placed(
    plan: Plan, written: Written, decision: Decision, sites: gpd.GeoDataFrame
) -> tuple[list[str], Decided | None]:
    found = _bad_rule(plan, written.run, decision.rule)
    if decision.date > plan.as_of:
        found.append(
            f"date: {decision.date} lies after the day that rules are read on, {plan.as_of}; "
            "correct it, or set as_of in the scenario"
        )
    rules = {r.id: r for r in plan.rules}
    treatments = dict(zip(rules, plan.treatments, strict=True))
    if not found and decision.rule in rules:
        found += refusals(decision, rules[decision.rule], treatments[decision.rule])
    place, land = "", None
    try:
        place, land = _land(plan, written, decision, sites)
    except GeositeError as error:
        found.append(f"{'site' if decision.site else 'area'}: {error}")
    if found or land is None:
        return found, None
    effect, words = effect_of(decision, rules[decision.rule])
    return [], Decided(decision, place, land, effect, words)


def _carried(plan: Plan, run: Run) -> tuple[list[str], list[Decided]]:
    # A run that was repeated with decisions is repeated with them again.
    if not run.manifest.get("reviews"):
        return [], []
    found, out = [], []
    rules = {r.id: r for r in plan.rules}
    treatments = dict(zip(rules, plan.treatments, strict=True))
    for row in run.layer("reviews").itertuples():
        fields = {k: getattr(row, k) or None for k in Decision.model_fields}
        decision = Decision.model_validate(fields)
        if decision.rule not in rules:
            found.append(
                f"run: holds a decision about {decision.rule}, which is not asked any more"
            )
            continue
        wrong = refusals(decision, rules[decision.rule], treatments[decision.rule])
        found += [f"run: holds a decision that is not to be had any more: {w}" for w in wrong]
        effect, words = effect_of(decision, rules[decision.rule])
        out.append(Decided(decision, row.place, row.geometry, effect, words, carried=True))
    return found, out


def _bad_rule(plan: Plan, run: Run, rule: str) -> list[str]:
    asked = {r["id"] for r in run.manifest["rules"]}
    now = {r.id for r in plan.rules}
    if rule in asked and rule in now:
        return []
    why = run.manifest.get("rules_not_asked", {}).get(rule) or plan.not_asked.get(rule)
    if rule in asked:
        return [f"rule: {rule} was asked in that run and is not asked any more: {why or 'gone'}"]
    known = {r.id for chosen in plan.rulebook.sets.values() for r in chosen.rules} | now
    if rule not in known:
        some = ", ".join(sorted(now)[:_NAMED])
        return [f"rule: there is no rule {rule!r}; rules of this run are {some} …"]
    reason = why or "its rule set is not among those of the scenario"
    return [f"rule: {rule} was not asked in that run: {reason}"]


def _land(
    plan: Plan, written: Written, decision: Decision, sites: gpd.GeoDataFrame
) -> tuple[str, BaseGeometry]:
    if decision.site is not None:
        ids = sites["site_id"].astype(str)
        found = np.flatnonzero(ids.str.casefold() == decision.site.casefold())
        if not len(found):
            some = ", ".join(plain(i) for i in ids.head(_NAMED))
            there = f"sites are {some} …" if some else "it found no site at all"
            msg = f"there is no site {decision.site!r} in {written.run.path.name}; {there}"
            raise CatalogError(msg)
        return str(ids.iloc[found[0]]), sites.geometry.iloc[found[0]]
    text = decision.area or ""
    land = boundary(text, written.file.parent, plan.grid.crs).intersection(plan.aoi)
    if not land.area:
        msg = f"{text!r}: lies outside the area of the run, {plain(plan.aoi_name)}"
        raise CatalogError(msg)
    return text, land
