"""The commodity table against the vocabulary of the records, row by row."""

import csv
import gzip
import json
import re

import pytest
from pydantic import ValidationError

from geosite.catalog import open_rulebook
from geosite.evidence import (
    Question,
    asked_commodities,
    commodity_names,
    named_commodities,
    possible_names,
)
from geosite.model import Commodities

TABLE = open_rulebook().commodities
NAMES = commodity_names(TABLE)
BY_ID = {c.id: c for c in TABLE.commodities}
LANTHANIDES = [
    "cerium", "dysprosium", "erbium", "europium", "gadolinium", "holmium", "lanthanum",
    "lutetium", "neodymium", "praseodymium", "samarium", "terbium", "thulium", "ytterbium",
    "yttrium",
]  # fmt: skip

ROWS = {
    "aluminum": ["AL", "Aluminum", "Aluminum, Contained Or Metal", "Aluminum, High Alumina Clay"],
    "antimony": ["SB", "Antimony"],
    "arsenic": ["AS", "Arsenic"],
    "bismuth": ["BI", "Bismuth"],
    "barite": ["BA", "Barium-Barite", "Barite"],
    "beryllium": ["BE", "Beryllium"],
    "cesium": ["CS", "Cesium"],
    "rubidium": ["RB", "Rubidium"],
    "boron": ["B", "Boron-Borates"],
    "chromium": ["CR", "Chromium", "Chromium, Ferrochrome"],
    "cobalt": ["CO", "Cobalt"],
    "copper": ["CU", "Copper", "Copper, Oxide", "Copper, Sulfide", "Copper Oxide"],
    "fluorspar": ["F", "Fluorine-Fluorite", "Fluorspar"],
    "gallium": ["GA", "Gallium"],
    "germanium": ["GE", "Germanium"],
    "indium": ["IN", "Indium"],
    "hafnium": ["HF", "Hafnium"],
    "graphite": ["GRF", "Graphite", "Graphite, Carbon"],
    "lead": ["PB", "Lead"],
    "lithium": ["LI", "Lithium"],
    "magnesium": ["MG", "Magnesium", "Magnesite"],
    "manganese": ["MN", "Manganese", "Manganese, Ferromanganese"],
    "nickel": ["NI", "Nickel"],
    "niobium": ["NB", "Niobium (Columbium)", "Niobium"],
    "tantalum": ["TA", "Tantalum"],
    "vanadium": ["V", "Vanadium"],
    "platinum-group": ["PGE", "Platinum-group elements"],
    "platinum": ["PGE_PT", "Platinum"],
    "palladium": ["PGE_PD", "Palladium"],
    "iridium": ["PGE_IR", "Iridium"],
    "rhodium": ["PGE_RH", "Rhodium"],
    "ruthenium": ["PGE_RU", "Ruthenium"],
    "phosphate": ["P", "Phosphorus-Phosphates", "Phosphate"],
    "potash": ["K", "Potassium", "Potash"],
    "rare-earths": ["REE", "Rare earths"],
    "cerium": ["CE", "Cerium"],
    "neodymium": ["ND", "Neodymium"],
    "yttrium": ["Y", "Yttrium"],
    "thulium": ["Thulium"],
    "scandium": ["SC", "Scandium"],
    "rhenium": ["RE", "Rhenium"],
    "silicon": ["SI", "Silicon"],
    "silver": ["AG", "Silver"],
    "tellurium": ["TE", "Tellurium"],
    "tin": ["SN", "Tin"],
    "zinc": ["ZN", "Zinc"],
    "titanium": [
        "TI", "Titanium", "Titanium-Ilmenite", "Titanium-Rutile", "Titanium-Heavy Minerals",
    ],
    "tungsten": ["W", "W_C", "Tungsten"],
    "uranium": ["U", "Uranium"],
    "zirconium": ["ZR", "Zirconium"],
    "gold": ["AU", "Gold"],
}  # fmt: skip
"""Codes and names of MRDS → commodity; ``data_services`` section 8.1."""

NOTHING = [
    "Osmium", "PGE_OS", "Silver, Refinery", "Gold, Refinery", "Tungsten, Refinery", "Lead, Smelter",
    "Lead, Refiner", "Nickel, Smelter", "Nickel, Refiner", "Zinc, Smelter", "ZN_S", "Zinc, Refiner",
    "SIL", "QTZ", "Silica", "Quartz", "COA", "Coal",
    "FE", "Iron", "Iron-Pyrite", "Iron, Pyrite", "HG", "Mercury", "TH", "Thorium", "SE",
    "Selenium", "CD", "Cadmium", "SR", "Strontium", "TL", "Thallium", "GYP", "Gypsum-Anhydrite",
    "STN", "STN_C", "SDG", "Sand and Gravel, Construction", "Stone, Crushed/Broken", "LST_C",
    "Limestone, General", "CLY", "CLY_K", "Clay, Kaolin", "GEO", "Abrasive, Garnet",
    "Talc-Soapstone", "Sulfur-Pyrite", "Nitrogen-Nitrates", "Refinery", "Smelter",
    "Mill Concentrate", "General", "ABR_G", "GEM_D", "OIL_SA", "NA_S", "S_P", "RA", "CA", "CL",
]  # fmt: skip
LISTED = {c.id for c in TABLE.commodities if c.lists}


@pytest.mark.parametrize(("id_", "text"), [(i, t) for i, texts in ROWS.items() for t in texts])
def test_every_row_of_the_vocabulary_means_its_commodity(id_, text):
    assert named_commodities(text, NAMES) == (id_,)
    assert (
        named_commodities(text.upper(), NAMES) == named_commodities(text.lower(), NAMES) == (id_,)
    )
    assert id_ in LISTED


