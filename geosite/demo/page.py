"""The page that comes with a synthetic world: what it is, and how like the West it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geosite.demo.densities import (
    ASSUMED,
    COUNT_PER_1000_KM2,
    KM_PER_1000_KM2,
    MEASURED_AREA_KM2,
    OWNER_SHARE,
    PROTECTED_SHARE,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_LENGTHS = {
    "rail": "infrastructure/rail",
    "freeways": "infrastructure/freeways",
    "gas_pipelines": "infrastructure/gas_pipelines",
    "rivers": "hydrography/rivers",
    "faults": "geology/faults",
}
_COUNTS = {
    "substations": "infrastructure/substations",
    "towns": "infrastructure/towns",
    "mrds": "minerals/mrds",
    "critical_deposits": "minerals/critical_deposits",
    "usmin": "minerals/usmin",
    "zinc_lead": "minerals/zinc_lead",
    "deposit_databases": "minerals/deposit_databases",
    "power_plants": "infrastructure/power_plants",
    "superfund": "environment/superfund",
    "installations": "land/dod",
    "active_sites": "land/dod_active_sites",
}
_SHARES = {
    "wilderness": "environment/wilderness",
    "wilderness_study_areas": "environment/wilderness_study_areas",
    "national_parks": "environment/national_parks",
    "desert_tortoise": "environment/desert_tortoise",
    "lakes": "hydrography/lakes",
    "playas": "hydrography/playas",
}


def page(
    cells: int,
    resolution: float,
    seed: int,
    tally: Mapping[str, Mapping[str, float]],
    area_km2: float,
) -> str:
    """Markdown that says the world is synthetic, with measured figures beside those drawn.

    Parameters
    ----------
    tally : mapping
        Count, km and km² of each layer over all blocks.
    area_km2 : float
        Of all blocks.
    """
    rows = ["| what | unit | the West, measured | this world |", "|---|---|---|---|"]

    def row(what: str, unit: str, measured: float, got: float) -> None:
        rows.append(f"| {what} | {unit} | {measured:g} | {got:.3g} |")

    def drawn(id_: str, kind: str) -> float:
        return tally.get(id_, {}).get(kind, 0.0)

    for code, share in OWNER_SHARE.items():
        row(f"{code} land", "%", 100 * share, 100 * drawn(f"land/{code.lower()}", "km2") / area_km2)
    for name, id_ in _SHARES.items():
        row(name, "%", 100 * PROTECTED_SHARE[name], 100 * drawn(id_, "km2") / area_km2)
    for name, id_ in _LENGTHS.items():
        row(name, "km / 1,000 km²", KM_PER_1000_KM2[name], 1000 * drawn(id_, "km") / area_km2)
    for name, id_ in _COUNTS.items():
        row(name, "/ 1,000 km²", COUNT_PER_1000_KM2[name], 1000 * drawn(id_, "count") / area_km2)
    assumed = "\n".join(f"* {what}: {why}." for what, why in ASSUMED.items())
    return (
        "# A synthetic basin\n\n"
        "**Everything here is made up. No place, town, mine, installation or boundary in it is "
        "real.**\n\n"
        f"Seed {seed}; {cells:,} cells of {resolution:g} m. Licence CC0-1.0. Cite as: geosite "
        f"synthetic basin, seed {seed}.\n\n"
        "The first block of 100 km always holds one of everything, so that the smallest world "
        "answers every question; the table shows how far that takes a small world from the West.\n"
        "Layers reach to the end of the last block, beyond the area of interest; the table "
        f"counts all of it ({area_km2:,.0f} km²). The measured figures are of the 11 western "
        f"states ({MEASURED_AREA_KM2:,.0f} km²), from public copies of the official layers.\n\n"
        + "\n".join(rows)
        + f"\n\nAssumed, because no copy could be measured:\n\n{assumed}\n"
    )
