"""Overlaps beside PostGIS: 1,000 sites, each with constraint polygons that overlap each other."""

from dataclasses import dataclass

import numpy as np
import pytest
import shapely

from geosite.cuts import parts
from geosite.meetings import Features
from geosite.overlaps import areas
from tests.shapes import EAST, NORTH, blob, neighbour, sliver

PAIRS = 1_000
KINDS = (
    "rough",
    "sliver",
    "edge",
    "holes",
    "apart",
    "detailed",
    "same",
    "inside",
    "corner",
    "mixed",
)


@dataclass
class Pair:
    kind: str
    site: object
    features: np.ndarray


def ragged(rng, around, most=60):
    """A rough outline near a place, some with a hole, some of two parts."""
    radius = 10 ** rng.uniform(2, 3.4)
    middle = around + rng.normal(0, 600, 2)
    shape = blob(rng, middle, radius, int(rng.integers(4, most)))
    if rng.random() < 0.3:
        shape = shape.difference(blob(rng, middle, 0.5 * radius, 9))
    if rng.random() < 0.3:
        shape = shape.union(blob(rng, middle + np.array([1.8 * radius, 0]), radius, 15))
    return shape


def pair(rng, kind):
    """A site, and features that meet it in the way of a kind."""
    place = np.array([EAST, NORTH]) + rng.uniform(-400_000, 400_000, 2)
    size = rng.uniform(200, 2_000, 2)
    square = shapely.box(*place, *(place + size))
    rough = [ragged(rng, place + size / 2) for _ in range(rng.integers(1, 6))]
    site = ragged(rng, place + size / 2) if rng.random() < 0.5 else square
    match kind:
        case "sliver":
            site, features = square, [sliver(rng, square), sliver(rng, square)]
        case "edge":
            site, features = square, [neighbour(square), neighbour(square).buffer(0)]
        case "holes":
            ring = square.buffer(300).difference(square.buffer(-60))
            features = [ring, ring.difference(rough[0])]
        case "apart":
            features = [shapely.transform(g, lambda xy: xy + 9_000) for g in rough]
        case "detailed":
            features = [blob(rng, place, 4_000, 3_000), *rough]
        case "same":
            features = [site, site, *rough]
        case "inside":
            site, features = square, [square.buffer(500), square.buffer(10)]
        case "corner":
            features = [shapely.box(*(place + size), *(place + size + 100))]
            site = square
        case "mixed":
            features = [*rough, sliver(rng, square), neighbour(square), square.buffer(-50)]
        case _:
            features = rough
    kept = [g for g in features if not g.is_empty]
    return Pair(kind, site, np.array(kept, object))


@pytest.fixture(scope="module")
def pairs():
    rng = np.random.default_rng(20)
    return [pair(rng, KINDS[k % len(KINDS)]) for k in range(PAIRS)]


@pytest.fixture(scope="module")
def theirs(postgis, pairs):
    """Area of the overlap with the union [m²] and distance [m] by PostGIS, one row a pair."""
    sites = ((k, p.site.wkb_hex) for k, p in enumerate(pairs))
    features = ((k, g.wkb_hex) for k, p in enumerate(pairs) for g in p.features)
    postgis.table("sites", "id int, g geometry", sites)
    postgis.table("features", "id int, g geometry", features)
    rows = postgis.asked(
        "WITH united AS (SELECT id, ST_Union(g) AS u FROM features GROUP BY id) "
        "SELECT ST_Area(ST_Intersection(g, u)), ST_Distance(g, u) "
        "FROM sites JOIN united USING (id) ORDER BY id"
    )
    return np.array(rows, float)


def test_areas_agree_with_postgis_to_a_millionth(pairs, theirs):
    assert all(shapely.is_valid(p.site) and shapely.is_valid(p.features).all() for p in pairs)
    ours = np.array([areas(np.array([p.site], object), p.features)[0] for p in pairs])
    area = theirs[:, 0]
    # Where outlines only touch, both find rounding: nothing that can be compared.
    touch = (ours < 1e-6) & (area < 1e-6)
    differs = np.abs(ours - area)[~touch] / area[~touch]
    assert differs.max() <= 1e-6
    met = {
        kind: sum(not t for t, p in zip(touch, pairs, strict=True) if p.kind == kind)
        for kind in KINDS
    }
    assert met["edge"] == met["apart"] == met["corner"] == 0
    assert all(met[kind] >= 80 for kind in set(KINDS) - {"edge", "apart", "corner"})


def test_distances_agree_with_postgis_to_a_millionth(pairs, theirs):
    far = []
    for p in pairs:
        own, others = (
            parts(np.array([p.site], object), corners=40),
            Features(parts(p.features, corners=40)),
        )
        at, piece = others.nearest(own)
        far.append(shapely.distance(own.geometry[at], others.pieces.geometry[piece])[0])
    assert np.array(far) == pytest.approx(theirs[:, 1], rel=1e-6, abs=1e-6)
    assert (theirs[:, 1] > 0).sum() >= 100
