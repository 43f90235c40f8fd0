"""The law of a site: its instruments, each with its condition, or why there are none."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosite.authority import authority_columns
from geosite.model import Commodities, LandAuthority

DISPOSAL = {"gold": "locatable", "potash": "leasable", "lithium": "both"}
TABLE = Commodities.model_validate(
    {
        "commodities": [
            {"id": c, "title": c, "names": [], "disposal": d, "citation": "for a test only"}
            for c, d in DISPOSAL.items()
        ]
    }
)


def authority(disposal, name, origin="any"):
    written = {"agency": "BLM", "project": "mine", "disposal": disposal, "land_origin": origin}
    return LandAuthority.model_validate(written | {"authority": name, "citation": f"law of {name}"})


LAWS = {
    "BLM": (
        authority("locatable", "plan", "public domain"),
        authority("locatable", "hardrock lease", "acquired"),
        authority("leasable", "lease"),
    )
}
PLAN, HARDROCK, LEASE = "plan", "hardrock lease", "lease"


def law(commodities="gold", origin="unknown", status="unknown", *, estate="unknown", agency="BLM"):
    land = {"agency": agency, "commodities": commodities, "land_origin": origin}
    table = pd.DataFrame([land | {"mineral_estate": estate, "mineral_status": status}])
    return authority_columns(table, LAWS, TABLE).iloc[0]


def without_citations(row):
    text = row["authority"]
    for name in (PLAN, HARDROCK, LEASE):
        text = text.replace(f" [law of {name}]", "")
    return text


@pytest.mark.parametrize(
    ("commodities", "instruments", "disposal"),
    [
        ("gold", "plan", "locatable: gold"),
        ("potash", "lease", "leasable: potash"),
        ("gold; potash", "plan; lease", "leasable: potash; locatable: gold"),
        ("lithium", "plan; lease", "both: lithium"),
        ("moonstone", "plan; lease", "unknown: moonstone"),
        ("", "plan; lease", ""),
    ],
)
def test_the_law_goes_with_the_commodity(commodities, instruments, disposal):
    row = law(commodities, "public domain")
    assert (without_citations(row), row["disposal"]) == (instruments, disposal)
    assert "[law of " in row["authority"]
    assert row["is_available"]


@pytest.mark.parametrize(
    ("origin", "instruments"),
    [
        ("public domain", "plan"),
        ("acquired", "hardrock lease"),
        ("unknown", "plan (if public domain); hardrock lease (if acquired)"),
        ("", "plan (if public domain); hardrock lease (if acquired)"),
        ("as in the case file", "plan (if public domain); hardrock lease (if acquired)"),
        (
            "partly acquired (30 %), public domain (70 %)",
            "plan (where public domain); hardrock lease (where acquired)",
        ),
        (
            "partly acquired (30 %), unknown (70 %)",
            "plan (where public domain); hardrock lease (where acquired)",
        ),
    ],
)
def test_hardrock_on_acquired_land_is_leased(origin, instruments):
    assert without_citations(law("gold", origin)) == instruments


def test_potash_is_leased_wherever_it_lies():
    for origin in ("public domain", "acquired", "unknown"):
        assert without_citations(law("potash", origin)) == "lease"


RIGHTS = "valid existing rights possible, BLM decides"


@pytest.mark.parametrize("status", ["withdrawn", "segregated"])
def test_closed_to_location_is_no_candidate_and_says_why(status):
    row = law("gold", "public domain", status)
    assert row["authority"] == f"none: {status} from location; {RIGHTS}"
    assert not row["is_available"]
    # Nothing in the ground is known to be leasable or not.
    both = law("gold; potash", "public domain", status)
    assert without_citations(both) == f"lease; no location: {status} from location; {RIGHTS}"
    assert both["is_available"]


def test_acquired_land_is_leased_though_it_is_withdrawn_from_location():
    assert without_citations(law("gold", "acquired", "withdrawn")) == "hardrock lease"


def test_land_that_is_closed_in_two_ways_is_closed():
    row = law("gold", "public domain", "partly withdrawn (60 %), segregated (40 %)")
    assert row["authority"] == f"none: withdrawn or segregated from location; {RIGHTS}"
    open_ = law("gold", "unknown", "partly withdrawn (60 %), open (40 %)")
    assert without_citations(open_) == (
        "plan (if public domain, where open to location); hardrock lease (if acquired)"
    )


def test_private_minerals_are_made_available_by_no_federal_instrument():
    row = law("gold", "public domain", estate="private")
    assert row["authority"] == "none: mineral estate is private"
    assert not row["is_available"]


def test_an_instrument_reaches_federal_minerals_only():
    partly = law("potash", estate="partly federal (60 %), private (40 %)")
    assert without_citations(partly) == "lease (where the minerals are federal)"
    known = law("gold", "public domain", estate="partly federal (60 %), unknown (40 %)")
    assert without_citations(known) == "plan"


def test_an_agency_without_a_law_has_none():
    row = law(agency="NPS")
    assert (row["authority"], row["is_available"]) == ("", False)


def test_no_sites_have_the_same_columns():
    columns = ["agency", "commodities", "land_origin", "mineral_estate", "mineral_status"]
    none = authority_columns(pd.DataFrame({c: [] for c in columns}), LAWS, TABLE)
    assert [*none] == ["authority", "disposal", "is_available"]
    assert none["is_available"].dtype == bool


@pytest.mark.parametrize("status", ["withdrawn", "segregated"])
def test_closed_land_of_unknown_origin_is_not_supposed_to_be_acquired(status):
    row = law("gold", "unknown", status)
    assert row["authority"] == f"none: {status} from location; {RIGHTS}"
    assert not row["is_available"]
    leased = law("potash", "unknown", status)
    assert leased["is_available"]


@given(
    st.sampled_from(["gold", "potash", "lithium", "gold; potash", ""]),
    st.sampled_from(["public domain", "acquired"]),
    st.sampled_from(["open", "withdrawn", "segregated"]),
)
def test_to_know_more_never_adds_an_instrument(commodities, origin, status):
    def names(row):
        return {n for n in (PLAN, HARDROCK, LEASE) if f"[law of {n}]" in row["authority"]}

    told = names(law(commodities, origin, status))
    assert told <= names(law(commodities, origin)) <= names(law(commodities))
    # Land that is closed to location is taken for public domain until it is known to be acquired.
    if origin == "public domain" or status == "open":
        assert told <= names(law(commodities, status=status))
