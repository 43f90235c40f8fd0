"""Designations of a synthetic world: withdrawals, leases, habitats, airspace and offices.

Nothing here is measured: each row of the table says how many of a thing a block of 100 km
holds and how large they are, so that every rule meets something and little land is lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import shapely

from geosite.demo.block import BLOCK, Block, Drawn, Features

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geosite.demo.land import Land
    from geosite.demo.network import Town

SECTION = 1609.344
"""Edge of a section of the public land survey, a mile [m]."""
_TURN = np.linspace(0, 2 * np.pi, 32, endpoint=False)
_FIRST = 300
"""Channel of the first row's random numbers; every row has one of its own."""


@dataclass(frozen=True, slots=True)
class Row:
    """One layer of designations.

    Parameters
    ----------
    kind : str
        ``sections`` (blocks of sections), ``patches`` (rounded areas), ``lines`` (across the
        block), ``towns`` (points in towns), ``tiles`` (rectangles that tile the block).
    title : str
        What its features are called.
    number : int
        Features a block; of tiles, along each side.
    size : float
        Edge of a block of sections in sections; radius of a patch, or nothing [m].
    fields : mapping of field to value
        ``{name}``, ``{serial}`` and ``{place}`` are filled in; values apart by ``|`` take turns.
    """

    kind: Literal["sections", "patches", "lines", "towns", "tiles"]
    title: str
    number: int
    size: float = 0.0
    fields: Mapping[str, str | float] = field(default_factory=dict)

    @property
    def geometry(self) -> str:
        """What the layer holds."""
        return {"lines": "line", "towns": "point"}.get(self.kind, "polygon")


WHOLE = (
    "land/reservations",
    "land/trust_lands",
    "land/blm_field_offices",
    "land/blm_land_use_plans",
    "land/ranger_districts",
    "environment/coastal_barriers",
    "environment/national_trails",
    "environment/roadless_colorado",
    "environment/roadless_idaho",
    "environment/sole_source_aquifers",
    "environment/wild_horse_areas",
    "infrastructure/ports",
    "infrastructure/military_training_routes",
    "infrastructure/special_use_airspace",
)
"""Layers that show every such place, as the official ones do; the others show some."""
ACCURACY = {
    "land/plans_of_operations": "400 m",
    "land/notices": "400 m",
    "environment/historic_places": "100 m",
    "environment/listed_fish_streams": "30 m",
    "environment/big_game_migration": "300 m",
    "minerals/disturbance_areas": "50 m",
}
"""Positional accuracy of some layers, of the order that such layers have."""
_Fields = dict[str, str | float]
_CASE: _Fields = {
    "serial": "{serial}",
    "product": "Demo product",
    "disposition": "Authorized|Authorized|Closed",
    "commodity": "Demo commodity",
    "acres": 1280.0,
    "state": "SB",
}
_LEASE: _Fields = {**_CASE, "effective": "2015-06-01", "expires": "2035-06-01", "producing": "no"}
_SPECIES: _Fields = {
    "name": "{name}",
    "species": "Demo fish",
    "scientific_name": "Piscis demonstrans",
}
_LISTED: _Fields = {**_SPECIES, "status": "Proposed", "published": "2024-01-01"}
_MINE: _Fields = {
    **_CASE,
    "disposition": "Authorized|Pending|Closed",
    "expires": "2035-06-01",
}
_AIR: _Fields = {"floor": 0.0, "floor_unit": "FT", "ceiling": 18000.0, "ceiling_unit": "FT"}

