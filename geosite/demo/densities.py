"""How much of everything a synthetic basin holds: the measured West, as constants.

Measured on public copies of the official layers, clipped to the 11 western
states (Census 2010 outlines at 1:5M, 3,073,626 km² in EPSG:5070). Shares are of
all land, overlaps dissolved within a layer; lengths and counts are per
1,000 km². Sources and editions stand with each constant. A figure that the
copies could not give is under `ASSUMED` and is nobody's measurement.
"""

from __future__ import annotations

MEASURED_AREA_KM2 = 3_073_626.0

OWNER_SHARE = {
    "USFS": 0.2084,  # administrative forests and grasslands, inholdings included
    "BLM": 0.1875,  # generalised surface management; weak in CO, NM, MT and without WA, so low
    "TRIBAL": 0.0642,  # Indian lands, 1:1,000,000
    "NPS": 0.0267,  # surface management, western edition
    "DOD": 0.0208,  # NTAD installations, about 2005
    "FWS": 0.0083,  # surface management, western edition
    "DOE": 0.0006,  # the one DOE site that the copies outline: 1,960 km²
}
"""Share of land by owner; the rest has no polygon. Federal land is 45 %."""

PROTECTED_SHARE = {
    "wilderness": 0.0519,  # USFS 3.78 % and BLM 1.41 %
    "wilderness_study_areas": 0.0152,  # BLM, generalised
    "national_parks": 0.0193,  # NPS parks, PAD-US 3.0
    "desert_tortoise": 0.0093,  # Mojave conservation areas, spread over all 11 states
    "lakes": 0.0045,  # Natural Earth, 1:10M
    "playas": 0.0040,  # Natural Earth, 1:10M
}

KM_PER_1000_KM2 = {
    "rail": 8.6,  # Natural Earth 1:10M: 8.57; a Class I graph gives 8.95
    "freeways": 6.7,  # freeway graph
    "gas_pipelines": 18.5,  # HIFLD 2018
    "rivers": 7.0,  # Natural Earth 1:10M, major rivers only
    "faults": 8.8,  # GEM active faults
}

COUNT_PER_1000_KM2 = {
    "substations": 4.32,  # HIFLD; 3.59 of them at 69 kV or more
    "towns": 0.374,  # SimpleMaps, the 5,000 largest places of the US
    "mrds": 13.14,  # MRDS, partial: 71 % of these records lie in California
    "critical_deposits": 0.136,  # USGS critical-mineral deposits
    "usmin": 0.181,  # USMIN critical-mineral sites
    "zinc_lead": 0.044,  # CMMI zinc and lead
    "deposit_databases": 2.27,  # 17 USGS deposit databases
    "power_plants": 1.04,  # WRI power plants
    "superfund": 0.078,  # EPA National Priorities List, 2019
    "installations": 0.0423,  # NTAD polygons: 4.2 per 100,000 km²
    "active_sites": 0.0631,  # MIRTA FY18 points; 180 of 194 active
}

SUBSTATION_KV = {500: 0.005, 345: 0.005, 230: 0.055, 115: 0.425, 69: 0.34, 46: 0.17}
"""Shares of voltage classes, rounded down to the classes named (HIFLD)."""

TOWN_POPULATION = (22_765, 1.36)
"""Median, and sigma of the logarithm (from the upper quartile, 56,900)."""

MRDS_QUALITY = {"A": 0.008, "B": 0.107, "C": 0.158, "D": 0.463, "E": 0.026, "": 0.238}
"""Shares of record quality; blank is a record that has none."""

INSTALLATION_KM2 = ((0.0, 0.05), (0.1, 0.26), (0.25, 1.6), (0.5, 9.6), (0.75, 65.0), (1.0, 600.0))
"""Quantiles of installation area; above p90 (591 km²) they are `RANGE_KM2` test ranges."""

RANGE_KM2 = 2_500.0
"""Area of a test range: as many as bring DoD land to its measured share."""

ASSUMED = {
    "roads": "40 km per 1,000 km²: the copies hold freeways only",
    "transmission": "30 km per 1,000 km²: the copies hold a sample only (8.3 as a lower bound)",
    "monuments, ACEC, roadless, sage-grouse, critical habitat, wetlands, floods, claims, "
    "withdrawals, air, receptors, water": "drawn to look plausible; no copy to measure",
    "DoD and DOE sites": "spread evenly over blocks of 100 km, whereas the real ones cluster",
}
"""What no copy could give, and what stands in its place."""
