"""A small map of a site as an inline SVG: outline, what is in and near it, ring, north, scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from markupsafe import Markup

from geosite.crs import WGS84, local_equal_area, projected_geometry
from geosite.report.text import markup

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geosite.report.dossier_content import Dossier, Page

SIZE = 640
"""Side of the map [pixels]."""
COLOURS = {
    "exclude": "#7f1d1d",
    "require": "#7f1d1d",
    "include": "#4d4d4d",
    "avoid": "#b45f06",
    "mitigate": "#8a6d00",
    "flag": "#1f5f99",
}
"""By tier; dark enough for lines on white, and never green: it would read as allowed."""
_MOST = 1500
"""Features that are drawn near a site."""
_PAD = 1.06
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200)


def site_map(dossier: Dossier, page: Page) -> Markup:
    """The map of one site, north up, in a CRS of its own that keeps areas."""
    middle = projected_geometry(page.outline.centroid, dossier.crs, WGS84)
    crs = local_equal_area(*shapely.get_coordinates(middle)[0])
    outline = projected_geometry(page.outline, dossier.crs, crs)
    ring = shapely.buffer(outline, dossier.ring_m) if dossier.ring_m else outline
    left, bottom, right, top = ring.bounds
    half = max(right - left, top - bottom, 100.0) / 2 * _PAD
    x, y = (left + right) / 2, (bottom + top) / 2
    view = _View(x - half, y + half, 2 * half / SIZE)
    box = (x - half, y - half, x + half, y + half)
    touched = {f.rule.id for f in page.of("touches")}
    near = _near(dossier, page, crs, box, view.size)
    parts = [f'<rect width="{SIZE}" height="{SIZE}" fill="#fff"/>']
    for rule, tier, shape in near:
        colour = COLOURS[tier] if rule in touched else "#9a9a9a"
        parts.append(view.path(shape, stroke=colour, fill=colour, opacity=0.13, width=1.0))
    for f in page.of("touches"):
        if f.shape is not None and not f.shape.is_empty:
            shape = shapely.simplify(projected_geometry(f.shape, dossier.crs, crs), view.size / 2)
            colour = COLOURS[f.rule.tier]
            parts.append(view.path(shape, stroke=colour, fill=colour, opacity=0.35, width=1.4))
    if dossier.ring_m:
        parts.append(view.path(ring, stroke="#555", fill="none", width=1.0, dash="6 5"))
    parts.append(view.path(outline, stroke="#000", fill="none", width=2.4))
    parts += [_north(), _scale(view.size)]
    title = markup(f"Map of {page.site_id}: its outline, features in and near it, north up", 200)
    head = f'<svg viewBox="0 0 {SIZE} {SIZE}" role="img" xmlns="http://www.w3.org/2000/svg">'
    return Markup(f"{head}<title>{title}</title>{''.join(parts)}</svg>")  # noqa: S704 -- escaped


def _near(
    dossier: Dossier, page: Page, crs: Any, box: tuple[float, float, float, float], size: float
) -> list[tuple[str, str, Any]]:
    table = dossier.near
    if table.empty:
        return []
    mine = table[[page.site_id in ids.split("; ") for ids in table["site_ids"]]].head(_MOST)
    # Cut in the dossier's CRS first, a little wide: a national forest has a million corners.
    wide = shapely.bounds(shapely.buffer(page.outline, 1.5 * dossier.ring_m + 1000.0))
    cut = shapely.clip_by_rect(shapely.make_valid(mine.geometry.to_numpy()), *wide)
    light = shapely.simplify(cut, size / 2)
    # All at once: a change of CRS takes longer to set up than to do.
    whole = projected_geometry(shapely.GeometryCollection(list(light)), dossier.crs, crs)
    parts = np.asarray(shapely.get_geometry([whole], np.arange(len(light))), dtype=object)
    drawn: NDArray[Any] = np.asarray(shapely.clip_by_rect(parts, *box), dtype=object)
    rules = mine["rule"].to_numpy(object)
    tiers = dict(zip(rules, mine["tier"], strict=True))
    # Claims lie in stacks: land under ten of them is not ten times as dark.
    one = {r: shapely.union_all(shapely.make_valid(drawn[rules == r])) for r in tiers}
    return [(str(r), str(tiers[r]), shape) for r, shape in one.items() if not shape.is_empty]


class _View:
    """From metres to pixels."""

    def __init__(self, left: float, top: float, size: float) -> None:
        self.left, self.top, self.size = left, top, size

    def path(
        self, shape: Any, *, stroke: str, fill: str, width: float, opacity: float = 1.0,
        dash: str = "",
    ) -> str:  # fmt: skip
        areas, dots = [], []
        filled = False
        for part in _simple(shape):
            kind = part.geom_type
            if kind == "Point":
                px, py = self._pixels(part)[0]
                dots.append(f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3" fill="{stroke}"/>')
            elif kind == "Polygon":
                filled = True
                areas += [self._line(ring) + "Z" for ring in (part.exterior, *part.interiors)]
            else:
                areas.append(self._line(part))
        style = f'stroke="{stroke}" stroke-width="{width}"'
        style += f' stroke-dasharray="{dash}"' if dash else ""
        style += f' fill="{fill if filled else "none"}" fill-opacity="{opacity}"'
        path = f'<path d="{"".join(areas)}" {style} fill-rule="evenodd"/>' if areas else ""
        return path + "".join(dots)

    def _pixels(self, shape: Any) -> Any:
        xy = shapely.get_coordinates(shape)
        return np.column_stack(
            [(xy[:, 0] - self.left) / self.size, (self.top - xy[:, 1]) / self.size]
        )

    def _line(self, shape: Any) -> str:
        return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in self._pixels(shape))


def _simple(shape: Any) -> list[Any]:
    """Points, lines and polygons of any geometry."""
    if hasattr(shape, "geoms"):
        return [p for part in shape.geoms for p in _simple(part)]
    return [] if shape.is_empty else [shape]


def _north() -> str:
    return (
        f'<g transform="translate({SIZE - 28} 34)"><path d="M0 -22 L7 8 L0 2 L-7 8 Z" fill="#222"/>'
        '<text y="24" text-anchor="middle" font-size="13" fill="#222">N</text></g>'
    )


def _scale(size: float) -> str:
    """A bar of whole kilometres with its miles."""
    wide = SIZE * size / 1000 / 4
    km = max((s for s in _STEPS if s <= wide), default=_STEPS[0])
    pixels = km * 1000 / size
    y = SIZE - 22
    return (
        f'<path d="M16 {y - 5}V{y}H{16 + pixels:.1f}V{y - 5}" stroke="#222" fill="none" '
        f'stroke-width="1.6"/><text x="16" y="{SIZE - 6}" font-size="12" fill="#222">'
        f"{km:g} km ({km / 1.609344:.2g} mi)</text>"
    )
