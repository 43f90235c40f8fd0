"""What a plan says beforehand that its answer will lack, and of what it is made instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geosite.needs import CLAIMS, elevation_layers, surface_layers
from geosite.weighting import consistency_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from geosite.inputs import Chosen
    from geosite.model.rule import Rule
    from geosite.model.scenario import Scenario

    Missing = Callable[[str], str | None]


def caveats(
    scenario: Scenario,
    criteria: Sequence[Chosen],
    rules: Sequence[Rule],
    missing: Missing,
    silent: Collection[str] = (),
) -> list[str]:
    """Notes on a scenario: tenure, combination, weighting, footprint, evidence surface.

    Parameters
    ----------
    missing : callable
        Why a layer is not to be had, None if it is.
    silent : collection of layer ids
        Layers whose silence means nothing, because they do not show everything there is.
    """
    notes = _unknown_tenure(scenario, missing)
    if scenario.combination.kind == "topsis":
        notes.append(
            "combination topsis needs the set of sites: the suitability surface, and patches cut "
            "from it, show the weighted sum"
        )
    notes += consistency_lines(scenario.weighting)
    notes += _unfitted(scenario, elevation_layers(criteria, rules), missing, silent)
    notes += [
        f"evidence surface: worked out without {layer}: {why}"
        for layer in surface_layers(scenario)
        if (why := missing(layer))
    ]
    return notes


def _unknown_tenure(scenario: Scenario, missing: Missing) -> list[str]:
    return [
        f"{t.column}: unknown where only {t.layer} would tell it: {why}"
        for t in scenario.land.tenure
        if (why := missing(t.layer))
    ]


def _unfitted(
    scenario: Scenario, elevation: tuple[str, ...], missing: Missing, silent: Collection[str]
) -> list[str]:
    asked = scenario.footprint_fit
    if asked is None:
        return []
    notes = []
    if asked.max_slope is not None and all(missing(i) for i in elevation):
        notes.append(
            "footprint_fit: fitted without slope: no criterion or rule reads elevations that are "
            "to be had"
        )
    if why := missing(CLAIMS):
        notes.append(f"footprint_fit: no acre is known to be open or claimed: {why}")
    elif CLAIMS in silent:
        notes.append(
            f"footprint_fit: no acre is known to be open: layer {CLAIMS} does not show every claim"
        )
    return notes
