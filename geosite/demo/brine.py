"""Lithium brine under basin floors, and the analyses of water that show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shapely

from geosite.demo.block import Block, Drawn, Features

if TYPE_CHECKING:
    from geosite.demo.water import Waters

_CHANNEL = 90
_STRONG = 100.0
"""Lithium [mg/L] from which an analysis counts as a prospect."""


def drawn_brine(block: Block, water: Waters) -> Drawn:
    """Brine deposits in some playas, and analyses with lithium on the floors round them.

    The first block has a brine near its corner, so that a small world can be asked for one.
    """
    rng = block.rng(_CHANNEL)
    places = [p.representative_point() for p in water.playas if rng.random() < 0.4]
    if block.home:
        y = block.bounds[1] + 9_000.0
        x = float(block.terrain.x_at(block.home_basin + 0.5, y))
        places.insert(0, shapely.Point(x, y))
    brine, analyses = Features(), Features()
    for i, place in enumerate(places):
        size = float(rng.uniform(20.0, 400.0))
        brine.add(
            place,
            name=block.name("Brine", i + 1),
            record_id=f"brine-{block.row}-{block.column}-{i}",
            commodities="Lithium",
            evidence_class="resource" if i % 2 == 0 else "prospect",
            quality="B",
            deposit_type="lithium brine",
            tonnage_mt=round(size, 2),
        )
        for k in range(int(rng.integers(2, 6))):
            x, y = place.x + rng.normal(0, 2_500.0), place.y + rng.normal(0, 2_500.0)
            lithium = float(rng.uniform(20.0, 300.0))
            analyses.add(
                shapely.Point(x, y),
                name=block.name("Well", len(analyses.geometry) + 1),
                record_id=f"water-{block.row}-{block.column}-{i}-{k}",
                commodities="Lithium",
                evidence_class="prospect" if lithium >= _STRONG else "occurrence",
                quality="C",
                deposit_type="saline water",
                lithium_mg_l=round(lithium, 1),
            )
    return {"minerals/lithium_brine": brine, "minerals/brine_geochemistry": analyses}