TABLE: dict[str, Row] = {
    "land/segregations_minerals": Row(
        "sections", "Segregation", 2, 3, {"serial": "{serial}", "disposition": "Authorized"}
    ),
    "land/withdrawals_pending": Row(
        "sections",
        "Proposed Withdrawal",
        2,
        5,
        {"serial": "{serial}", "disposition": "Pending", "state": "SB"},
    ),
    "land/usfs_withdrawals": Row("sections", "Forest Withdrawal", 2, 3, {"record": "{serial}"}),
    "land/acquisitions": Row(
        "sections",
        "Acquisition",
        3,
        4,
        {"serial": "{serial}", "disposition": "Authorized", "acres": 10240.0, "state": "SB"},
    ),
    "land/federal_minerals": Row(
        "patches",
        "Mineral Estate",
        3,
        22_000.0,
        {"estate": "all minerals", "state": "SB", "source": "drawn by geosite"},
    ),
    "land/trust_lands": Row(
        "sections",
        "Trust Land",
        1,
        2,
        {"name": "{name}", "base_name": "{name}", "geoid": "{serial}"},
    ),
    "land/ceded_lands": Row(
        "patches", "Ceded Land", 1, 38_000.0, {"number": "{serial}", "tribe": "Demo Tribe {place}"}
    ),
    "land/plans_of_operations": Row("sections", "Plan of Operations", 3, 2, _MINE),
    "land/notices": Row("sections", "Notice", 3, 1, _MINE),
    "land/non_energy_leases": Row("sections", "Lease", 3, 3, _LEASE),
    "land/oil_gas_leases": Row("sections", "Oil and Gas Lease", 6, 4, _LEASE),
    "land/geothermal_leases": Row("sections", "Geothermal Lease", 3, 3, _LEASE),
    "land/rights_of_way": Row("sections", "Right of Way", 6, 1, {**_CASE, "width": 100.0}),
    "land/padus_easements": Row(
        "patches",
        "Easement",
        4,
        1_500.0,
        {
            "name": "{name}",
            "category": "Easement",
            "manager_type": "NGO",
            "manager": "Demo Land Trust",
            "designation": "Conservation Easement",
            "gap_status": "2",
            "access": "Closed",
            "state": "SB",
        },
    ),
    "land/fuds": Row("patches", "Former Range", 2, 2_500.0, {"property": "{name}"}),
    "land/blm_field_offices": Row(
        "tiles",
        "Field Office",
        1,
        0,
        {"name": "{name}", "code": "{serial}", "state": "SB", "parent": "Demo District {place}"},
    ),
    "land/blm_land_use_plans": Row(
        "tiles",
        "Resource Management Plan",
        2,
        0,
        {
            "name": "{name}",
            "status": "Approved",
            "decided": "1986-09-30|2008-12-22|2015-09-21|2024-06-17",
            "year": "1986|2008|2015|2024",
            "nepa": "{serial}",
            "link": "",
            "state": "SB",
        },
    ),
    "land/ranger_districts": Row(
        "tiles",
        "Ranger District",
        2,
        0,
        {"name": "{name}", "forest": "Demo Forest {place}", "region": "0"},
    ),
    "environment/critical_habitat_proposed": Row("patches", "Proposed Unit", 2, 5_000.0, _LISTED),
    "environment/critical_habitat_lines": Row(
        "lines", "Habitat Reach", 1, 0, {**_LISTED, "status": "Final"}
    ),
    "environment/listed_fish_streams": Row(
        "lines",
        "Trout Stream",
        2,
        0,
        {"name": "{name}", "species": "Demo trout", "population": "conservation"},
    ),
    "environment/big_game_migration": Row(
        "patches",
        "Herd",
        3,
        9_000.0,
        {
            "name": "{name}",
            "species": "Demo deer",
            "kind": "corridor|stopover|winter range",
            "volume": "0",
        },
    ),
    "environment/wild_horse_areas": Row(
        "patches",
        "Herd Area",
        2,
        11_000.0,
        {"name": "{name}", "code": "{serial}", "herd": "{name}", "state": "SB"},
    ),
    "environment/sole_source_aquifers": Row(
        "patches",
        "Aquifer",
        1,
        12_000.0,
        {"name": "{name}", "code": "{serial}", "link": "", "region": "0"},
    ),
    "environment/coastal_barriers": Row(
        "patches", "Barrier Unit", 1, 1_200.0, {"name": "{name}", "kind": "system unit"}
    ),
    "environment/historic_places": Row(
        "towns",
        "Historic Place",
        2,
        0,
        {"name": "{name}", "city": "Demo", "state": "SB", "landmark": "X|"},
    ),
    "environment/historic_districts": Row(
        "patches",
        "Historic District",
        2,
        900.0,
        {"name": "{name}", "city": "Demo", "state": "SB", "landmark": ""},
    ),
    "environment/national_trails": Row(
        "lines", "Trail", 1, 0, {"name": "{name}", "kind": "historic|scenic"}
    ),
    "environment/superfund_boundaries": Row(
        "patches",
        "Cleanup Area",
        2,
        700.0,
        {
            "name": "{name}",
            "site": "{serial}",
            "status": "final|proposed|deleted",
            "kind": "site",
            "state": "SB",
        },
    ),
    "environment/roadless_idaho": Row(
        "patches", "Roadless Area", 1, 2_500.0, {"name": "{name}", "theme": "Demo", "acres": 4850.0}
    ),
    "environment/roadless_colorado": Row(
        "patches", "Roadless Area", 1, 2_500.0, {"record": "{serial}"}
    ),
    "infrastructure/special_use_airspace": Row(
        "patches",
        "Airspace",
        2,
        16_000.0,
        {"name": "{name}", "kind": "restricted|military operations|prohibited", **_AIR},
    ),
    "infrastructure/military_training_routes": Row(
        "lines", "Route", 2, 0, {"name": "{name}", "route": "{serial}", "kind": "IR|VR"}
    ),
    "minerals/disturbance_areas": Row(
        "patches",
        "Workings",
        5,
        600.0,
        {
            "name": "{name}",
            "kind": "Open Pit Mine|Tailings - Pond",
            "state": "SB",
            "map_date": "1985",
        },
    ),
    "infrastructure/ports": Row(
        "patches", "Port", 1, 1_500.0, {"name": "{name}", "code": "{serial}", "kind": "Internal"}
    ),
}
"""Every layer of designations, by id."""


