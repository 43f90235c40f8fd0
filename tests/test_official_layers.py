"""What must hold of every entry of the official catalogue, so that a typo or a lapse is seen."""

import json
import re
from collections import defaultdict
from pathlib import Path
from urllib.parse import urlsplit

import jsonschema
import pytest
import yaml
from pyproj import CRS

from geosite.catalog import official_layers, open_catalog
from geosite.model.source import ManualSource, ServiceSource
from tests.test_schemas import EditorLoader
from tests.worlds import cli

FILES = sorted(official_layers().rglob("*.yaml"))
CATALOG = open_catalog(official_layers())
OWN = {id_: layer for id_, layer in CATALOG.items() if not layer.union_of}
VECTORS = {id_: layer for id_, layer in CATALOG.items() if layer.geometry != "raster"}
SERVICES = [(i, s) for i, la in OWN.items() for s in la.sources if isinstance(s, ServiceSource)]
MANUALS = [(i, s) for i, la in OWN.items() for s in la.sources if isinstance(s, ManualSource)]
SCHEMA = json.loads((official_layers() / "layer.schema.json").read_text(encoding="utf-8"))
VALID = jsonschema.Draft202012Validator(SCHEMA).is_valid

NEEDED = {
    "administrative units": "land/blm_field_offices",
    "land-use plan areas": "land/blm_land_use_plans",
    "claims": "land/mining_claims",
    "plans": "land/plans_of_operations",
    "notices": "land/notices",
    "acquisitions": "land/acquisitions",
    "leases, geothermal": "land/geothermal_leases",
    "leases, oil and gas": "land/oil_gas_leases",
    "leases, land use": "land/land_use_leases",
    "leases, non-energy": "land/non_energy_leases",
    "rights of way": "land/rights_of_way",
    "withdrawals": "land/withdrawals",
    "segregations": "land/segregations_minerals",
    "federal mineral estate": "land/federal_minerals",
    "forest surface ownership": "land/usfs_surface_ownership",
    "forest withdrawals": "land/usfs_withdrawals",
    "ranger districts": "land/ranger_districts",
    "MIRTA boundaries": "land/dod",
    "MIRTA with status": "land/dod_active_sites",
    "DOE sites": "land/doe",
    "FUDS": "land/fuds",
    "BIA LAR": "land/tribal",
    "Census reservations": "land/reservations",
    "Census trust land": "land/trust_lands",
    "statistical areas apart": "land/tribal_statistical_areas",
    "Oklahoma apart": "land/oklahoma_tribal_areas",
    "ceded lands": "land/ceded_lands",
    "MSHA": "minerals/msha_mines",
    "USMIN features": "minerals/disturbance",
    "USMIN deposits": "minerals/usmin",
    "POTWs": "infrastructure/wastewater_plants",
    "NPDES majors": "infrastructure/npdes_majors",
    "ATTAINS 303(d)": "environment/impaired_waters",
    "water systems": "infrastructure/water_systems",
    "Aqueduct": "hydrography/water_stress",
    "groundwater basins, Nevada": "hydrography/groundwater_basins_nevada",
    "groundwater basins, Arizona": "hydrography/groundwater_basins_arizona",
    "non-attainment": "environment/nonattainment",
    "Class I": "environment/class_one_air",
    "SUA": "infrastructure/special_use_airspace",
    "MTR": "infrastructure/military_training_routes",
    "EIA 860M": "infrastructure/generators",
    "transmission by voltage": "infrastructure/transmission",
    "NRHP": "environment/historic_places",
    "solar areas": "land/solar_energy_zones",
}
"""What three users need (planner, reviewer, analyst) → the entry that says it."""

NAMES_OF_PEOPLE = re.compile(
    r"cse_name|casename|cust_nm|claimant|permittee|lessee|grantee|holder_?name|ownername|owner_name"
    r"|currentowner|(created|last_edited)_?user|^(creator|editor|reporter|contact)$"
    r"|(operator|controller|company)_na",
    re.IGNORECASE,
)
ENDLESS = re.compile(r"none\b|frozen\b|one-off\b|static\b")
UNSEEN = "to be confirmed"


# ── how many, and which ───────────────────────────────────────────────────────────────────────
def test_at_least_55_datasets_of_their_own_say_where_they_come_from():
    assert len(OWN) >= 120
    assert (
        sum(bool(la.sources) and la.status in ("official", "archive") for la in OWN.values()) >= 55
    )
    assert len({i for i, _ in SERVICES}) >= 100


