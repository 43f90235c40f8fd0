"""Two runs on one page: the left one whole, and of the right one its sites and surfaces."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from geosite.map.content_block import Block, block_of, first_view
from geosite.map.page import page_of
from geosite.map.pictures import status_pictures, suitability_picture
from geosite.map.site_block import best_sites, site_block
from geosite.report.text import number, plain, script_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import folium

    from geosite.report.content import Content

_COLUMNS = ("n", "left_out", "lon", "lat", "site_id", "name", "rank", "suitability", "shapes")
"""What is told of the right run's sites."""
_MB = 1e6
_LEAST_MB = 1.0
"""Room that the left run keeps, however large the right one is [MB]."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What is known of two runs together.

    Attributes
    ----------
    titles
        Of the left and of the right run; they tell the two apart.
    same
        Site id of the left run → site id of the right run that is the same or has the most of
        its land.
    differs
        What is asked or read otherwise, in words.
    """

    titles: tuple[str, str]
    same: Mapping[str, str]
    differs: tuple[str, ...] = ()


def write_comparison(
    left: Content,
    right: Content,
    compared: Compared,
    path: Path,
    *,
    max_mb: float = 10.0,
    max_sites: int = 10_000,
) -> tuple[str, ...]:
    """Save two runs as one HTML file, with a divider between them.

    Returns
    -------
    tuple of str
        What was simplified or left out of the left run, in words.
    """
    shown, block = _both_of(left, right, compared, max_mb, max_sites)
    text = page_of(shown, block).get_root().render().encode()
    path.write_bytes(text)
    return block.notes


def render_comparison(
    left: Content,
    right: Content,
    compared: Compared,
    *,
    max_mb: float = 10.0,
    max_sites: int = 10_000,
) -> folium.Map:
    """Two runs on one map.

    Parameters
    ----------
    left, right : Content
        What the runs found, each in its own grid CRS.
    compared : Compared
        Which of their sites are the same, and what the runs asked otherwise.
    max_mb : float
        Largest size of the page [MB of 10⁶ bytes].
    max_sites : int
        The best so many sites of each are drawn.

    Returns
    -------
    folium.Map
        The page of the left run with the right run's sites and surfaces beside it.
    """
    return page_of(*_both_of(left, right, compared, max_mb, max_sites))


def _both_of(
    left: Content, right: Content, compared: Compared, max_mb: float, max_sites: int
) -> tuple[Content, Block]:
    beside = _beside(left, right, compared, max_sites)
    taken = (len(script_json(beside.data)) + sum(map(len, beside.blobs.values()))) / _MB
    block = block_of(left, max_mb=max(max_mb - taken, _LEAST_MB), max_sites=max_sites)
    data = {**block.data, **beside.data, "view": _both(block.data["view"], right)}
    title = " | ".join(compared.titles)
    if left.title == right.title:
        title = f"{left.title}: {title}"
    blobs = {**block.blobs, **beside.blobs}
    return replace(left, title=title), replace(block, data=data, blobs=blobs)


def _beside(left: Content, right: Content, compared: Compared, max_sites: int) -> Block:
    # The right run, for the data block and for the blobs that are read when they are shown.
    sites = best_sites(right, max_sites)
    columns = site_block(right, sites)
    excluded, unknown = status_pictures(right)
    pictures = {
        "suitability": ("Suitability", suitability_picture(right)),
        "excluded": ("Excluded by any rule", excluded),
        "unknown": ("Unknown to some hard rule", unknown),
    }
    ranks = {
        plain(id_, 200): None if (rank := number(value)) is None else int(rank)
        for id_, value in zip(right.sites["site_id"], right.sites["rank"], strict=True)
    }
    ids = [plain(id_, 200) for id_ in best_sites(left, max_sites)["site_id"]]
    others = [plain(compared.same.get(id_, ""), 200) for id_ in ids]
    data: dict[str, Any] = {
        "titles": [plain(t, 200) for t in compared.titles],
        "differs": [plain(line, 300) for line in compared.differs],
        "sites": {name: columns[name] for name in _COLUMNS},
        "same": others,
        "ranks": [ranks.get(id_) for id_ in others],
        "gone": len(left.sites) - len(compared.same),
        "new": len(right.sites) - len(compared.same),
        "pictures": [
            # Where nearly all is unknown, the hatch would hide what is known.
            [name, title, not (name == "unknown" and right.is_mostly_unknown)]
            for name, (title, _) in pictures.items()
        ],
    }
    blobs = {
        f"picture-right-{name}": script_json({"url": p.url, "corners": p.corners})
        for name, (_, p) in pictures.items()
    }
    return Block({"compare": data}, blobs)


def _both(view: list[list[float]], right: Content) -> list[list[float]]:
    west, south, east, north = first_view(right)
    (s, w), (n, e) = view
    return [[min(s, south), min(w, west)], [max(n, north), max(e, east)]]
