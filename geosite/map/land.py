"""Land by agency, and what each rule excludes, as layers of the tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geosite.map.entries import Entry, Layers, Legend, Tiles, ids_of
from geosite.report import palette
from geosite.report.facts import area
from geosite.report.text import LIMIT, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    from numpy.typing import NDArray

    from geosite.report.content import Content, RuleLabel

BY_AGENCY = "Land by agency"
BY_RULE = "Excluded by rule"
CROWD = 1500
"""More outlines of exclusions than this wait to be switched on."""


def parcel_layers(content: Content) -> Layers:
    """An entry an agency, in the order of land-status maps, from the tiles ``parcels``.

    Notes
    -----
    ``words`` of a parcel: its name, county and state, area, whether it is offered, and who
    else claims it; the agency is the title of its entry.
    """
    frame = content.parcels
    if frame.empty:
        return Layers()
    held = frame["agency"] if "agency" in frame else [""] * len(frame)
    codes = np.array([plain(v, 60) for v in held], dtype=object)
    there = drawable(frame)
    known = {*codes}
    order = [c for c in (*palette.AGENCIES, *sorted(known - {*palette.AGENCIES})) if c in known]
    ids = ids_of(order, "land")
    records = frame.drop(columns=frame.geometry.name).to_dict("records")
    drawn = frame.loc[there, [frame.geometry.name]].assign(
        agency=[ids[c] for c in codes[there]],
        words=["\n".join(_parcel_words(records[i])) for i in np.flatnonzero(there)],
    )
    entries = []
    for code in order:
        title, colour = palette.agency(code)
        title = title or "Owner not named"
        mine = codes == code
        edge = palette.darker(colour)
        entries.append(
            Entry(
                id=ids[code],
                title=title,
                group=(BY_AGENCY,),
                kind="tiles",
                source="parcels",
                layer="parcels",
                match=("agency", (ids[code],)),
                style={"fill": colour, "stroke": edge, "opacity": 0.5, "width": 0.9},
                count=int(mine.sum()),
                left_out=int((mine & ~there).sum()),
                shown=True,
                legend=Legend("classes", (("fill", colour, title),)),
            )
        )
    tiles = Tiles("parcels", {"parcels": drawn}, coverage=frozenset({"parcels"}))
    return Layers(tuple(entries), (tiles,))


def _parcel_words(parcel: Mapping[Any, Any]) -> list[str]:
    place = ", ".join(t for k in ("county", "state") if (t := plain(parcel.get(k), 80)))
    # The parcels of some runs call it as the sites do.
    conflict = parcel.get("ownership_conflict", parcel.get("parcel_ownership_conflict"))
    conflict = plain(conflict, 120)
    lines = [
        plain(parcel.get("name"), LIMIT) or "unnamed parcel",
        place,
        area(parcel.get("area_ha")),
        plain(parcel.get("status"), 120),
        f"ownership conflict: {conflict}" if conflict not in ("", "False", "no", "0") else "",
    ]
    return [line for line in lines if line]


def exclusion_layers(content: Content) -> Layers:
    """An entry a rule that has outlines, what takes most first, from the tiles ``exclusions``.

    Notes
    -----
    ``words`` of an outline: the name of the place. The entry says the rule, who wrote it,
    where it is written, and what it takes. Rules without outlines are pictures:
    `geosite.map.surface_layers`.
    """
    frame = content.exclusions
    if frame.empty:
        return Layers()
    labels = {plain(r.id): r for r in content.rules}
    rules = np.array([plain(v) for v in frame["rule"]], dtype=object)
    there = drawable(frame)
    order = sorted({*rules}, key=lambda r: (-_taken(labels.get(r)), r))
    ids = ids_of(order, "rule")
    names = frame["name"].to_numpy() if "name" in frame else np.full(len(frame), "")
    drawn = frame.loc[there, [frame.geometry.name]].assign(
        rule=[ids[r] for r in rules[there]], words=[plain(v, LIMIT) for v in names[there]]
    )
    line = palette.EXCLUSION_LINE
    entries = []
    for rule in order:
        label = labels.get(rule)
        title = (plain(label.title, LIMIT) if label else "") or plain(rule, LIMIT)
        mine = rules == rule
        entries.append(
            Entry(
                id=ids[rule],
                title=title,
                group=(BY_RULE,),
                kind="tiles",
                source="exclusions",
                layer="exclusions",
                match=("rule", (ids[rule],)),
                style={
                    "fill": line, "stroke": line, "opacity": 0.06, "width": 1.0, "dash": [3, 2],
                },
                count=int(mine.sum()),
                left_out=int((mine & ~there).sum()),
                shown=len(frame) <= CROWD,
                legend=Legend("classes", (("dash", line, title),)),
                words=rule_words(label),
            )
        )  # fmt: skip
    return Layers(tuple(entries), (Tiles("exclusions", {"exclusions": drawn}),))


def rule_words(label: RuleLabel | None) -> tuple[str, ...]:
    """Who wrote a rule, where it is written, and what it takes; nothing if it is not known."""
    if label is None:
        return ()
    cited = (plain(label.authority, 80), plain(label.citation, LIMIT))
    takes = f"takes {area(label.removed_ha)}, of these {area(label.alone_ha)} alone"
    return tuple(t for t in (" · ".join(t for t in cited if t), takes) if t)


def drawable(frame: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    """Whether each feature has a geometry to draw."""
    shapes = np.asarray(frame.geometry.array, dtype=object)
    there: NDArray[np.bool_] = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    return there


def _taken(label: RuleLabel | None) -> float:
    return label.removed_ha if label else 0.0