@pytest.mark.parametrize("what", sorted(NEEDED))
def test_what_users_need_is_in_the_catalogue(what):
    assert NEEDED[what] in CATALOG


def test_every_file_is_opened_and_checked():
    root = official_layers()
    assert [f.relative_to(root).with_suffix("").as_posix() for f in FILES] == sorted(CATALOG)
    said = cli("check")
    assert said.exit_code == 0
    assert f"{len(FILES)} layers" in said.output


# ── each entry ────────────────────────────────────────────────────────────────────────────────
def test_every_vector_layer_declares_what_is_asked_for():
    assert [i for i, layer in VECTORS.items() if not layer.fields] == []


def test_where_only_constants_are_declared_every_column_would_be_kept():
    assert [
        i for i, la in VECTORS.items() if all(f.constant is not None for f in la.fields.values())
    ] == []


def test_no_field_holds_names_of_people():
    found = [
        (id_, spec.from_ or name)
        for id_, layer in CATALOG.items()
        for name, spec in layer.fields.items()
        if NAMES_OF_PEOPLE.search(spec.from_ or name) and spec.from_ != "Own_Name"
    ]
    assert found == []


@pytest.mark.parametrize(
    "column", ["CSE_NAME", "casename", "CREATED_USER", "CURRENT_OPERATOR_NAME", "COMPANY_NA"]
)
def test_the_law_against_names_knows_the_columns_that_hold_them(column):
    assert NAMES_OF_PEOPLE.search(column)


def test_nothing_is_taken_from_a_publisher_who_forbids_it():
    assert [
        i for i, s in SERVICES if "reclamation" in s.url.lower() or "usbr" in s.url.lower()
    ] == []


def test_every_layer_tells_how_well_it_is_attested():
    assert [i for i, layer in CATALOG.items() if layer.evidence is None] == []


def test_a_guess_says_what_is_to_be_confirmed():
    vague = [i for i, la in OWN.items() if re.fullmatch("guess", la.evidence or "")]
    assert vague == []


def test_every_service_says_how_often_it_is_renewed():
    assert [i for i, _ in SERVICES if CATALOG[i].cadence is None] == []


def test_a_copy_goes_stale_just_where_the_publisher_renews():
    wrong = [
        i
        for i, la in OWN.items()
        if la.cadence is not None
        and (la.stale_after_days is None) != bool(ENDLESS.match(la.cadence))
    ]
    assert wrong == []
    assert [i for i, la in CATALOG.items() if la.cadence is None and la.stale_after_days] == []


def test_every_crs_is_one_that_exists():
    for id_, layer in OWN.items():
        assert CRS.from_user_input(layer.crs).name, id_


def test_cases_and_finds_never_say_that_nothing_is_there():
    of_record = [i for i, la in OWN.items() if "MLRS" in la.agency and i != "land/withdrawals"]
    of_record += ["environment/historic_places", "environment/historic_districts", "land/fuds"]
    assert {CATALOG[i].absence for i in of_record} == {"not_informative"}


def test_sentinels_become_null():
    volts = {"infrastructure/transmission": "VOLTAGE", "infrastructure/substations": "MAX_VOLT"}
    for id_, column in volts.items():
        (spec,) = [f for f in CATALOG[id_].fields.values() if f.from_ == column]
        assert "-999999" in spec.null
    assert "-9999" in CATALOG["hydrography/water_stress"].fields["category"].null


# ── each source ───────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("id_", "source"), SERVICES, ids=[f"{i}-{s.kind}" for i, s in SERVICES])
def test_an_address_is_well_formed(id_, source):
    plain = re.sub(r"\{(ST|st|FIPS|tile)\}", "x", source.url)
    parts = urlsplit(plain)
    assert parts.scheme == "https"
    assert "." in parts.netloc
    assert not parts.netloc.endswith("biamaps.doi.gov")
    assert not re.search(r"[\s{}<>]", plain)
    assert not plain.endswith("/")
    assert (source.kind == "arcgis") == bool(re.search(r"/(Feature|Map)Server$", plain))


def test_every_arcgis_source_is_paged():
    assert [i for i, s in SERVICES if s.kind == "arcgis" and not s.page_size] == []


