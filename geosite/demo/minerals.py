"""Faults along range fronts, districts along faults, and the records that describe them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geosite.demo.block import AREA_KM2, Block, Drawn, Features
from geosite.demo.densities import COUNT_PER_1000_KM2, MRDS_QUALITY
from geosite.demo.noise import Noise
from geosite.demo.terrain import FAULT

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FAULTED = 0.43
"""A front is faulted where a smooth noise is above this: it makes the measured length."""

_KINDS = (
    ("Epithermal gold vein", "Gold; Silver", 0.42),
    ("Tungsten skarn", "Tungsten; Molybdenum", 0.12),
    ("Porphyry copper", "Copper; Molybdenum; Gold", 0.12),
    ("Polymetallic replacement", "Silver; Lead; Zinc", 0.08),
    ("Podiform chromite", "Chromium; Nickel; Cobalt", 0.06),
    ("Lithium clay", "Lithium", 0.05),
    ("Manganese vein", "Manganese", 0.05),
    ("Antimony vein", "Antimony; Gold", 0.04),
    ("Fluorspar vein", "Fluorspar", 0.03),
    ("Carbonatite", "REE; Niobium", 0.03),
)
"""Deposit type, commodities, share of districts: rounded after first commodities in MRDS."""

_FIRST = (2, 1, 5)
"""Kinds of the first districts of the first block, so that any question finds an answer."""

_CLAY = 5
"""Number of the kind that is lithium clay."""

_WORKINGS = ("Mine shaft", "Mine dump", "Tailings - pile")
"""What maps show beside mines, by turns."""

_STATUS = (("Occurrence", 0.38), ("Prospect", 0.3), ("Past Producer", 0.27), ("Producer", 0.05))


@dataclass(frozen=True, slots=True)
class District:
    """Deposits of one kind along one piece of a range front."""

    u: float
    y: float
    kind: int


def faults(block: Block) -> list[tuple[float, NDArray[np.float64]]]:
    """Faulted reaches of range fronts in the block: (u of the front, northings)."""
    _, bottom, _, top = block.bounds
    y = np.arange(bottom, top + 1, 500.0)
    found = []
    front = np.array([(k, side) for k in block.basins for side in (-1, 1)])
    u = front[:, 0] + 0.5 + FAULT * front[:, 1]
    x = block.terrain.x_at(u[:, None], y)
    broken = block.terrain.relief_at(x, y) > 700.0
    noise = Noise(block.seed, 80, 45_000.0)
    # The first block is a mining country, so that a small world has something to rank.
    limit = 0.0 if block.home else _FAULTED
    for i, (k, side) in enumerate(front):
        # A noise of one dimension: a row of its own, far from every other front's.
        broken[i] &= noise.at(np.full(y.shape, (2 * k + side) * 1e6), y) > limit
        if block.row == 0 and k == block.home_basin:
            broken[i] |= y < bottom + 16_000.0
        here = broken[i] & block.holds(x[i], y)
        edges = np.flatnonzero(np.diff(np.r_[0, here.astype(np.int8), 0]))
        runs = zip(edges[::2], edges[1::2], strict=True)
        found += [(float(u[i]), y[a:b]) for a, b in runs if b - a > 6]
    return found


def districts(block: Block, broken: list[tuple[float, NDArray[np.float64]]]) -> list[District]:
    """Mining districts, each at a place on a fault; those of the first block's corner first."""
    rng = block.rng(20)
    number = max(int(rng.poisson(8)), 12 if block.home else 3)
    share = np.array([k[2] for k in _KINDS])
    kinds = rng.choice(len(_KINDS), number, p=share / share.sum())
    found = []
    if block.home:
        kinds[:3] = _FIRST
    for i, kind in enumerate(kinds):
        if not broken:
            k = int(rng.choice(np.array(block.basins)))
            u, y = k + 0.5 + FAULT, rng.uniform(block.bounds[1], block.bounds[3])
        else:
            length = np.array([len(reach) for _, reach in broken], float)
            u, reach = broken[int(rng.choice(len(broken), p=length / length.sum()))]
            y = float(rng.choice(reach))
        if block.home and i < 3:
            near = [b for b in broken if abs(b[0] - block.home_basin - 0.5) < 0.4]
            if near and i < 2:
                u, y = near[i % len(near)][0], block.bounds[1] + 5_000.0 + 5_000.0 * i
        found.append(District(float(u), float(y), int(kind)))
    return found


