"""The land register on drawn worlds: one character is one square kilometre, 100 ha."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pyproj import CRS

from geosite.catalog import open_catalog
from geosite.crs import projected
from geosite.errors import CoverageError, CRSMismatchError, LayerDataError
from geosite.model.scenario import Land
from geosite.parcels import ESTATE, PRECEDENCE, land_register
from geosite.parcels.overlay import SNAP
from geosite.sources import read_features

ALBERS = CRS(5070)
KM = 1000.0
EVERYWHERE = shapely.box(-50 * KM, -50 * KM, 50 * KM, 50 * KM)


def drawn(picture: str, letter: str) -> shapely.MultiPolygon:
    """The squares of one letter, unmerged; the top-left corner is (0, 0)."""
    rows = picture.split()
    return shapely.MultiPolygon(
        [
            shapely.box(c * KM, -(r + 1) * KM, (c + 1) * KM, -r * KM)
            for r, row in enumerate(rows)
            for c, found in enumerate(row)
            if found == letter
        ]
    )


def squares(picture: str, letter: str) -> list[shapely.Polygon]:
    """The same squares, each by itself."""
    return list(drawn(picture, letter).geoms)


def layer(
    owner: str, *features: tuple[str | None, shapely.Geometry], **more: str
) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"owner": owner, "name": [n for n, _ in features], **more},
        geometry=[g for _, g in features],
        crs=ALBERS,
    )


def points(**at: tuple[float, float]) -> gpd.GeoDataFrame:
    """Named points, in kilometres."""
    shapes = [shapely.Point(x * KM, y * KM) for x, y in at.values()]
    return gpd.GeoDataFrame({"name": list(at)}, geometry=shapes, crs=ALBERS)


def asked(*, offered: tuple[str, ...] = ("DOD", "USFS", "BLM"), **more: object) -> Land:
    return Land(layers=("land/one", "land/two"), offered=offered, **more)


def register(*lands: gpd.GeoDataFrame, land: Land | None = None, **more: object):
    known = {"aoi": EVERYWHERE, "confirmations": {}, "counties": None, "states": None}
    return land_register(list(lands), land or asked(), **{**known, "places": None, **more})


def table(found, *columns: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in found.parcels[list(columns)].itertuples(index=False)]


# ── parts become parcels ──────────────────────────────────────────────────────────────────────


def test_a_multipolygon_is_exploded_and_adjacent_parts_of_a_unit_are_merged():
    picture = """
        FF..F
        .F..F
    """
    first, *rest = squares(picture, "F")
    two_parts = shapely.MultiPolygon([first, rest.pop()])
    forest = [("Toy Forest", shape) for shape in (two_parts, *rest)]
    found = register(layer("USFS", *forest))
    assert table(found, "name", "area_ha", "parts_merged") == [
        ("Toy Forest", 300, 3),
        ("Toy Forest", 200, 2),
    ]
    assert found.counts["features"] == 4
    assert found.counts["parts"] == 5
    assert found.counts["merged"] == 3


def test_parts_of_a_unit_merge_whatever_the_case_of_its_name_and_the_layer_they_are_in():
    west, east = layer("USFS", ("Toy Forest", drawn("F.", "F"))), drawn(".F", "F")
    found = register(west, layer("USFS", ("TOY  forest", east)))
    assert table(found, "area_ha", "parts_merged") == [(200, 2)]


def test_neighbours_of_other_units_or_owners_stay_apart():
    found = register(
        layer("USFS", ("A", drawn("A..", "A")), ("B", drawn(".B.", "B"))),
        layer("BLM", ("A", drawn("..C", "C"))),
    )
    assert table(found, "agency", "name") == [("USFS", "A"), ("USFS", "B"), ("BLM", "A")]


def test_a_unit_of_many_names_is_called_by_its_unit():
    parts = layer("DOD", ("North gate", drawn("D.", "D")), ("South gate", drawn(".D", "D")))
    found = register(parts.assign(unit="Fort Toy"))
    assert table(found, "name", "unit") == [("Fort Toy", "Fort Toy")]


CORNERS = """
    B.
    .B
