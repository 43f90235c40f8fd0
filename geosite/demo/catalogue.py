"""The catalogue of a synthetic world: one entry a layer, as the official catalogue has it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from geosite.demo.designations import ACCURACY, TABLE, WHOLE, Row

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LICENCE = "CC0-1.0"


@dataclass(frozen=True, slots=True)
class Entry:
    """What a layer is called, what it looks like and how its file is kept.

    Parameters
    ----------
    title : str
        Without the leading word that says it is synthetic.
    geometry : str
        point, line, polygon or raster.
    fields : tuple of str
        ``name`` or ``name:type``; ``name=source:type`` where the file calls it otherwise.
    ending : str
        Of the file: fgb, gpkg, geojson, csv or tif.
    epsg : int
        CRS of the file; the mixture exercises the readers.
    presence_only : bool
        Whether a place without a feature may have one all the same.
    more : mapping
        Further keys of the catalogue entry.
    """

    title: str
    geometry: str
    fields: tuple[str, ...] = ("name",)
    ending: str = "fgb"
    epsg: int = 5070
    presence_only: bool = False
    more: Mapping[str, Any] = field(default_factory=dict)


_LAND = ("name", "unit")
_DEPOSIT = (
    "name",
    "record_id",
    "commodities",
    "evidence_class",
    "quality",
    "deposit_type",
    "tonnage_mt:number",
)
_STATUS_CODES = {
    "Producer": "producer",
    "Past Producer": "past_producer",
    "Prospect": "prospect",
    "Occurrence": "occurrence",
}


def _deposits(title: str, ending: str, epsg: int) -> Entry:
    more = {"positional_accuracy": "1000 m"}
    return Entry(title, "point", _DEPOSIT, ending, epsg, presence_only=True, more=more)


def _land(title: str, owner: str) -> Entry:
    return Entry(title, "polygon", _LAND, "gpkg", more={"owner": owner})


def _designation(id_: str, row: Row) -> Entry:
    accuracy = {"positional_accuracy": ACCURACY[id_]} if id_ in ACCURACY else {}
    return Entry(
        f"{row.title.lower()} areas",
        row.geometry,
        tuple(n if isinstance(v, str) else f"{n}:number" for n, v in row.fields.items()),
        presence_only=id_ not in WHOLE,
        more=accuracy,
    )


ENTRIES: dict[str, Entry] = {
    "aoi/states": Entry("states", "polygon", ("name", "code"), "geojson", 4326),
    "aoi/counties": Entry("counties", "polygon", ("name", "state", "fips")),
    "land/tribal": _land("tribal land", "TRIBAL"),
    "land/nps": _land("National Park Service land", "NPS"),
    "land/fws": _land("Fish and Wildlife Service land", "FWS"),
    "land/dod": _land("military installations", "DOD"),
    "land/doe": _land("Department of Energy land", "DOE"),
    "land/usfs": _land("Forest Service land", "USFS"),
    "land/blm": _land("Bureau of Land Management land", "BLM"),
    "land/dod_active_sites": Entry(
        "military sites in use", "point", ("name", "component", "status"), "gpkg", 4326
    ),
    "land/withdrawals": Entry("withdrawals", "polygon", ("name", "serial", "disposition")),
    "land/mining_claims": Entry(
        "mining claims",
        "polygon",
        ("name", "serial", "disposition"),
        epsg=4326,
        presence_only=True,
    ),
    "minerals/critical_deposits": _deposits("critical-mineral deposits", "gpkg", 4326),
    "minerals/usmin": _deposits("critical-mineral sites", "csv", 4326),
    "minerals/deposit_databases": _deposits("deposit databases", "fgb", 4326),
    "minerals/zinc_lead": _deposits("zinc and lead deposits", "fgb", 5070),
    "minerals/mrds": Entry(
        "mineral occurrences",
        "point",
        (
            "name=site_name",
            "record_id=dep_id",
            "commodities",
            "evidence_class=dev_stat",
            "quality=site_rank",
            "deposit_type",
        ),
        "csv",
        4326,
        presence_only=True,
        more={"positional_accuracy": "1000 m"},
    ),
    "minerals/lithium_clay": _deposits("lithium claystone", "fgb", 4326),
    "minerals/lithium_brine": _deposits("lithium brine", "gpkg", 4326),
    "minerals/brine_geochemistry": Entry(
        "saline waters with lithium",
        "point",
        (*_DEPOSIT[:-1], "lithium_mg_l:number"),
        "csv",
        4326,
        presence_only=True,
        more={"positional_accuracy": "1000 m"},
    ),
    "minerals/mine_waste": _deposits("mines that left waste", "fgb", 4326),
    "minerals/disturbance": Entry(
        "legacy mine workings",
        "point",
        ("name", "kind"),
        more={"positional_accuracy": "100 m"},
    ),
    "geology/faults": Entry("faults", "line", epsg=4326, presence_only=True),
    "environment/wilderness": Entry("wilderness areas", "polygon", epsg=4326),
    "environment/wilderness_study_areas": Entry("wilderness study areas", "polygon"),
    "environment/national_parks": Entry("national parks", "polygon", epsg=4326),
    "environment/wildlife_refuges": Entry("wildlife refuges", "polygon"),
    "environment/national_monuments": Entry("national monuments", "polygon"),
    "environment/wild_scenic_rivers": Entry(
        "wild and scenic rivers", "line", ("name", "classification")
    ),
    "environment/critical_habitat": Entry(
        "critical habitat", "polygon", ("name", "species", "status"), presence_only=True
    ),
    "environment/desert_tortoise": Entry(
        "tortoise conservation areas", "polygon", ("name", "status"), "gpkg", 4326
    ),
    "environment/acec": Entry("areas of critical environmental concern", "polygon"),
    "environment/roadless": Entry("roadless areas", "polygon"),
    "environment/sage_grouse": Entry("sage-grouse areas", "polygon", ("name", "category")),
    "environment/wetlands": Entry(
        "wetlands", "polygon", ("name", "kind"), epsg=4326, presence_only=True
    ),
    "environment/flood_zones": Entry(
        "flood zones",
        "polygon",
        ("name", "zone", "subtype"),
        more={"coverage": {"kind": "states", "names": ["Synthetic Basin"]}},
    ),
    "environment/impaired_waters": Entry(
        "impaired waters", "line", ("name", "cause"), presence_only=True
    ),
    "environment/nonattainment": Entry(
        "nonattainment areas", "polygon", ("name", "pollutant", "classification")
    ),
    "environment/class_one_air": Entry("Class I air areas", "polygon"),
    "environment/superfund": Entry("cleanup sites", "point", epsg=4326),
    "hydrography/lakes": Entry("lakes", "polygon", ("name", "kind")),
    "hydrography/rivers": Entry("rivers", "line", ending="geojson", epsg=4326),
    "hydrography/playas": Entry("playas", "polygon"),
    "hydrography/water_stress": Entry(
        "water stress", "polygon", ("name", "category"), epsg=4326, presence_only=True
    ),
    "hydrography/water_rights": Entry(
        "water not yet appropriated",
        "raster",
        (),
        "tif",
        more={"unit": "acre-ft/yr", "coverage": {"kind": "valid_cells"}},
    ),
    "climate/net_evaporation": Entry(
        "evaporation less precipitation",
        "raster",
        (),
        "tif",
        more={"unit": "mm/yr", "coverage": {"kind": "valid_cells"}},
    ),
    "infrastructure/rail": Entry("railroads", "line"),
    "infrastructure/roads": Entry("state highways", "line", epsg=4326),
    "infrastructure/freeways": Entry("freeways", "line"),
    "infrastructure/substations": Entry("substations", "point", ("name", "kv:number"), epsg=4326),
    "infrastructure/transmission": Entry("transmission lines", "line", ("name", "kv:number")),
    "infrastructure/gas_pipelines": Entry("gas pipelines", "line"),
    "infrastructure/towns": Entry("towns", "point", ("name", "state", "population:integer")),
    "infrastructure/wastewater_plants": Entry(
        "wastewater plants", "point", ("name", "capacity_mgd:number", "population:integer")
    ),
    "infrastructure/water_systems": Entry(
        "public water systems", "point", ("name", "capacity_mgd:number", "population:integer")
    ),
    "infrastructure/power_plants": Entry(
        "power plants", "point", ("name", "source=fuel", "mw=capacity_mw:number")
    ),
    "society/receptors": Entry("dwellings and schools", "point", ("name", "kind")),
    "terrain/elevation": Entry(
        "elevation",
        "raster",
        (),
        "tif",
        more={"unit": "m", "coverage": {"kind": "valid_cells"}},
    ),
    "land/reservations": Entry("reservations", "polygon", ("name", "base_name", "geoid")),
    **{id_: _designation(id_, row) for id_, row in TABLE.items()},
}
"""Every layer of a synthetic world, by id."""


def file_of(id_: str) -> tuple[str, str | None]:
    """Path of a layer's file below the data root, and its name within a GeoPackage."""
    theme, _, name = id_.partition("/")
    if ENTRIES[id_].ending == "gpkg":
        return f"{theme}.gpkg", name
    return f"{id_}.{ENTRIES[id_].ending}", None