def _points(
    block: Block, rng: np.random.Generator, among: list[District], number: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Places of records, (number, 2), and the district of each; −1 for one far from any."""
    rank = np.arange(1, len(among) + 1) ** -0.7
    chosen = rng.choice(len(among), number, p=rank / rank.sum())
    u = np.array([d.u for d in among])[chosen] + rng.normal(0, 0.025, number)
    y = np.array([d.y for d in among])[chosen] + rng.normal(0, 2_200.0, number)
    x = block.terrain.x_at(u, y)
    left, bottom, right, top = block.bounds
    stray = rng.random(number) < 0.15
    x = np.where(stray, rng.uniform(left, right, number), x)
    y = np.where(stray, rng.uniform(bottom, top, number), y)
    return np.column_stack([x, y]), np.where(stray, -1, chosen)


def _records(
    block: Block, channel: int, among: list[District], layer: str, least: int = 0
) -> tuple[np.random.Generator, NDArray[np.float64], list[int]]:
    rng = block.rng(channel)
    number = int(rng.poisson(COUNT_PER_1000_KM2[layer] * AREA_KM2 / 1000))
    number = max(number, least) if block.home else number
    xy, chosen = _points(block, rng, among, number)
    loose = rng.integers(len(_KINDS), size=number)
    kinds = [among[c].kind if c >= 0 else int(loose[i]) for i, c in enumerate(chosen)]
    if block.home and least:
        # Districts are on record each in its own place, the first ones first.
        for i in range(min(len(among), number, least)):
            d = among[i]
            xy[i], kinds[i] = (float(block.terrain.x_at(d.u, d.y)) + 150.0, d.y + 100.0), d.kind
    return rng, xy, kinds


def drawn_minerals(block: Block) -> Drawn:
    """Mineral layers, legacy mines, claims and withdrawals of the block."""
    broken = faults(block)
    among = districts(block, broken)
    lines = Features()
    for i, (u, y) in enumerate(broken, start=1):
        path = np.column_stack([block.terrain.x_at(np.full(y.shape, u), y), y])
        lines.add(shapely.LineString(path), name=block.name("Fault", i))
    mrds, legacy = _mrds(block, among)
    return {
        "geology/faults": lines,
        "minerals/mrds": mrds,
        "minerals/disturbance": legacy,
        "minerals/mine_waste": _waste(block, mrds),
        "minerals/lithium_clay": _claystone(block, among),
        "minerals/critical_deposits": _deposits(block, 22, among, "critical_deposits"),
        "minerals/usmin": _deposits(block, 23, among, "usmin"),
        "minerals/deposit_databases": _deposits(block, 24, among, "deposit_databases"),
        "minerals/zinc_lead": _deposits(block, 25, among, "zinc_lead"),
        "land/mining_claims": _claims(block, among),
        "land/withdrawals": _withdrawals(block),
    }


def _mrds(block: Block, among: list[District]) -> tuple[Features, Features]:
    rng, xy, kinds = _records(block, 21, among, "mrds", least=12)
    status = rng.choice([s for s, _ in _STATUS], len(xy), p=[p for _, p in _STATUS])
    grades = rng.choice(list(MRDS_QUALITY), len(xy), p=list(MRDS_QUALITY.values()))
    if block.home:
        status[:3], grades[:3] = ["Producer", "Past Producer", "Prospect"], ["A", "B", "B"]
    records, legacy = Features(), Features()
    for i, (point, kind) in enumerate(zip(map(shapely.Point, xy), kinds, strict=True)):
        title, commodities, _ = _KINDS[kind]
        name = block.name("Mine" if "Producer" in status[i] else "Showing", i + 1)
        records.add(
            point,
            dep_id=f"S{block.row:03d}{block.column:03d}{i:05d}",
            site_name=name,
            commodities=commodities,
            dev_stat=str(status[i]),
            site_rank=str(grades[i]),
            deposit_type=title,
        )
        if "Producer" in status[i]:
            x, y = xy[i] + rng.normal(0, 120.0, 2)
            shown = _WORKINGS[len(legacy.geometry) % len(_WORKINGS)]
            legacy.add(shapely.Point(x, y), name=block.name("Workings", i + 1), kind=shown)
    return records, legacy


def _waste(block: Block, mrds: Features) -> Features:
    """What was left beside mines; of the poorer records nobody wrote down how much."""
    found, told = Features(), mrds.fields
    for i, status in enumerate(told["dev_stat"]):
        if "Producer" not in status:
            continue
        grade = told["site_rank"][i] or "D"
        noted = "producer" if status == "Producer" else "past_producer"
        found.add(
            shapely.Point(mrds.geometry[i].x + 200.0, mrds.geometry[i].y - 150.0),
            name=block.name("Tailings", len(found.geometry) + 1),
            record_id=f"waste-{told['dep_id'][i]}",
            commodities=told["commodities"][i],
            evidence_class=noted if grade in "AB" else "unknown",
            quality=grade,
            deposit_type="mine waste",
            tonnage_mt=round(0.1 * (i + 1), 2),
        )
    return found


def _claystone(block: Block, among: list[District]) -> Features:
    """A claystone in every district of lithium clay, and one a block besides.

    The first block has one on the basin floor near its corner, so that a small world has it.
    """
    rng = block.rng(29)
    places = [(float(block.terrain.x_at(d.u, d.y)), d.y) for d in among if d.kind == _CLAY]
    left, bottom, right, top = block.bounds
    if block.home:
        y = bottom + 6_000.0
        places.insert(0, (float(block.terrain.x_at(block.home_basin + 0.6, y)), y))
    places.append((rng.uniform(left, right), rng.uniform(bottom, top)))
    found = Features()
    for i, (x, y) in enumerate(places):
        found.add(
            shapely.Point(x, y),
            name=block.name("Claystone", i + 1),
            record_id=f"clay-{block.row}-{block.column}-{i}",
            commodities="Lithium",
            evidence_class="resource" if i + 1 < len(places) else "occurrence",
            quality="B",
            deposit_type="lithium claystone",
            tonnage_mt=round(float(rng.uniform(50.0, 900.0)), 2),
        )
    return found


def _deposits(block: Block, channel: int, among: list[District], layer: str) -> Features:
    rng, xy, kinds = _records(
        block, channel, among, layer, least=8 if layer == "critical_deposits" else 3
    )
    if layer == "zinc_lead":
        kinds = [3] * len(kinds)
    size = np.round(np.exp(2.0 + 1.6 * rng.standard_normal(len(xy))), 2)
    words = rng.choice(["resource", "past_producer", "prospect"], len(xy), p=[0.4, 0.35, 0.25])
    grades = rng.choice(["A", "B", "C"], len(xy), p=[0.3, 0.5, 0.2])
    found = Features()
    for i, (point, kind) in enumerate(zip(map(shapely.Point, xy), kinds, strict=True)):
        title, commodities, _ = _KINDS[kind]
        found.add(
            point,
            name=block.name("Deposit", i + 1),
            record_id=f"{layer}-{block.row}-{block.column}-{i}",
            commodities=commodities,
            evidence_class=str(words[i]),
            quality=str(grades[i]),
            deposit_type=title,
            tonnage_mt=float(size[i]),
        )
    return found


def _claims(block: Block, among: list[District]) -> Features:
    """Lode claims of 1,500 by 600 ft in blocks beside some districts."""
    rng = block.rng(26)
    found = Features()
    for district in among[2:]:
        x0 = float(block.terrain.x_at(district.u, district.y)) + rng.normal(0, 800.0)
        y0 = district.y + rng.normal(0, 800.0)
        for i in range(int(rng.integers(4, 24))):
            x, y = x0 + (i % 3) * 457.2, y0 + (i // 3) * 182.88
            serial = f"DEMO{block.row}-{block.column}-{len(found.geometry) + 1}"
            found.add(
                shapely.box(x, y, x + 457.2, y + 182.88),
                name=serial,
                serial=serial,
                disposition="ACTIVE",
            )
    return found


def _withdrawals(block: Block) -> Features:
    """Tracts closed to location."""
    rng = block.rng(27)
    left, bottom, right, top = block.bounds
    found = Features()
    for i in range(1, 4):
        x, y = rng.uniform(left, right - 9e3), rng.uniform(bottom, top - 9e3)
        width, height = rng.uniform(2e3, 8e3, 2)
        found.add(
            shapely.box(x, y, x + width, y + height),
            name=block.name("Withdrawal", i),
            serial=f"DEMO-W-{block.row}-{block.column}-{i}",
            disposition="AUTHORIZED",
        )
    return found
