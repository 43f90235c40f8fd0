"""Tiles of features: shared borders, detail by zoom, every kind of geometry, the antimeridian."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS
from shapely.geometry import GeometryCollection, LineString, MultiPolygon, Point, Polygon, box

from geosite.crs import projected
from geosite.map.entries import Tiles
from geosite.map.tiles import Pyramid, archive, pixel_m
from tests.tilereader import archive_of

ALBERS = CRS.from_epsg(5070)
ALASKA = CRS.from_epsg(3338)
LEFT, TOP = -1_780_000.0, 2_060_000.0
STEP_PX = 512 / 4096


def frame(shapes, crs=ALBERS, **columns):
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=crs)


def made(shapes, *, coverage=False, finest=9, crs=ALBERS, drawn=(), **columns):
    held = frame(shapes, crs, **columns)
    tiles = Tiles("toy", {"land": held}, frozenset({"land"} if coverage else ()), finest)
    return archive_of(archive(tiles, drawn=drawn))


def cells(seed, count=60, side=60_000.0, corner=(LEFT, TOP)):
    """Wavy cells that fill a square without a gap."""
    random = np.random.default_rng(seed)
    points = shapely.MultiPoint(random.uniform(0, side, (count, 2)) + corner)
    square = box(*corner, corner[0] + side, corner[1] + side)
    found = shapely.voronoi_polygons(points, extend_to=square)
    whole = shapely.intersection(shapely.get_parts(found), square)
    nodes = shapely.segmentize(whole, 900.0)

    def wavy(xy):
        inner = ((xy - corner) > 1).all(axis=1) & ((xy - corner) < side - 1).all(axis=1)
        shift = 150 * np.column_stack([np.sin(xy[:, 1] / 700), np.cos(xy[:, 0] / 900)])
        return np.where(inner[:, None], xy + shift, xy)

    # Neighbours walk a border in opposite ways; rounding makes their vertices the same.
    return square, shapely.transform(shapely.set_precision(nodes, 1.0), wavy)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000))
def test_neighbours_part_or_overlap_by_no_more_than_an_eighth_of_a_pixel(seed):
    _, shapes = cells(seed)
    found = made(shapes, coverage=True)
    for zoom in (6, 7, 8, 9):
        tiles = {}
        for x, y, feature in found.features("land", zoom):
            tiles.setdefault((x, y), []).append(feature.polygons)
        for polygons in tiles.values():
            valid = shapely.make_valid(np.array(polygons, dtype=object))
            whole = shapely.union_all(valid)
            # Closed up by half a step on either side, no gap is left inside.
            closed = whole.buffer(0.51, join_style="mitre").buffer(-0.51, join_style="mitre")
            gaps = sum(
                len(p.interiors) for p in shapely.get_parts(closed) if p.geom_type == "Polygon"
            )
            assert gaps == 0
            one, other = shapely.STRtree(valid).query(valid, predicate="intersects")
            pairs = one < other
            both = shapely.intersection(valid[one[pairs]], valid[other[pairs]])
            assert shapely.is_empty(shapely.buffer(both, -0.51)).all()


def test_each_zoom_shows_what_a_pixel_can():
    circle = Point(LEFT, TOP).buffer(40_000, quad_segs=400)
    found = made([circle], finest=10)
    rings = {z: [f for *_, f in found.features("land", z)] for z in range(11)}
    counts = [sum(len(r) for f in rings[z] for r in f.rings) for z in range(3, 9)]
    assert counts == sorted(counts)
    assert counts[0] < 30 < counts[-1]
    back = merged(found, 8)
    # Equal-area areas do not change with zoom by more than the edge of half a pixel.
    assert abs(back.area / circle.area - 1) < circle.length * pixel_m(8, 40) / circle.area


def merged(found, zoom):
    """All polygons of a zoom as one in ALBERS."""
    world = 2 * np.pi * 6_378_137.0
    parts = []
    for x, y, f in found.features("land", zoom):
        inside = shapely.make_valid(f.polygons).intersection(box(0, 0, 4096, 4096))
        parts.append(
            shapely.transform(
                inside,
                lambda xy, x=x, y=y: (
                    (np.array([x, y]) + xy / 4096) / 2**zoom * [world, -world]
                    + [-world / 2, world / 2]
                ),
            )
        )
    return projected(frame([shapely.union_all(parts)], CRS.from_epsg(3857)), ALBERS).geometry[0]


def test_outlines_lie_where_they_are():
    shape = box(LEFT, TOP, LEFT + 300_000, TOP + 50_000)
    back = merged(made([shape], finest=8), 8)
    # A long straight edge of the grid is no straight edge of the map.
    assert shapely.hausdorff_distance(back, shapely.segmentize(shape, 5000)) < 1.5 * pixel_m(8, 40)


def test_tiny_parcels_keep_the_area_of_their_kind():
    side = 400.0
    shapes = [
        box(LEFT + i * side, TOP + j * side, LEFT + (i + 1) * side, TOP + (j + 1) * side)
        for i in range(60)
        for j in range(60)
    ]
    kinds = ["blm" if (i + j) % 3 else "other" for i in range(60) for j in range(60)]
    found = made(shapes, coverage=True, finest=7, agency=kinds, drawn={"agency"})
    for zoom in (4, 5, 6, 7):
        scale = pixel_m(zoom, 42.0) ** 2
        for kind, share in (("blm", 2 / 3), ("other", 1 / 3)):
            drawn = sum(
                f.polygons.area * STEP_PX**2 * scale
                for *_, f in found.features("land", zoom)
                if f.props["agency"] == kind
            )
            wanted = share * 3600 * side**2
            assert abs(drawn - wanted) < 0.12 * wanted + 16 * scale


def test_every_kind_of_geometry_and_none_of_them():
    bow = Polygon([(0, 0), (20_000, 20_000), (20_000, 0), (0, 20_000)])
    here = shapely.transform(bow, lambda xy: np.add(xy, [LEFT, TOP]))
    line = LineString([(LEFT, TOP), (LEFT + 50_000, TOP + 9000)])
    shapes = [
        here, None, Polygon(), line, Point(LEFT, TOP), GeometryCollection([Point(LEFT, TOP), line]),
        MultiPolygon([box(LEFT, TOP, LEFT + 9000, TOP + 9000)]), Point(np.inf, 0),
        Polygon([(LEFT, TOP, 5), (LEFT + 9000, TOP, 5), (LEFT, TOP + 9000, 5)]),
    ]  # fmt: skip
    found = made(shapes, n=range(9))
    kinds = {}
    for *_, f in found.features("land", 9):
        kinds.setdefault(f.id, set()).add(f.kind)
        assert f.props["n"] == f.id
    assert kinds == {0: {3}, 3: {2}, 4: {1}, 5: {1, 2}, 6: {3}, 8: {3}}


def test_no_features_make_no_tiles():
    for none in (made([], agency=[]), made([None, Polygon()])):
        assert [none.tile(*place) for place in none.raw] == [{}]
    pyramid = Pyramid(Tiles("toy", {"land": frame([])}))
    assert (pyramid.layers, pyramid.made()) == ([], None)


def test_land_over_the_antimeridian_is_on_both_sides_and_nowhere_between():
    islands = [(-179.4, 51.4), (179.2, 51.6)]
    west, east = (
        projected(frame([Point(*p)], CRS.from_epsg(4326)), ALASKA).geometry[0] for p in islands
    )
    over = LineString([west, east]).buffer(8000)
    found = made([over], crs=ALASKA, finest=8)
    columns = {x for x, *_ in found.features("land", 8)}
    assert columns == {0, 255}
    assert all(0 <= x < 2**z and 0 <= y < 2**z for z, x, y in found.raw)


def test_the_same_features_give_the_same_bytes():
    _, shapes = cells(3, 20)
    tiles = Tiles("toy", {"land": frame(shapes, a=["x"] * len(shapes))}, frozenset({"land"}), 7)
    assert archive(tiles) == archive(tiles)


HOSTILE = '</script><img src=x onerror="alert(1)">\n{{ 7*7 }}'


def test_attributes_that_decide_nothing_stand_once_beside_the_tiles():
    shapes = [box(LEFT, TOP, LEFT + 500_000, TOP + 500_000), Point(LEFT, TOP)]
    held = frame(shapes, agency=["BLM", "X"], words=[HOSTILE, None], n=[1, 2], s=[0.5, np.nan])
    pyramid = Pyramid(Tiles("toy", {"land": held}, finest=5), drawn={"agency"})
    while (level := pyramid.made()) is not None:
        pyramid.take(level)
    found = archive_of(pyramid.archive)
    for zoom in range(3):
        assert [f.props for *_, f in found.features("land", zoom)] == [
            {"agency": "BLM"}, {"agency": "X"},
        ]  # fmt: skip
    beside = found.metadata["beside"]["land"]
    assert beside == {"words": [HOSTILE, None], "n": [1, 2], "s": [0.5, None]}
    assert pyramid.simplified_m == pytest.approx(0.5 * pixel_m(5, 42), rel=0.1)
    whole = made(shapes, agency=["BLM", "X"], words=[HOSTILE, None], finest=3)
    assert next(whole.features("land", 3))[2].props["words"] == HOSTILE
    assert whole.metadata["beside"] == {"land": {}}


def test_several_layers_share_an_archive():
    tiles = Tiles("toy", {
        "land": frame([box(LEFT, TOP, LEFT + 500_000, TOP + 500_000)]),
        "dots": frame([Point(LEFT, TOP)]), "none": frame([]),
    }, finest=4)  # fmt: skip
    found = archive_of(archive(tiles))
    assert [v["id"] for v in found.metadata["vector_layers"]] == ["land", "dots"]
    for zoom in range(5):
        assert {name for z, x, y in found.raw if z == zoom for name in found.tile(z, x, y)} == {
            "land", "dots",
        }  # fmt: skip


def test_points_are_thinned_but_at_the_finest_zoom():
    random = np.random.default_rng(1)
    shapes = shapely.points(np.add(random.uniform(0, 4000, (300, 2)), [LEFT, TOP]))
    found = made(shapes, finest=8)
    counts = [len({f.id for *_, f in found.features("land", z)}) for z in range(9)]
    assert counts[0] == 1
    assert counts[-1] == 300
    assert counts == sorted(counts)


def test_gdal_reads_what_we_write(tmp_path):
    _, shapes = cells(11, 20)
    held = frame(shapes, agency=["BLM"] * len(shapes))
    path = tmp_path / "toy.pmtiles"
    path.write_bytes(archive(Tiles("toy", {"land": held}, frozenset({"land"}), 6)))
    read = pyogrio.read_dataframe(path, layer="land", ZOOM_LEVEL=6)
    assert set(read["agency"]) == {"BLM"}
    assert set(read["mvt_id"]) == {*range(len(held))}
    assert read.to_crs(ALBERS).area.sum() == pytest.approx(held.area.sum(), rel=0.02)


def test_a_zoom_lacks_what_no_entry_draws_there_and_the_finest_kept_has_all():
    towns = gpd.GeoDataFrame(
        {"size": ["city", "town", "place"]},
        geometry=shapely.points(
            [[-1_700_000, 2_000_000], [-1_640_000, 2_060_000], [-1_600_000, 2e6]]
        ),
        crs=CRS.from_epsg(5070),
    )
    seen = {
        "towns": [(("size", ("city",)), 2), (("size", ("town",)), 4), (("size", ("place",)), 9)]
    }

    def sizes(pyramid, zoom):
        found = archive_of(pyramid.archive).features("towns", zoom)
        return {feature.props["size"] for *_, feature in found}

    pyramid = Pyramid(Tiles("base", {"towns": towns}), drawn={"size"}, seen=seen)
    for _ in range(6):
        pyramid.take(pyramid.made())
    assert [sizes(pyramid, z) for z in (0, 1, 3, 5)] == [
        set(), {"city"}, {"city", "town"}, {"city", "town"},
    ]  # fmt: skip
    pyramid.end()
    assert sizes(pyramid, 5) == {"city", "town", "place"}
    pyramid.drop()
    assert pyramid.zoom == 5
    assert sizes(pyramid, 4) == {"city", "town", "place"}
    assert sizes(pyramid, 3) == {"city", "town"}
