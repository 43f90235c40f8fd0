"""Facts of the cards: all that a site has is said, and nothing is that is not known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from geosite.map.card_facts import fact_columns
from geosite.map.shared import Shared
from geosite.report.facts import written
from geosite.report.text import LIMIT
from tests.browser.toycontent import toy_content

SITE = {
    "name": "Toy prospect", "clear_ha": 300.0, "unknown_ha": 100.0, "parcel": "Battle Mountain",
    "parcel_status": "available", "status_source": "Toy roster",
    "parcel_ownership_conflict": "NPS also claims 0.2 ha", "disposal": "locatable: lithium",
    "authority": "43 CFR 3809 plan [30 USC 22]; lease [43 CFR 3500]", "land_origin": "acquired",
    "mineral_estate": "federal", "mineral_status": "open in part",
    "mineral_status_open_acres": 900.0, "mineral_status_unknown_acres": 88.4,
    "claims": "3 claims", "footprint_fits": "no", "footprint_fit_pct": 61.25,
    "deposits": "Toy prospect; Other lode", "host_or_byproduct": "by-product at host",
    "evidence_class": "past_producer", "deposits_n": 2, "records_n": 5, "evidence_layers": "mrds",
    "proposed_potential": "H", "proposed_certainty": "C", "deposit_type": "Vein",
    "deposit_status": "closed", "deposit_grade": "2 g/t", "deposit_tonnage_t": 242e6,
    "record_quality": "B", "cited_report": "Toy report 7", "likelihood_pct": 99.97,
    "likelihood_uncertainty": 0.0859, "distance_rail_m": 12_400.4, "distance_power_m": np.nan,
    "slope_pct": 3.26, "suitability_p90": 0.91234, "suitability_surface": 0.8,
    "pathways": "ordinary; lease (duration unknown)", "pathways_not_open": "emergency: not listed",
    "readiness": 0.125, "readiness_rests_on": "ordinary", "environmental_conflict": 0.0,
    "supply_impact": 0.5066, "supply_unknown": "gold", "coverage_pct": 99.996,
    "coverage_hard_pct": 100.0, "fatal_flaws": "a flaw", "not_examined": "lakes; Water",
    "data_oldest": "2000", "as_of": "2026-11-22",
}  # fmt: skip
SAID = {
    "Clear of hard rules": 300, "Unknown to a hard rule": 100, "Parcel": "Battle Mountain",
    "Status": "available: Toy roster", "Ownership conflict": "NPS also claims 0.2 ha",
    "Authority": "43 CFR 3809 plan; lease", "Disposal": "locatable: lithium",
    "Land origin": "acquired", "Mineral estate": "federal",
    "Mineral status": "open in part (900 acres open, 88 acres unknown)", "Claims": "3 claims",
    "Footprint": "does not fit: 61 % of it at most lies on eligible land",
    "Deposits": "Toy prospect; Other lode", "Host or by-product": "by-product at host",
    "Evidence": "past producer", "Records": "2 deposits from 5 records of mrds",
    "Proposed potential":
        "high potential, certainty C (proposed from records; not a determination)",
    "Deposit type": "Vein", "Deposit status": "closed", "Size and grade":
        "grade 2 g/t; 242,000,000 t", "Quality of the record": "B",
    "Cited report": "Toy report 7", "Mineral likelihood (evidence surface)": 99,
    "Uncertainty of that likelihood (0 to 1)": 0.0859, "Distance to a railway": 12400,
    "Steepness": 3.26, "90th percentile of its cells": 0.912, "Mean of its cells": 0.8,
    "Pathways open": "ordinary; lease (duration unknown)", "Not open": "emergency: not listed",
    "Readiness (0 to 1)": 0.125, "Readiness rests on": "ordinary",
    "Environmental conflict (0 to 1)": 0, "Supply impact (0 to 1)": 0.507,
    "No supply figure for": "gold", "Rules that could tell": 99,
    "Hard rules that could tell": 100, "Fatal flaws": "a flaw",
    "Not measured": "Lakes and reservoirs; Water", "Oldest data": "2011", "Rules as of":
        "2026-11-22",
}  # fmt: skip


def facts(*rows, **changed):
    content = toy_content(**changed)
    shared = Shared()
    columns = fact_columns(content, rows, shared)

    def value(column, i):
        held = column["values"]
        v = held[0] if len(held) == 1 else held[i]
        return v if "unit" in column else shared.texts[v]

    return [{c["title"]: value(c, i) for c in columns} for i in range(len(rows))], columns


def test_every_fact_of_a_site_is_said():
    assert facts(SITE)[0] == [SAID]


def test_what_a_site_lacks_is_not_said_of_it():
    (full, bare), columns = facts(SITE, {"name": "Bare"})
    assert full == SAID
    known = {t: v for t, v in bare.items() if v not in ("", None)}
    assert known == {"Oldest data": "2011"}
    assert {len(c["values"]) for c in columns} == {1, 2}


def test_what_all_sites_share_is_written_once():
    _, columns = facts(*[SITE] * 50)
    assert {len(c["values"]) for c in columns} == {1}


def test_a_site_is_not_told_its_own_name_again():
    (found,), _ = facts({**SITE, "deposits": "Toy prospect", "parcel": "Toy prospect"})
    assert not {"Deposits", "Parcel"} & found.keys()


def test_a_measure_that_is_a_word_is_a_word():
    criteria = tuple(
        dataclasses.replace(c, unit="category") if c.id == "rail" else c
        for c in toy_content().criteria
    )
    rows = ({**SITE, "distance_rail_m": "tailings"}, {**SITE, "distance_rail_m": None})
    found, _ = facts(*rows, criteria=criteria)
    assert [f["Distance to a railway"] for f in found] == ["tailings", ""]


def test_a_long_text_is_cut_and_a_strange_one_is_one_line():
    (found,), _ = facts({**SITE, "claims": "x" * 9_000, "deposit_type": "a\u2028b\x00<b>"})
    assert len(found["Claims"]) == LIMIT
    assert found["Deposit type"] == "a b <b>"


@pytest.mark.parametrize("value", [0.0001234, 0.5, 3.256, 99.94, 123.4, 12_345.6, 1e9])
def test_a_shortened_number_reads_as_the_whole_one(value):
    (found,), _ = facts({**SITE, "distance_rail_m": value})
    assert written(found["Distance to a railway"], "m") == written(value, "m")