def test_a_layer_known_by_its_number_alone_says_that_its_name_is_not_known():
    silent = [
        (i, s.url)
        for i, s in SERVICES
        if s.kind == "arcgis" and s.layer is None and s.role == "primary" and not s.note
    ]
    assert silent == []


def test_an_endpoint_has_one_crs_in_all_layers_that_come_from_it():
    declared = defaultdict(set)
    for id_, source in SERVICES:
        declared[source.url, source.layer_id, source.layer].add(CATALOG[id_].crs)
    assert {where: crs for where, crs in declared.items() if len(crs) > 1} == {}


def test_no_source_is_written_twice_in_a_layer():
    for id_, layer in OWN.items():
        asked = [s.model_dump_json(exclude={"note", "role"}) for s in layer.sources]
        assert len(asked) == len(set(asked)), id_


def test_primary_sources_come_before_the_others_and_people_last():
    order = {"primary": 0, "mirror": 1, "archive": 1, "manual": 2}
    for id_, layer in OWN.items():
        ranks = [order[s.role] for s in layer.sources]
        assert ranks == sorted(ranks), id_


def test_where_a_service_is_for_small_areas_another_source_is_for_large_ones():
    for id_, layer in OWN.items():
        limited = [getattr(s, "largest_aoi", None) is not None for s in layer.sources]
        assert not all(limited), id_


def test_a_layer_by_hand_says_where_the_file_goes():
    assert [i for i, s in MANUALS if f"<data>/{i}." not in s.instructions] == []


def test_only_layers_that_no_service_has_are_called_manual():
    by_service = {i for i, _ in SERVICES}
    for id_, layer in OWN.items():
        assert (layer.status == "manual") == (id_ not in by_service), id_


# ── the schema that an editor checks with ─────────────────────────────────────────────────────
FREE = {"fields", "codes"}
"""Keys below which the names are the author's own."""
WORDS = {
    "geometry", "absence", "status", "owner", "role", "scope", "kind", "type", "format",
}  # fmt: skip
SHAPES = {
    "evidence": lambda v: "sen" + v[4:] if v.startswith("seen") else f"x{v}",
    "positional_accuracy": lambda v: v.replace(" ", ""),
    "generalise": lambda v: v.replace(" ", ""),
    "largest_aoi": lambda v: v.replace(" ", ""),
    "sha256": lambda v: v[:-1],
}
NUMBERS = {"layer_id", "page_size", "count", "size", "stale_after_days"}


def written(file):
    return yaml.load(file.read_text(encoding="utf-8"), Loader=EditorLoader)  # noqa: S506 -- a SafeLoader with less


def misspelt(node, *, free=False):
    """Each place of a document where a key or closed value may be wrong → a copy with it wrong."""
    if isinstance(node, list):
        for i, item in enumerate(node):
            for place, wrong in misspelt(item):
                yield f"{i}.{place}", [*node[:i], wrong, *node[i + 1 :]]
        return
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        if not free:
            turned = key[:-2] + key[-1] + key[-2] if key[-2:-1] != key[-1:] else f"{key}x"
            yield key, {(turned if k == key else k): v for k, v in node.items()}
            for word in closed(key, value):
                yield f"{key}={word}", {**node, key: word}
        for place, wrong in misspelt(value, free=key in FREE and not free):
            yield f"{key}.{place}", {**node, key: wrong}


def closed(key, value):
    """Misspellings of a value that only some words or numbers may be."""
    if key in WORDS and isinstance(value, str):
        yield value[:-1]
    elif key in SHAPES:
        yield SHAPES[key](value)
    elif key in NUMBERS:
        yield f"{value}o"
        yield -1


@pytest.mark.parametrize("file", FILES, ids=[f.stem for f in FILES])
def test_an_editor_accepts_the_file_and_sees_every_typo_in_it(file: Path):
    document = written(file)
    assert VALID(document)
    assert [place for place, wrong in misspelt(document) if VALID(wrong)] == []


def test_the_typos_tried_reach_every_level():
    tried = {place for file in FILES for place, _ in misspelt(written(file))}
    wanted = {"title", "sources.0.url", "sources.0.kind=arcgi", "fields.name.from", "coverage.kind"}
    assert wanted <= tried
    assert not [place for place in tried if place.startswith("fields.name.codes.")]
