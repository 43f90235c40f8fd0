"""What is asked of a site, and which way is open to it."""

import math
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosite.catalog import open_rulebook
from geosite.permitting import Law, Site, needs, on_list, ways

BOOK = open_rulebook()
MINE = Law(BOOK.permits, BOOK.commodities, "mine", date(2026, 1, 2))
PLANT = replace(MINE, project="refinery")
TRIGGERS = {r.id: r.permits for rules in BOOK.sets.values() for r in rules.rules}
RULES = st.lists(st.sampled_from(sorted(TRIGGERS)), max_size=8, unique=True).map(tuple)
SITES = st.builds(
    Site,
    agency=st.sampled_from(["BLM", "USFS", "DOD", "DOE"]),
    commodities=st.lists(
        st.sampled_from(["gold", "potash", "copper", "boron", "silicon", "neodymium"]),
        max_size=3, unique=True,
    ).map(tuple),
    origin=st.sampled_from(["", "unknown", "public domain", "acquired", "partly acquired (37 %)"]),
    touching=RULES,
    doubtful=RULES,
)  # fmt: skip


def certain(site, law=MINE, triggers=TRIGGERS):
    return {p.id for p in needs(site, law, triggers).certain}


def possible(site, law=MINE, triggers=TRIGGERS):
    return {p.id for p in needs(site, law, triggers).possible}


def open_to(site, law=MINE):
    return {w.pathway.id for w in ways(site, law) if w.open}


def why_not(site, law=MINE):
    return {w.pathway.id: w.why for w in ways(site, law) if not w.open}


def test_a_gold_mine_on_public_domain_needs_a_plan_and_no_lease():
    site = Site("BLM", ("gold",), "public domain")
    assert "plan-of-operations-3809" in certain(site)
    assert "mineral-lease-3500" not in certain(site) | possible(site)
    assert "plan-of-operations-228a" in certain(replace(site, agency="USFS"))
    assert "plan-of-operations-3809" not in certain(replace(site, agency="USFS"))


def test_potash_is_leased_and_has_no_plan_of_operations():
    site = Site("BLM", ("potash",))
    assert "mineral-lease-3500" in certain(site)
    assert "plan-of-operations-3809" not in certain(site) | possible(site)
    assert "ordinary" not in open_to(site)
    assert why_not(site)["ordinary"] == "for locatable minerals only"
    assert "lease" in open_to(site)


def test_hardrock_on_acquired_land_is_leased():
    site = Site("BLM", ("gold",), "acquired")
    assert "mineral-lease-3500" in certain(site)
    assert "plan-of-operations-3809" not in certain(site) | possible(site)
    for part in ("partly acquired (37 %)", "partly public domain (63 %), acquired (37 %)"):
        partly = Site("BLM", ("gold",), part)
        assert {"plan-of-operations-3809", "mineral-lease-3500"} <= certain(partly)


def test_where_the_origin_is_not_known_a_lease_is_possible():
    for origin in ("", "unknown"):
        site = Site("BLM", ("gold",), origin)
        assert "mineral-lease-3500" in possible(site)
        assert "not known whether the land is acquired" in why_not(site)["lease"]


def test_minerals_of_which_nobody_knows_the_law_need_the_one_or_the_other():
    site = Site("BLM", ())
    assert {"plan-of-operations-3809", "mineral-lease-3500"} <= possible(site)
    assert not open_to(site)


def test_gold_has_no_emergency_pathway_and_says_why():
    assert why_not(Site("BLM", ("gold",)))["emergency"] == "gold not on critical2025"
    said = [w.said for w in ways(Site("BLM", ("antimony",)), MINE)]
    assert "emergency (antimony)" in said
    # A project for both may be for either: it is not counted on.
    assert why_not(Site("BLM", ("antimony", "gold")))["emergency"] == (
        "for antimony; not known whether a project with gold is"
    )
    assert why_not(Site("USFS", ("antimony",)))["emergency"] == "not on USFS land"