def write_catalogue(folder: Path, *, seed: int, coverage: Mapping[str, Mapping[str, Any]]) -> None:
    """Write one YAML file a layer.

    Parameters
    ----------
    coverage : mapping
        Coverage of the layers that speak for a part of this very world.
    """
    for id_, entry in ENTRIES.items():
        stated = {"coverage": coverage[id_]} if id_ in coverage else {}
        path = folder / f"{id_}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        said = _said(id_, entry, seed) | dict(entry.more) | stated
        path.write_text(yaml.safe_dump(said, sort_keys=False, width=96), encoding="utf-8")


def _said(id_: str, entry: Entry, seed: int) -> dict[str, Any]:
    path, layer = file_of(id_)
    source: dict[str, Any] = {"kind": "file", "path": path}
    if layer:
        source["layer"] = layer
    if entry.ending == "csv":
        source["xy"] = ["longitude", "latitude"]
    return {
        "title": f"Synthetic: {entry.title}",
        "agency": "No agency: drawn by geosite",
        "purpose": "Tries geosite out; says nothing of any real place.",
        "geometry": entry.geometry,
        "crs": f"EPSG:{entry.epsg}",
        "sources": [source],
        "fields": dict(_field(text) for text in entry.fields),
        "absence": "not_informative" if entry.presence_only else "informative",
        "vintage": "synthetic",
        "status": "synthetic",
        "licence": LICENCE,
        "citation": f"geosite synthetic basin, seed {seed}",
    }


def _field(text: str) -> tuple[str, dict[str, Any]]:
    called, _, kind = text.partition(":")
    name, _, source = called.partition("=")
    spec: dict[str, Any] = {"type": kind or "text"}
    if source:
        spec["from"] = source
    if source == "dev_stat":
        spec["codes"] = dict(_STATUS_CODES)
    return name, spec
