"""Supply impact from import reliance and the main supplier."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from geosite.catalog import open_rulebook
from geosite.model.supply import ImportReliance, MainSupplier, supply_impact

TABLE = open_rulebook().commodities.commodities


def reliance(percent):
    return ImportReliance(percent=percent, form="all", year=2024, source="for a test only")


def supplier(percent):
    said = {"country": "A", "form": "all", "years": "2021–2024", "source": "for a test only"}
    return MainSupplier.model_validate(said | {"percent": percent})


@pytest.mark.parametrize(
    ("percent", "share", "expected"),
    [
        ("100", 100, (1.0, 1.0)),
        ("100", 0, (0.5, 0.5)),
        ("80", 50, (0.6, 0.6)),
        (">50", 50, (0.375, 0.75)),
        ("<50", 50, (0.0, 0.375)),
        ("80", None, (0.4, 0.8)),
    ],
)
def test_impact_is_the_mean_of_losing_all_imports_and_the_main_suppliers(percent, share, expected):
    assert supply_impact(reliance(percent), supplier(share)) == pytest.approx(expected)


def test_without_a_reliance_nothing_is_known():
    assert supply_impact(None, supplier(90)) is None
    assert supply_impact(reliance("80"), None) == (0.4, 0.8)


@given(st.integers(0, 100), st.integers(0, 99), st.integers(0, 100))
def test_more_reliance_or_a_larger_supplier_never_lowers_it(share, percent, other):
    low, high = supply_impact(reliance(str(percent)), supplier(share))
    assert 0 <= low <= high <= 1
    assert supply_impact(reliance(str(percent + 1)), supplier(share))[0] >= low
    assert supply_impact(reliance(str(percent)), supplier(max(share, other)))[0] >= low
    unsure = supply_impact(reliance(str(percent)), None)
    assert unsure[0] <= low <= high <= unsure[1]


def test_every_supplier_has_its_years_and_its_source_and_is_to_be_confirmed():
    told = {c.id: c.main_supplier for c in TABLE if c.main_supplier}
    assert len(told) >= 50
    for supplied in told.values():
        assert "USGS" in supplied.source
        assert supplied.evidence == "to be confirmed"
        edition = "2026" if supplied.percent is not None else "P13XCP3R"
        assert edition in supplied.source
    # What no source says is left out: no share of cesium or yttrium, no supplier of gold.
    assert told["cesium"].percent is None
    assert told["yttrium"].percent is None
    assert "gold" not in told


def test_the_years_are_two_years():
    with pytest.raises(ValidationError, match="years"):
        MainSupplier(country="A", form="all", years="2024", source="for a test only")
