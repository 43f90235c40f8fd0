"""Axes beside suitability: monotone, within 0–1, and never part of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from geosite import catalog
from geosite.model.commodity import Commodities
from geosite.model.permit import Permits
from geosite.model.rule import Rule
from geosite.model.supply import supply_impact
from geosite.permitting import Law
from geosite.readiness import columns, conflict, pareto, readiness, supply
from geosite.runs import execute, open_run
from tests.worlds import earlier_run

BOOK = catalog.open_rulebook()
IMPACTS = {
    c.id: supply_impact(c.import_reliance, c.main_supplier) for c in BOOK.commodities.commodities
}
WEIGHTS = {"resource": 1.0, "prospect": 0.5}
LAW = Law(BOOK.permits, BOOK.commodities, "mine", date(2026, 1, 2), WEIGHTS)
SHARES = st.floats(0, 1)


def rule(id_, tier, permits=(), **more):
    return Rule.model_validate(
        {
            "id": id_, "title": id_, "layer": "x/y", "mine": {"tier": tier, **more},
            "authority": "statute", "citation": "for a test only", "permits": permits,
        }
    )  # fmt: skip


RULES = (
    rule("river", "avoid", ["section-404"], factor=0.5),
    rule("owl", "mitigate", ["section-7", "section-404"], factor=0.8),
    rule("road", "flag", ["right-of-way"]),
    rule("park", "exclude", ["valid-existing-rights"]),
)
TREATMENTS = tuple(r.mine for r in RULES)


def told(*sites, law=LAW):
    """Readiness columns of sites: each a dict of columns; cells of 10 that rules touch."""
    usual = {
        "agency": "BLM", "commodities": "antimony", "land_origin": "public domain",
        "evidence_class": "resource", "against": {}, "unsure": {},
    }  # fmt: skip
    rows, sums = [], []
    for given_ in sites:
        site = usual | given_
        against, unsure = site.pop("against"), site.pop("unsure")
        for tier in ("avoid", "mitigate", "flag"):
            ids = [r.id for r in RULES if r.mine.tier == tier]
            site[f"rules_{tier}"] = "; ".join(i for i in ids if against.get(i))
        site["rules_unknown"] = "; ".join(i for i in unsure if i == "park")
        site["rules_not_examined"] = "; ".join(i for i in unsure if i != "park")
        rows.append(site)
        counts = {"cells": 10}
        for k, r in enumerate(RULES):
            counts |= {f"against{k}": against.get(r.id, 0), f"unsure{k}": unsure.get(r.id, 0)}
        sums.append(counts)
    index = pd.Index([10 * k for k in range(len(rows))])
    return columns(
        pd.DataFrame(rows, index=index), pd.DataFrame(sums, index=index), RULES, TREATMENTS, law
    )


# ── readiness ───────────────────────────────────────────────────────────────────────────────


def test_the_mean_of_gao_is_half_and_twice_the_permits_half_of_it():
    gold = {"commodities": "gold"}  # no emergency procedure
    found = told(gold, gold | {"against": {"river": 1, "owl": 1, "road": 1}})
    assert found["permits_n"].tolist() == [4, 7]
    assert found["readiness"].round(6).tolist() == [0.5, round(0.5 * 4 / 7, 6)]
    assert found["readiness_rests_on"].tolist() == ["ordinary"] * 2
    assert (
        found["permits"].iloc[1] == "plan-of-operations-3809; right-of-way; nepa-mine; section-404"
    )
    assert found["consultations"].iloc[1] == "section-106; tribal-consultation; section-7"


def test_tracks_stand_apart_and_nothing_is_summed():
    found = told({}).iloc[0]
    assert found["permits_state"] == "state-mine-permit"
    assert found["permits_water"] == "water-right"
    assert found["permits_power"] == "power-supply"
    assert found["litigation"] == "judicial-review"
    months = {c for c in found.index if "months" in c}
    assert months == {
        f"pathway_{p}_months_{k}"
        for p in ("ordinary", "lease", "fast41", "emergency")
        for k in ("low", "likely", "high")
    }


def test_gold_has_no_emergency_months_and_antimony_has():
    found = told({"commodities": "gold"}, {"commodities": "antimony"})
    assert found["pathway_emergency_months_likely"].isna().tolist() == [True, False]
    assert "emergency: gold not on critical2025" in found["pathways_not_open"].iloc[0]
    # Days that an agency states are a hope: only the high end rests on them.
    assert found["readiness_rests_on"].tolist() == ["ordinary"] * 2
    assert found["readiness_high_rests_on"].tolist() == ["ordinary", "emergency"]
    assert (
        found["readiness"].iloc[0] == found["readiness"].iloc[1] < found["readiness_high"].iloc[1]
    )


def test_what_cannot_be_told_counts_for_the_least_and_not_for_the_most():
    sure, doubt = (told(s).iloc[0] for s in ({}, {"unsure": {"park": 3}}))
    assert doubt["permits_possible"] == "valid-existing-rights"
    assert doubt["permits_possible_n"] == 1
    assert doubt["readiness"] < sure["readiness"]
    assert doubt["readiness_high"] == sure["readiness_high"]


def test_a_leased_mineral_has_no_readiness_for_want_of_a_source():
    found = told({"commodities": "phosphate"}, {"commodities": "potash", "agency": "USFS"})
    assert found["readiness"].isna().all()
    assert found["readiness_high"].isna().tolist() == [False, True]  # the first by stated days
    assert "lease (duration unknown)" in found["pathways"].iloc[1]


@given(
    against=st.dictionaries(st.sampled_from(["river", "owl", "road"]), st.integers(1, 10)),
    unsure=st.dictionaries(st.sampled_from(["river", "owl", "road", "park"]), st.integers(1, 10)),
    more=st.sampled_from(["river", "owl", "road"]),
)
def test_another_touching_rule_never_makes_a_site_readier(against, unsure, more):
    found = told(
        {"against": against, "unsure": unsure}, {"against": {more: 1} | against, "unsure": unsure}
    )
    for column in ("readiness", "readiness_high"):
        assert found[column].iloc[1] <= found[column].iloc[0]
    for column in ("environmental_conflict", "environmental_conflict_high"):
        assert found[column].iloc[1] >= found[column].iloc[0]
    assert (found["readiness"] <= found["readiness_high"]).all()
    assert (found["environmental_conflict"] <= found["environmental_conflict_high"]).all()


@given(st.floats(0, 500), st.floats(0, 500), st.integers(0, 40), st.integers(0, 40))
def test_longer_or_more_is_never_readier(one, two, n, m):
    def of(months, permits):
        return float(readiness(np.array([months]), np.array([float(permits)]))[0])

    assert of(max(one, two), max(n, m)) <= of(min(one, two), min(n, m)) <= 1
    assert of(one, n) > 0


# ── environmental conflict ──────────────────────────────────────────────────────────────────


def test_conflict_is_the_share_times_what_is_lost():
    found = told({"against": {"river": 5, "owl": 10}, "unsure": {"river": 5}}).iloc[0]
    assert found["environmental_conflict"] == pytest.approx(1 - 0.75 * 0.8)
    assert found["environmental_conflict_high"] == pytest.approx(1 - 0.5 * 0.8)


def test_a_rule_that_a_site_is_not_told_of_is_no_conflict():
    site = pd.DataFrame([{"agency": "BLM", "commodities": "gold", "rules_avoid": ""}])
    sums = pd.DataFrame([{"cells": 10, "against0": 10, "unsure0": 0}])
    found = columns(site, sums, RULES[:1], TREATMENTS[:1], LAW).iloc[0]
    assert found["environmental_conflict"] == 0


@given(st.integers(0, 6).flatmap(lambda n: st.tuples(
    hnp.arrays(float, n, elements=SHARES), hnp.arrays(float, (n, 3), elements=SHARES),
    hnp.arrays(float, (n, 3), elements=SHARES))))  # fmt: skip
def test_conflict_is_within_0_and_1_and_grows_with_the_shares(drawn):
    factors, one, two = drawn
    low, high = conflict(factors, np.minimum(one, two)), conflict(factors, np.maximum(one, two))
    assert ((low >= -1e-12) & (high <= 1)).all()
    assert (low <= high + 1e-12).all()


# ── supply impact ───────────────────────────────────────────────────────────────────────────


def test_supply_is_the_largest_impact_times_the_weight_of_the_evidence():
    low, high, lacking = supply(["antimony", "copper"], IMPACTS, 1.0)
    assert (low, high) == pytest.approx([0.85 * 1.55 / 2] * 2)
    assert not lacking
    assert supply(["antimony"], IMPACTS, 0.5)[0] == pytest.approx(low / 2)
    # A reliance above 50 % is anything from there to 100 %.
    assert supply(["lithium"], IMPACTS, 1.0)[:2] == pytest.approx((0.5 * 0.77, 0.77))


def test_a_site_that_is_asked_for_as_a_host_counts_for_its_by_products():
    usual, host = {"commodities": "zinc"}, {"commodities": "zinc", "through_host": "gallium"}
    law = replace(LAW, through_host=0.5)
    found = told(usual, host, law=law)["supply_impact"]
    impact = {c: IMPACTS[c][0] * WEIGHTS["resource"] for c in ("zinc", "gallium")}
    assert found.tolist() == pytest.approx([impact["zinc"], 0.5 * impact["gallium"]])


def test_without_a_figure_supply_is_unknown_and_said():
    low, high, lacking = supply(["gold"], IMPACTS, 1.0)
    assert np.isnan([low, high]).all()
    assert lacking == "gold"
    assert supply(["antimony", "gold"], IMPACTS, 1.0) == (IMPACTS["antimony"][0], 1.0, "gold")
    found = told({"commodities": "gold"}, {"evidence_class": "occurrence"}, {"commodities": ""})
    assert found["supply_impact"].isna().all()
    assert found["supply_unknown"].tolist() == ["gold", "", ""]
    assert not found["readiness_front"].any()


# ── the front ───────────────────────────────────────────────────────────────────────────────

POINTS = st.lists(st.tuples(*[st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0, np.nan])] * 2), max_size=14)


@given(POINTS)
def test_the_front_is_what_nothing_dominates(points):
    expected = [
        not np.isnan([x, y]).any()
        and not any(a >= x and b >= y and (a > x or b > y) for a, b in points)
        for x, y in points
    ]
    one, two = (np.array([p[k] for p in points], float) for k in (0, 1))
    assert pareto(one, two).tolist() == expected


# ── beside suitability ──────────────────────────────────────────────────────────────────────


def test_without_a_site_the_columns_are_the_same():
    counts = [f"{word}{k}" for word in ("against", "unsure") for k in range(len(RULES))]
    sums = pd.DataFrame(columns=["cells", *counts])
    table = pd.DataFrame({"agency": [], "commodities": []})
    assert list(columns(table, sums, RULES, TREATMENTS, LAW)) == list(told({}))


def test_suitability_does_not_depend_on_the_axes(hamlet, common):
    first = open_run(earlier_run(common)).sites
    permits = BOOK.permits.model_dump()
    for way in permits["pathways"]:
        way["months"] = {"low": 1, "likely": 500, "high": 500}
    minerals = BOOK.commodities.model_dump()
    for c in minerals["commodities"]:
        c["import_reliance"] = None
    other_book = replace(
        BOOK,
        permits=Permits.model_validate(permits),
        commodities=Commodities.model_validate(minerals),
    )
    other = execute(hamlet.plan(rulebook=other_book), hamlet.outputs, drawn=False)
    axes = [c for c in first if c.startswith(("readiness", "supply", "pathway"))]
    assert (other.sites["readiness"] < first["readiness"]).all()
    assert other.sites["supply_impact"].isna().all()
    pd.testing.assert_frame_equal(
        first.drop(columns=[*axes, "geometry"]), other.sites.drop(columns=[*axes, "geometry"])
    )
    assert not (other.path / "readiness.svg").exists()
