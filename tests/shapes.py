"""Sites and constraint polygons drawn by chance, with what makes overlaps hard."""

from __future__ import annotations

import numpy as np
import shapely

EAST, NORTH = -1_700_000.0, 2_200_000.0
"""A place of Nevada in EPSG:5070: rounding is that of real coordinates."""


def box(left, bottom, right, top):
    """A rectangle, in metres from the place."""
    return shapely.box(EAST + left, NORTH + bottom, EAST + right, NORTH + top)


def blob(rng, middle, radius, corners):
    """A star-shaped outline with a rough edge."""
    turn = np.sort(rng.uniform(0, 2 * np.pi, corners))
    far = radius * rng.uniform(0.6, 1.0, corners)
    return shapely.make_valid(
        shapely.Polygon(np.c_[np.cos(turn), np.sin(turn)] * far[:, None] + middle),
        method="structure",
    )


def blobs(rng, count, *, edge=10_000.0, most=200):
    """Rough outlines of all sizes, some with a hole, some of two parts, in a square."""
    out = np.empty(count, object)
    for k in range(count):
        middle = rng.uniform(0, edge, 2) + np.array([EAST, NORTH])
        radius = 10 ** rng.uniform(1.5, 3.5)
        shape = blob(rng, middle, radius, int(rng.integers(5, most)))
        if rng.random() < 0.3:
            shape = shape.difference(blob(rng, middle, 0.4 * radius, 12))
        if rng.random() < 0.2:
            shape = shape.union(blob(rng, middle + np.array([2.5 * radius, 0]), radius, 20))
        out[k] = shape
    return out


def sliver(rng, site):
    """A polygon along an edge of a site, a centimetre to a metre wide."""
    left, bottom, right, _ = site.bounds
    width = 10 ** rng.uniform(-2, 0)
    return shapely.box(left - 50, bottom - width, right + 50, bottom + width)


def neighbour(site):
    """A polygon that touches a rectangle along an edge and covers none of it."""
    _, bottom, right, top = site.bounds
    return shapely.box(right, bottom, right + 700, top)