"""


def test_parts_of_a_named_unit_that_meet_at_a_corner_are_one_parcel():
    found = register(layer("USFS", ("Corner Forest", drawn(CORNERS, "B"))))
    assert found.parcels.geom_type.tolist() == ["MultiPolygon"]
    assert found.parcels.is_valid.all()


def test_nameless_parts_that_meet_at_a_corner_are_two_parcels():
    found = register(layer("BLM", (None, drawn(CORNERS, "B"))))
    assert found.parcels.geom_type.tolist() == ["Polygon", "Polygon"]


def test_ids_go_by_precedence_then_north_to_south_then_west_to_east():
    picture = """
        B.B
        ...
        N.B
    """
    blm, nps = layer("BLM", (None, drawn(picture, "B"))), layer("NPS", ("N", drawn(picture, "N")))
    found = register(blm, nps)
    anchors = [(p.x / KM, p.y / KM) for p in found.parcels.representative_point()]
    assert anchors == [(0.5, -2.5), (0.5, -0.5), (2.5, -0.5), (2.5, -2.5)]
    assert found.parcels["parcel_id"].tolist() == [1, 2, 3, 4]
    assert found.parcels["parcel_id"].dtype == np.int32


# ── overlaps ──────────────────────────────────────────────────────────────────────────────────


def test_an_overlap_goes_to_the_protected_owner_and_both_parcels_say_so():
    #   B B B
    #     T T T     the two squares in the middle are claimed twice
    found = register(
        layer("BLM", ("B", drawn("BBB.", "B"))), layer("TRIBAL", ("T", drawn(".TTT", "T")))
    )
    assert table(found, "agency", "area_ha", "ownership_conflict") == [
        ("TRIBAL", 300, "BLM also claims 200.0 ha"),
        ("BLM", 100, "200.0 ha went to TRIBAL"),
    ]
    assert found.counts["conflicts"] == 1


def test_every_claimant_is_told_from_the_land_that_has_it():
    square = drawn("X", "X")
    lands = [layer(owner, (owner, square)) for owner in ("BLM", "DOD", "NPS")]
    found = register(*lands, land=asked(offered=("NPS",)))
    assert table(found, "agency", "ownership_conflict") == [
        ("NPS", "DOD also claims 100.0 ha; BLM also claims 100.0 ha")
    ]


def test_the_conflict_is_on_the_remaining_parcel_beside_the_lost_land():
    #   B N B B      the park splits the BLM land; the larger half adjoins it and says so
    found = register(
        layer("BLM", (None, drawn("BBBB", "B"))), layer("NPS", ("N", drawn(".N..", "N")))
    )
    assert table(found, "area_ha", "ownership_conflict") == [
        (100, "BLM also claims 100.0 ha"),
        (100, ""),
        (200, "100.0 ha went to NPS"),
    ]


def test_neighbours_are_no_conflict():
    found = register(layer("BLM", ("B", drawn("B.", "B"))), layer("NPS", ("N", drawn(".N", "N"))))
    assert found.parcels["ownership_conflict"].tolist() == ["", ""]


def test_an_enclave_of_the_same_owner_is_not_lost_in_the_unit_round_it():
    big, small = shapely.box(0, 0, 5 * KM, 5 * KM), shapely.box(KM, KM, 2 * KM, 2 * KM)
    found = register(layer("DOD", ("Aardvark Range", big), ("Zulu Depot", small)))
    assert dict(table(found, "name", "area_ha")) == {"Aardvark Range": 2400, "Zulu Depot": 100}
    assert found.counts["overlaps_within_owner"] == 1
    assert found.counts["conflicts"] == 0


# ── the area of interest, slivers ─────────────────────────────────────────────────────────────


def test_land_is_cut_at_the_aoi_and_what_is_left_of_a_corner_is_a_sliver():
    aoi = shapely.box(0, -1005, 2 * KM, 0)  # five metres into the second row: 0.5 ha a square
    picture = """
        BB.
        .A.
    """
    found = register(
        layer("BLM", ("B", drawn(picture, "B"))), layer("DOD", ("A", drawn(picture, "A"))), aoi=aoi
    )
    assert table(found, "name", "area_ha") == [("B", 200)]
    sliver = found.slivers.iloc[0]
    assert (sliver["name"], round(sliver["area_ha"], 6)) == ("A", 0.5)
    assert (sliver["status"], sliver["status_source"]) == ("not offered", "sliver: less than 1 ha")
    assert found.counts["slivers"] == 1


def test_a_part_wholly_outside_the_aoi_is_not_counted_as_merged():
    aoi = shapely.box(0, -KM, 1.5 * KM, 0)
    found = register(layer("BLM", *[("B", s) for s in squares("BBB", "B")]), aoi=aoi)
    assert table(found, "area_ha", "parts_merged") == [(150, 2)]


def test_no_land_of_an_offered_owner_is_an_error_that_says_what_was_asked():
    with pytest.raises(CoverageError, match=r"no land of BLM .*land/one, land/two .* NPS"):
        register(layer("NPS", ("N", drawn("N", "N"))), land=asked(offered=("BLM",)))


@pytest.mark.parametrize(
    "aoi", [shapely.box(9 * KM, 0, 10 * KM, KM), shapely.box(KM, -KM, 2 * KM, 0)]
)
def test_an_aoi_beside_all_land_is_an_error(aoi):
    with pytest.raises(CoverageError, match="no owner"):
        register(layer("BLM", ("B", drawn("B", "B"))), aoi=aoi)


def test_no_layers_at_all_is_an_error():
    with pytest.raises(CoverageError, match="no owner"):
        register()


# ── status ────────────────────────────────────────────────────────────────────────────────────

CONFIRM = ({"agency": "DOD", "layer": "land/sites", "within": "3 km"},)


def test_defense_land_is_available_only_near_a_confirming_point():
    dod = layer("DOD", ("Fort Near", drawn("D", "D")), ("Fort Far", drawn("." * 20 + "D", "D")))
    found = register(
        dod, land=asked(confirm=CONFIRM), confirmations={"DOD": points(Gate=(3.0, -0.5))}
    )
    assert table(found, "name", "status", "status_source") == [
        ("Fort Near", "available", "confirmed by Gate of land/sites, 2.0 km"),
        ("Fort Far", "unconfirmed", "no confirming point of land/sites within 3 km"),
    ]
    assert found.counts["unconfirmed"] == 1


@pytest.mark.parametrize("confirmations", [{}, {"DOD": points()}])
def test_without_any_confirming_point_nothing_is_confirmed(confirmations):
    found = register(
        layer("DOD", ("Fort", drawn("D", "D"))),
        land=asked(confirm=CONFIRM),
        confirmations=confirmations,
    )
    assert table(found, "status") == [("unconfirmed",)]


def test_a_point_confirms_the_installation_as_drawn_not_what_is_left_of_it():
    # The point lies in the corner that the reservation takes and the AOI cuts off.
    fort, reservation = drawn("DDDDDDDDD", "D"), drawn("TTTTT", "T")
    found = register(
        layer("DOD", ("Fort", shapely.union_all(fort))),
        layer("TRIBAL", ("T", reservation)),
        land=asked(confirm=CONFIRM),
        aoi=shapely.box(2 * KM, -KM, 9 * KM, 0),
        confirmations={"DOD": points(Gate=(0.5, -0.5))},
    )
    assert table(found, "agency", "status") == [("TRIBAL", "not offered"), ("DOD", "available")]


def test_an_owner_who_is_not_asked_is_in_the_register_and_not_offered():
    found = register(layer("NPS", ("N", drawn("N", "N"))), layer("BLM", ("B", drawn(".B", "B"))))
    assert table(found, "agency", "status") == [("NPS", "not offered"), ("BLM", "available")]


# ── names and places ──────────────────────────────────────────────────────────────────────────


def areas(**shapes: shapely.Geometry) -> gpd.GeoDataFrame:
    fips = [f"{k:05}" for k in range(len(shapes))]
    frame = {"name": list(shapes), "fips": fips}
    return gpd.GeoDataFrame(frame, geometry=list(shapes.values()), crs=ALBERS)


@pytest.mark.parametrize(
    ("known", "name"),
    [
        ({"places", "counties", "states"}, "BLM land near Tonopah, Nye County"),
        ({"places", "states"}, "BLM land near Tonopah, Nevada"),
        ({"places"}, "BLM land near Tonopah"),
        ({"counties", "states"}, "BLM land in Nye County, Nevada"),
        ({"states"}, "BLM land in Nevada"),
        (set(), "BLM land"),
    ],
)
def test_a_nameless_parcel_is_named_by_what_is_known_of_its_place(known, name):
    half = shapely.box(0, -9 * KM, 9 * KM, 0)
    where = {
        "places": points(Tonopah=(2, -2), Elko=(30, 30)),
        "counties": areas(Elko=shapely.box(20 * KM, 0, 30 * KM, 9 * KM), Nye=half),
        "states": areas(Nevada=half),
    }
    found = register(
        layer("BLM", (None, drawn("B", "B"))),
        **{k: v if k in known else None for k, v in where.items()},
    )
    assert table(found, "name") == [(name,)]


def test_county_state_and_fips_are_those_of_the_polygon_round_the_parcel():
    west, east = shapely.box(0, -KM, 2 * KM, 0), shapely.box(2 * KM, -KM, 4 * KM, 0)
    found = register(
        layer("BLM", ("B", drawn(".B", "B"))), layer("BLM", ("C", drawn("...C", "C"))),
        counties=areas(Nye=west, Orleans_Parish=east), states=areas(Nevada=west, Utah=east),
    )  # fmt: skip
    assert table(found, "name", "state", "county", "county_fips") == [
        ("B", "Nevada", "Nye", "00000"),
        ("C", "Utah", "Orleans_Parish", "00001"),
    ]


def test_land_far_from_every_county_has_none():
    found = register(
        layer("BLM", ("B", drawn("B", "B"))), counties=areas(Nye=shapely.box(30e3, 0, 31e3, 1e3))
    )
    assert table(found, "county", "county_fips") == [("", "")]


# ── estate ────────────────────────────────────────────────────────────────────────────────────


def test_the_estate_is_unknown_until_a_layer_says_so():
    found = register(
        layer("BLM", ("A", drawn("A", "A")), mineral_estate="federal"),
        layer("TRIBAL", ("T", drawn("..T", "T"))),
    )
    tribal, blm = (row for _, row in found.parcels.iterrows())
    assert (tribal["surface_estate"], blm["surface_estate"]) == ("tribal", "BLM")
    assert blm["mineral_estate"] == "federal"
    assert {tribal[c] for c in ESTATE} == {blm[c] for c in ESTATE[1:]} == {"unknown"}


def test_a_parcel_of_parts_that_differ_says_all_that_they_say():
    found = register(
        layer("BLM", ("A", drawn("A.", "A")), disposal="locatable"),
        layer("BLM", ("A", drawn(".A", "A")), disposal="leasable"),
    )
    assert table(found, "disposal") == [("leasable; locatable",)]


# ── what it is given ──────────────────────────────────────────────────────────────────────────


def test_layers_of_two_crs_are_refused():
    with pytest.raises(CRSMismatchError, match="project them all to the grid's CRS"):
        register(
            layer("BLM", ("B", drawn("B", "B"))), states=areas().set_crs(3857, allow_override=True)
        )


def test_every_land_frame_without_a_known_owner_is_named():
    square = ("B", drawn("B", "B"))
    with pytest.raises(
        LayerDataError, match=r"frame 0: .*no column owner(.|\n)*frame 1: owner Army"
    ):
        register(layer("BLM", square).drop(columns="owner"), layer("Army", square))


def test_shapes_that_are_no_land_are_counted_and_a_bow_tie_is_repaired():
    bow_tie = shapely.Polygon([(0, 0), (2 * KM, 2 * KM), (2 * KM, 0), (0, 2 * KM)])
    line = shapely.LineString([(0, 0), (KM, KM)])
    frame = layer("BLM", ("B", bow_tie), ("L", line), ("none", None), ("empty", shapely.Polygon()))
    found = register(frame)
    assert table(found, "name", "area_ha") == [("B", 200)]
    assert (found.counts["repaired"], found.counts["without_polygon"]) == (1, 3)


# ── laws ──────────────────────────────────────────────────────────────────────────────────────


@st.composite
def triangles(draw) -> shapely.Polygon:
    """Triangles of some size, with corners anywhere."""
    at = st.tuples(st.integers(0, 9_000), st.integers(0, 9_000))
    corners = draw(st.lists(at, min_size=3, max_size=3, unique=True))
    return shapely.convex_hull(
        shapely.union(
            shapely.Polygon(corners),
            shapely.box(*corners[0], corners[0][0] + 500, corners[0][1] + 500),
        )
    )


features = st.tuples(
    st.sampled_from(("TRIBAL", "NPS", "DOD", "USFS", "BLM")),
    st.sampled_from(("", "one", "two")),
    st.one_of(
        triangles(),
        st.tuples(*[st.integers(0, 8)] * 2, *[st.integers(1, 6)] * 2).map(
            lambda b: shapely.box(b[0] * KM, b[1] * KM, (b[0] + b[2]) * KM, (b[1] + b[3]) * KM)
        ),
    ),
)
worlds = st.lists(features, min_size=1, max_size=9)
ALL = asked(offered=PRECEDENCE)


def frames(world) -> list[gpd.GeoDataFrame]:
    return [layer(owner, (name, shape)) for owner, name, shape in world]


def everything(found) -> gpd.GeoDataFrame:
    return pd.concat([found.parcels, found.slivers])


def rounding(world) -> float:
    """What snapping the vertices may change [m²]: a strip along every border."""
    return 1.0 + SNAP * sum(shapely.length(shape) for *_, shape in world)


@given(worlds)
def test_no_land_in_the_aoi_is_lost_and_none_is_in_two_parcels(world):
    aoi = shapely.box(-KM, -KM, 6.5 * KM, 20 * KM)
    whole = shapely.intersection(shapely.union_all([shape for *_, shape in world]), aoi)
    assume(whole.area > 1e6)
    found = register(*frames(world), land=ALL, aoi=aoi)
    shapes = everything(found).geometry.to_numpy()
    assert shapely.area(shapes).sum() == pytest.approx(whole.area, abs=rounding(world))
    a, b = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    assert shapely.area(shapely.intersection(shapes[a[a < b]], shapes[b[a < b]])).sum() < 1.0
    assert found.parcels.is_valid.all()


@settings(max_examples=20)
@given(worlds, st.randoms(use_true_random=False))
def test_the_order_of_layers_means_nothing(world, random):
    shuffled = random.sample(world, len(world))
    one, other = (register(*frames(w), land=ALL) for w in (world, shuffled))
    pd.testing.assert_frame_equal(one.parcels.to_wkb(), other.parcels.to_wkb())
    pd.testing.assert_frame_equal(one.slivers.to_wkb(), other.slivers.to_wkb())
    assert one.counts == other.counts


@given(worlds)
def test_each_owner_has_all_that_no_more_protected_owner_claims(world):
    rows = everything(register(*frames(world), land=ALL))
    taken = shapely.Polygon()
    for owner in PRECEDENCE:
        claimed = shapely.union_all([shape for who, _, shape in world if who == owner])
        has = rows.geometry[rows["agency"] == owner].area.sum()
        assert has == pytest.approx(shapely.difference(claimed, taken).area, abs=rounding(world))
        taken = shapely.union(taken, claimed)


# ── the real West ─────────────────────────────────────────────────────────────────────────────

LAND_LAYERS = tuple(f"land/{a}" for a in ("tribal", "nps", "fws", "dod", "doe", "usfs", "blm"))


@pytest.fixture(scope="module")
def conterminous(root, snapshot):
    """The register of the conterminous states from the snapshot."""
    catalog = open_catalog(root / "tests" / "snapshot" / "layers")

    def read(id_: str) -> gpd.GeoDataFrame:
        return projected(read_features(catalog[id_], catalog, snapshot).frame, ALBERS)

    states, active = read("aoi/states"), read("land/dod_active_sites")
    inside = states[~states["code"].isin(["AK", "HI", "PR"])]
    confirm = ({"agency": "DOD", "layer": "land/dod_active_sites", "within": "3 km"},)
    return land_register(
        [read(id_) for id_ in LAND_LAYERS],
        Land(layers=LAND_LAYERS, offered=("DOD", "USFS", "BLM"), confirm=confirm),
        aoi=shapely.union_all(inside.geometry.to_numpy()),
        confirmations={"DOD": active[active["status"] == "active"]},
        counties=read("aoi/counties"),
        states=states,
        places=read("infrastructure/towns"),
    )


@pytest.mark.snapshot
@pytest.mark.parametrize(
    ("owner", "square_km"), [("NPS", 603), ("FWS", 2145), ("TRIBAL", 31), ("USFS", 778)]
)
def test_the_known_conflicts_of_defense_land_are_all_told(conterminous, owner, square_km):
    rows = everything(conterminous)
    said = rows.loc[rows["agency"] == ("DOD" if owner == "USFS" else owner), "ownership_conflict"]
    other = "USFS" if owner == "USFS" else "DOD"
    hectares = said.str.extract(rf"\b{other} also claims ([\d,.]+) ha")[0].dropna()
    assert hectares.str.replace(",", "").astype(float).sum() / 100 == pytest.approx(
        square_km, abs=1
    )


@pytest.mark.snapshot
def test_the_real_register_is_disjoint_named_and_in_a_state(conterminous):
    parcels = conterminous.parcels
    shapes = parcels.geometry.to_numpy()
    a, b = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    assert shapely.area(shapely.intersection(shapes[a[a < b]], shapes[b[a < b]])).sum() < 1.0
    assert (parcels["name"] != "").all()
    assert (parcels["state"] != "").all()
    assert parcels.set_index("name")["agency"]["Idaho National Laboratory"] == "DOE"
    unconfirmed = parcels[parcels["status"] == "unconfirmed"]
    assert set(unconfirmed["agency"]) == {"DOD"}
    assert 90 < len(unconfirmed) < 150
