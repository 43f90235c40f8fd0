"""The table of permits: every entry cited, no month without a source, no mine by notice."""

from datetime import date

import pytest
from pydantic import ValidationError

from geosite.catalog import open_rulebook
from geosite.model.permit import Months, Pathway, Permit, Permits
from geosite.model.supply import ImportReliance

BOOK = open_rulebook()
PERMITS = {p.id: p for p in BOOK.permits.permits}
PATHWAYS = {p.id: p for p in BOOK.permits.pathways}
GOOD = {
    "id": "one", "title": "One", "kind": "permit", "track": "federal", "agency": "Somebody",
    "projects": ["mine"], "citation": "for a test only",
}  # fmt: skip
WAY = {
    "id": "way", "title": "Way", "projects": ["mine"], "as_of": "2026-01-01",
    "citation": "for a test only", "source": "for a test only",
}  # fmt: skip


@pytest.mark.parametrize("entry", PERMITS.values(), ids=PERMITS)
def test_a_permit_can_be_cited(entry):
    law = ("USC", "CFR", "Executive Order", "tate law", "local law")
    assert any(word in entry.citation for word in law)
    assert all(c.citation.strip() and c.months > 0 for c in entry.clocks)


def test_what_the_issue_names_is_there():
    assert {
        "plan-of-operations-3809", "plan-of-operations-228a", "mineral-lease-3500", "nepa-mine",
        "nepa-plant", "section-404", "section-401", "section-7", "section-106", "discharge-402",
        "pretreatment", "prevention-of-deterioration", "nonattainment-review", "class-one-review",
        "lease-2667", "hazardous-material-2692", "lease-7256", "lease-2920", "tribal-consultation",
        "source-material-licence", "state-mine-permit", "water-right", "power-supply",
        "judicial-review",
    } <= set(PERMITS)  # fmt: skip
    assert {"ordinary", "fast41", "emergency"} <= set(PATHWAYS)


def test_a_mine_is_never_notice_level():
    for entry in PERMITS.values():
        if "mine" in entry.projects and entry.kind in ("permit", "approval", "lease"):
            assert "notice" not in entry.title.lower(), entry.id
    for id_ in ("plan-of-operations-3809", "plan-of-operations-228a", "mineral-lease-3500"):
        assert PERMITS[id_].every, id_


def test_neither_a_plant_nor_a_mine_has_the_other_ones_way():
    assert PERMITS["lease-2667"].projects == ("refinery",)
    assert PATHWAYS["ordinary"].projects == ("mine",)
    assert PATHWAYS["plant"].months is None


def test_the_ordinary_pathway_is_what_gao_counted():
    months = PATHWAYS["ordinary"].months
    assert (months.low, months.likely, months.high) == (1, 24, 132)
    assert "GAO-16-165" in PATHWAYS["ordinary"].source
    assert PATHWAYS["ordinary"].basis == "observed"


def test_the_emergency_procedure_states_its_days_and_is_no_measurement():
    emergency = PATHWAYS["emergency"]
    days = [round(m * 365.25 / 12) for m in (
        emergency.months.low, emergency.months.likely, emergency.months.high)]  # fmt: skip
    assert days == [11, 14, 28]
    assert emergency.basis == "stated"
    assert set(emergency.land) == {"BLM", "USBR"}
    assert not emergency.in_force(date(2025, 4, 22))
    assert emergency.in_force(date(2025, 4, 23))


def test_the_level_of_review_is_the_agencys_to_decide():
    for id_ in ("nepa-mine", "nepa-plant"):
        assert "the agency decides" in PERMITS[id_].title
        assert sorted(c.months for c in PERMITS[id_].clocks) == [12, 24]
        assert PERMITS[id_].months is None


@pytest.mark.parametrize("word", ["approvable", "approved by", "guarantee of", "no constraint"])
def test_nothing_is_promised(word):
    said = BOOK.permits.model_dump_json().lower()
    assert word not in said


def test_lists_and_commodities_of_the_table_exist():
    ids = {c.id for c in BOOK.commodities.commodities}
    lists = {"critical2022", "critical2025", "eo14241"}
    for entry in (*PERMITS.values(), *PATHWAYS.values()):
        if isinstance(entry.commodities, str):
            assert entry.commodities in lists
        else:
            assert set(entry.commodities or ()) <= ids


def test_months_are_in_order_and_have_a_source():
    with pytest.raises(ValidationError, match="not in order"):
        Months(low=2, likely=1, high=3)
    with pytest.raises(ValidationError, match="months without a source"):
        Permit.model_validate({**GOOD, "months": {"low": 1, "likely": 2, "high": 3}})
    assert Pathway.model_validate(WAY).months is None


def test_an_id_is_given_once():
    with pytest.raises(ValidationError, match="given twice: one"):
        Permits.model_validate({"permits": [GOOD, GOOD], "pathways": [WAY]})


def test_import_reliance_is_a_figure_or_a_bound():
    def share(text):
        found = ImportReliance(percent=text, form="all", year=2024, source="for a test only")
        return (found.low, found.high)

    assert share("85") == (0.85, 0.85)
    assert share(">50") == (0.5, 1.0)
    assert share("<25") == (0.0, 0.25)
    for wrong in ("101", "about 50", "-3", ""):
        with pytest.raises(ValidationError):
            share(wrong)


def test_every_figure_has_a_source_and_gold_has_none():
    figures = {c.id: c.import_reliance for c in BOOK.commodities.commodities}
    assert figures["gold"] is None
    assert figures["antimony"].percent == "85"
    assert {f.year for f in figures.values() if f} == {2024}
    assert all("USGS" in f.source for f in figures.values() if f)