def test_the_list_that_applies_decides_for_copper_and_potash():
    of2022 = on_list("critical2022", BOOK.commodities)
    of2025 = on_list("critical2025", BOOK.commodities)
    assert not {"copper", "potash", "gold"} & of2022
    assert {"copper", "potash"} <= of2025
    assert "gold" not in of2025


def test_before_it_was_announced_the_emergency_procedure_is_not_open():
    site = Site("BLM", ("antimony",))
    early = replace(MINE, day=date(2025, 4, 22))
    assert why_not(site, early)["emergency"] == "not in force on 2025-04-22"


def test_feed_that_may_be_radioactive_may_need_a_licence():
    assert "source-material-licence" in certain(Site("BLM", ("neodymium",)))
    assert "source-material-licence" not in certain(Site("BLM", ("gold",)))
    assert "source-material-licence" in possible(Site("DOD"), PLANT)


def test_a_plant_is_leased_by_the_law_of_its_owner():
    assert "lease-2667" in certain(Site("DOD"), PLANT)
    assert "lease-2920" in certain(Site("BLM"), PLANT)
    assert "lease-7256" in certain(Site("DOE"), PLANT)
    assert not {"lease-2667", "lease-7256"} & certain(Site("BLM"), PLANT)
    assert not [i for i in certain(Site("DOD"), PLANT) if i.startswith("plan-of")]


def test_the_duration_of_a_plants_way_is_unknown_and_says_so():
    plant = next(w for w in ways(Site("DOD"), PLANT) if w.pathway.id == "plant")
    assert plant.open
    assert plant.said == "plant (duration unknown)"
    assert math.isnan(plant.months("likely"))


def test_a_rule_that_touches_triggers_and_one_that_cannot_tell_may():
    triggers = {"river": ("section-404",), "owl": ("section-7", "section-404")}
    site = Site("BLM", ("gold",), "public domain", touching=("river",), doubtful=("owl",))
    assert "section-404" in certain(site, triggers=triggers)
    assert possible(site, triggers=triggers) == {"section-7"}


def test_a_rule_cannot_trigger_what_is_not_for_this_land():
    triggers = {"area": ("plan-of-operations-3809", "lease-2667")}
    site = Site("USFS", ("gold",), "public domain", touching=("area",))
    assert not {"plan-of-operations-3809", "lease-2667"} & certain(site, triggers=triggers)


@given(site=SITES, more=RULES, law=st.sampled_from([MINE, PLANT]))
def test_another_touching_rule_asks_for_nothing_less(site, more, law):
    before = needs(site, law, TRIGGERS)
    touched = needs(replace(site, touching=(*site.touching, *more)), law, TRIGGERS)
    doubted = needs(replace(site, doubtful=(*site.doubtful, *more)), law, TRIGGERS)
    assert set(before.certain) <= set(touched.certain)
    assert set(before.certain) == set(doubted.certain)
    assert before.most <= touched.most
    assert before.most <= doubted.most
    assert not set(touched.certain) & set(touched.possible)


@given(site=SITES)
def test_a_mine_is_never_without_the_leave_that_its_land_asks_for(site):
    leave = {"plan-of-operations-3809", "plan-of-operations-228a", "mineral-lease-3500"}
    if site.agency in ("BLM", "USFS"):
        assert leave & (certain(site) | possible(site))
    assert {"nepa-mine", "section-106", "tribal-consultation"} <= certain(site)


@given(site=SITES, law=st.sampled_from([MINE, PLANT]))
def test_every_pathway_is_open_or_says_why_not(site, law):
    found = ways(site, law)
    assert [w.pathway for w in found] == [
        p for p in BOOK.permits.pathways if law.project in p.projects
    ]
    assert all(w.open or w.why for w in found)
    for w in found:
        months = [w.months(k) for k in ("low", "likely", "high")]
        if w.open and w.pathway.months:
            assert months == sorted(months)
        else:
            assert all(math.isnan(m) for m in months)


@pytest.mark.parametrize("rule", sorted(TRIGGERS))
def test_what_a_rule_triggers_is_in_the_table(rule):
    assert set(TRIGGERS[rule]) <= {p.id for p in BOOK.permits.permits}
