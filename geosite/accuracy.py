"""Rules that may touch a site if their features lie where the layer's accuracy allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geosite.grid import SUBCELLS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from geosite.grid import Grid
    from geosite.inputs import TileInputs
    from geosite.model.rule import Rule, Treatment
    from geosite.segments import Shapes


def possible_rules(
    outlines: NDArray[Any],
    touched: NDArray[np.bool_],
    accuracies: Sequence[float | None],
    inputs: TileInputs,
    exclusions: gpd.GeoDataFrame,
    grid: Grid,
) -> list[str]:
    """Ids of the rules whose features may reach each site, though they do not as drawn: (sites,).

    Parameters
    ----------
    outlines : (sites,) geometries in the grid's CRS
    touched : (sites, rules) bool
        Rules that touch a cell of the site as drawn, which other columns tell.
    accuracies : (rules,)
        Positional accuracy of each rule's layer [m]; None where the layer tells none.
    exclusions : GeoDataFrame
        ``rule, geometry``: features of the hard rules with their setback, inside the AOI.

    Returns
    -------
    list of str
        Ids with ``;`` between them: hard rules and rules to avoid with a feature nearer
        than setback + accuracy to the outline.

    Notes
    -----
    It does not see: layers that tell no accuracy; rules to mitigate and flags; rules that
    require something or read a raster; features of hard rules beyond the AOI; rules to
    avoid that hold only inside another layer. Land beside an excluded feature is always
    possible: its edge may lie in the site.
    """
    tree = shapely.STRtree(outlines)
    found: list[list[str]] = [[] for _ in outlines]
    shapely.prepare(outlines)
    box = shapely.bounds(outlines) if len(outlines) else np.empty((0, 4))
    for k, (rule, treatment) in enumerate(zip(inputs.rules, inputs.treatments, strict=True)):
        accuracy = accuracies[k]
        if not accuracy or not len(outlines):
            continue
        if treatment.tier == "exclude":
            shapes = exclusions.geometry.to_numpy()[(exclusions["rule"] == rule.id).to_numpy()]
            near = _within(tree, shapes, accuracy)
        elif treatment.tier == "avoid" and rule.inside is None:
            near = np.concatenate(
                [
                    _within(tree, _lines(part, grid, box, reach + accuracy), reach + accuracy)
                    for part, reach in _parts(rule, treatment, inputs)
                ]
                or [np.empty(0, np.int64)]
            )
        else:
            continue
        for site in np.unique(near).tolist():
            if not touched[site, k]:
                found[site].append(rule.id)
    return ["; ".join(ids) for ids in found]


def _parts(rule: Rule, treatment: Treatment, inputs: TileInputs) -> list[tuple[Shapes, float]]:
    if rule.id in inputs.parts:
        return [(p.shapes, p.metres) for p in inputs.parts[rule.id]]
    shapes = inputs.vectors.get((rule.layer, rule.where))
    return [] if shapes is None else [(shapes, treatment.reach)]


def _within(tree: shapely.STRtree, shapes: NDArray[Any], metres: float) -> NDArray[np.int64]:
    # Numbers of the sites that are so near to one of the shapes.
    return np.unique(tree.query(shapes, predicate="dwithin", distance=metres)[1])


def _lines(shapes: Shapes, grid: Grid, boxes: NDArray[np.float64], metres: float) -> NDArray[Any]:
    # Segments of a layer near any site; of a polygon the outline is enough, because a site
    # inside of it is touched.
    scale = grid.resolution / SUBCELLS
    ends = shapes.edges * [scale, -scale, scale, -scale] + [*grid.origin, *grid.origin]
    low, high = np.minimum(ends[:, :2], ends[:, 2:]), np.maximum(ends[:, :2], ends[:, 2:])
    left, bottom = boxes[:, :2].min(axis=0) - metres
    right, top = boxes[:, 2:].max(axis=0) + metres
    near = (low <= [right, top]).all(axis=1) & (high >= [left, bottom]).all(axis=1)
    if shapes.kind == "point":
        return np.asarray(shapely.points(ends[near, :2]), object)
    return np.asarray(shapely.linestrings(ends[near].reshape(-1, 2, 2)), object)