@pytest.mark.parametrize("text", NOTHING)
def test_what_is_on_no_list_is_no_listed_commodity(text):
    assert named_commodities(text, NAMES) == ()


@pytest.mark.parametrize("text", ["AL3", "Potassium, Alum", "MO", "Molybdenum"])
def test_alum_is_no_potash_and_molybdenum_is_on_no_list(text):
    (id_,) = named_commodities(text, NAMES)
    assert id_ in {"alum", "molybdenum"}
    assert not BY_ID[id_].lists


@pytest.mark.parametrize("separator", [" ", ",", ";", ", ", "; ", "  "])
def test_lists_of_codes_are_read_code_by_code(separator):
    codes = ["COA", "AL3", "CO", "REE", "RE", "PGE_OS", "PGE_PT"]
    expected = {"alum", "cobalt", "platinum", "rare-earths", "rhenium"}
    assert set(named_commodities(separator.join(codes), NAMES)) == expected


def test_qualifiers_after_a_name_change_nothing():
    for qualifier in TABLE.qualifiers:
        text = f"Copper, {qualifier}, Cobalt, {qualifier}"
        assert named_commodities(text, NAMES) == ("cobalt", "copper")
    assert named_commodities("Gold, Silver, Refinery, Copper", NAMES) == ("copper", "gold")
    assert named_commodities("Lead, Zinc, Smelter", NAMES) == ("lead",)


def test_coal_and_silica_are_possible_and_no_evidence():
    possible = possible_names(TABLE)
    assert possible["coa"] == possible["coal"] == "metallurgical-coal"
    assert possible["sil"] == possible["qtz"] == "silicon"
    assert not set(possible) & set(NAMES)


def test_groups_stand_for_their_members():
    assert sorted(BY_ID["rare-earths"].members) == LANTHANIDES
    group = {"iridium", "palladium", "platinum", "rhodium", "ruthenium"}
    assert set(BY_ID["platinum-group"].members) == group
    for id_ in ("rare-earths", "platinum-group"):
        for member in BY_ID[id_].members:
            assert set(BY_ID[member].lists) == set(BY_ID[id_].lists)
    assert "rare-earths" in asked_commodities(["neodymium"], TABLE)
    assert "cerium" not in asked_commodities(["neodymium"], TABLE)


def test_by_products_have_hosts_and_a_place_where_they_are_won():
    hosts = {c.id: set(c.hosts) for c in TABLE.commodities if c.by_product == "always"}
    assert hosts == {
        "gallium": {"aluminum", "zinc"},
        "germanium": {"zinc"},
        "indium": {"zinc"},
        "tellurium": {"copper"},
        "rhenium": {"copper", "molybdenum"},
    }
    places = ("smelter", "refinery", "roasted")
    assert all(any(p in BY_ID[i].host_note for p in places) for i in hosts)
    assert Question.of(["gallium"], TABLE).hosts == {"gallium": frozenset({"aluminum", "zinc"})}
    # Cobalt has ores of its own.
    assert "cobalt" not in Question.of(["cobalt"], TABLE).hosts


def test_the_chair_added_nothing_that_can_be_cited():
    assert not asked_commodities("nedc", TABLE)


def test_a_table_refers_to_what_is_there():
    row = {"id": "gallium", "title": "Gallium", "names": [], "citation": "for a test only"}
    host = {"hosts": ["zinc"], "by_product": "always", "host_note": "somewhere"}
    with pytest.raises(ValidationError, match="hosts: there is no commodity 'zinc'"):
        Commodities.model_validate({"commodities": [row | host]})
    with pytest.raises(ValidationError, match="members: there is no commodity 'tin'"):
        Commodities.model_validate({"commodities": [row | {"members": ["tin"]}]})
    with pytest.raises(ValidationError, match="belong together"):
        Commodities.model_validate({"commodities": [row | {"hosts": ["gallium"]}]})


# ── what the snapshot really holds ────────────────────────────────────────────────────────────
NEVER = re.compile(
    r"osmium|thallium|thorium|iron|mercury|selenium|cadmium|strontium|coal|silica|quartz|"
    r"sulfur|limestone|clay|bentonite|kaolin|gypsum|talc|feldspar|mica|asbestos|garnet|"
    r"stone|gravel|salt|sodium|gem|calcium|diatomite|pumice|zeolite|fe|hg|th|os|coa|al3",
    re.IGNORECASE,
)


@pytest.mark.snapshot
def test_no_name_in_the_records_is_taken_for_another(snapshot):
    data = snapshot / "minerals"
    parts = set()
    for name in ("mrds_us_partial.csv", "usgs_critical_mineral_deposits_p9k1hbnt.csv"):
        with (data / name).open(encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                parts |= {p.strip() for p in row["commodities"].split(";")}
    with gzip.open(data / "usgs_mrdata_us_features.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            said = record.get("properties", record).get("commodity")
            if isinstance(said, list):
                parts |= {p.strip() for p in said if isinstance(p, str)}
    assert len(parts) > 100
    wrong = {p: named_commodities(p, NAMES) for p in parts if NEVER.fullmatch(p)}
    assert len(wrong) > 20
    assert not {p: ids for p, ids in wrong.items() if set(ids) & LISTED}
    # RE is rhenium and REE the rare earths, and no thallium is thulium.
    assert named_commodities("Re", NAMES) == ("rhenium",)
    for part in parts:
        if re.search(r"rare|ree\b|lanthan", part, re.IGNORECASE):
            assert "rhenium" not in named_commodities(part, NAMES), part
        if "thall" in part.casefold():
            assert "thulium" not in named_commodities(part, NAMES), part