def drawn_designations(block: Block, register: Land, places: list[Town]) -> Drawn:
    """Every layer of the table, and reservations on the tribal land of the register."""
    found = {
        id_: _layer(block, row, _FIRST + k, places) for k, (id_, row) in enumerate(TABLE.items())
    }
    tribal = Features()
    area = register.area_of("TRIBAL")
    if not area.is_empty:
        name = block.name("Reservation")
        tribal.add(area, name=name, base_name=name, geoid=f"D{block.row}{block.column}")
    return {**found, "land/reservations": tribal}


def _layer(block: Block, row: Row, channel: int, places: list[Town]) -> Features:
    rng = block.rng(channel)
    layer = Features()
    for i, shape in enumerate(_shapes(block, row, rng, places)):
        words = {
            "name": block.name(row.title, i + 1),
            "serial": f"DEMO-{channel}-{block.row}-{block.column}-{i + 1}",
            "place": f"{block.row}.{block.column}",
        }
        layer.add(shape, **{k: _value(v, i, words) for k, v in row.fields.items()})
    return layer


def _value(value: str | float, i: int, words: Mapping[str, str]) -> str | float:
    if not isinstance(value, str):
        return value
    turns = value.split("|")
    return turns[i % len(turns)].format(**words)


def _shapes(
    block: Block, row: Row, rng: np.random.Generator, places: list[Town]
) -> list[shapely.Geometry]:
    left, bottom, right, top = block.bounds
    match row.kind:
        case "tiles":
            step = BLOCK / row.number
            return [
                shapely.box(x, y, x + step, y + step)
                for y in bottom + step * np.arange(row.number)
                for x in left + step * np.arange(row.number)
            ]
        case "sections":
            edge = row.size * SECTION
            corners = rng.uniform((left, bottom), (right - edge, top - edge), (row.number, 2))
            # On the lattice of sections, whose corner is the block's.
            snapped = np.floor((corners - (left, bottom)) / SECTION) * SECTION + (left, bottom)
            return [shapely.box(x, y, x + edge, y + edge) for x, y in snapped]
        case "patches":
            middles = rng.uniform((left, bottom), (right, top), (row.number, 2))
            return [_patch(middle, row.size, rng) for middle in middles]
        case "lines":
            whole = [_line(block, rng) for _ in range(row.number)]
            return block.clipped(whole)
        case _:
            return [
                shapely.Point(*rng.normal((town.x, town.y), 700.0))
                for town in places
                for _ in range(row.number)
            ]


def _patch(middle: np.ndarray, radius: float, rng: np.random.Generator) -> shapely.Geometry:
    wave = rng.uniform(0, 2 * np.pi, 2)
    away = radius * (1 + 0.22 * np.sin(2 * _TURN + wave[0]) + 0.12 * np.sin(5 * _TURN + wave[1]))
    return shapely.Polygon(middle + np.column_stack([away * np.cos(_TURN), away * np.sin(_TURN)]))


def _line(block: Block, rng: np.random.Generator) -> shapely.Geometry:
    left, bottom, right, _ = block.bounds
    x = np.linspace(left, right, 40)
    start, rise, wave = rng.uniform(0.15, 0.85), rng.uniform(-0.3, 0.3), rng.uniform(0, 6, 2)
    along = (x - left) / BLOCK
    y = start + rise * along + 0.03 * np.sin(9 * along + wave[0]) + 0.01 * np.sin(31 * along)
    return shapely.LineString(np.column_stack([x, bottom + np.clip(y, 0, 1) * BLOCK]))
