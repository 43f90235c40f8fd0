"""What a fetch wants: layers, a box with room around the AOI, and sources that suit its size."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import pytest
import shapely

from geosite import catalog
from geosite.errors import CatalogError, MissingLayerError
from geosite.sources.holdings import Holdings
from geosite.wants import (
    Order,
    Stock,
    Wanted,
    area_ha,
    asks,
    joined,
    needs_states,
    open_scenarios,
    wanted,
)
from tests.worlds import write_yaml

FAR = {"kind": "arcgis", "url": "https://a.example.gov/FeatureServer", "layer": "x"}
FILE = {"kind": "download", "url": "https://b.example.gov/x.zip"}
BY_STATE = {"kind": "download", "url": "https://c.example.gov/{ST}_{FIPS}.zip"}


@pytest.fixture
def stock(hamlet):
    layers = catalog.open_catalog(hamlet.layers)
    return Stock(layers, catalog.open_rulebook(), hamlet.data, Holdings(hamlet.root / "fetched"))


def again(hamlet, stock):
    return replace(stock, catalog=catalog.open_catalog(hamlet.layers))


def scenario(hamlet):
    return catalog.open_scenario(str(hamlet.scenario))


def test_a_word_stands_for_a_preset_a_file_or_all_presets_below_it(hamlet):
    assert [s.name for s in open_scenarios("mine/open-pit")] == ["mine/open-pit"]
    assert "mine/open-pit" in [s.name for s in open_scenarios("mine")]
    assert open_scenarios("mine/") == open_scenarios("mine")
    assert [s.name for s in open_scenarios(str(hamlet.scenario))] == ["hamlet"]
    with pytest.raises(CatalogError, match="presets are"):
        open_scenarios("mi")


def test_a_scenario_wants_its_layers_with_room_around_its_aoi(hamlet, stock):
    found = wanted(Order((scenario(hamlet),)), stock)
    assert {"land/blm", "aoi/states", "terrain/elevation"} <= {la.id for la in found.layers}
    west, south, east, north = found.box
    outline = gpd.read_file(hamlet.data / "states.gpkg").to_crs(4326)
    inner = outline.total_bounds
    assert west < inner[0] - 0.05
    assert east > inner[2] + 0.05
    assert south < inner[1] - 0.05
    assert north > inner[3] + 0.05
    assert found.box_of(stock.catalog["land/blm"]) == found.box
    assert found.box_of(stock.catalog["aoi/states"]) is None


def test_layers_alone_are_wanted_whole_or_in_an_area(stock):
    assert wanted(Order(layers=("land/blm",)), stock).box is None
    box = "-118.0,38.0,-117.0,39.0"
    assert wanted(Order(aoi=box, layers=("land/blm",)), stock).box == (-118, 38, -117, 39)
    every = wanted(Order(every=True), stock)
    assert [layer.id for layer in every.layers] == sorted(stock.catalog)


def test_a_union_is_wanted_by_its_parts(hamlet, stock):
    write_yaml(
        hamlet.layers / "land/both.yaml",
        {
            "title": "Both", "agency": "nobody", "purpose": "tests", "geometry": "polygon",
            "union_of": ["land/blm", "land/dod"], "absence": "informative", "vintage": "2026",
            "status": "synthetic", "licence": "CC0-1.0", "citation": "made up",
        },
    )  # fmt: skip
    found = wanted(Order(layers=("land/both",)), again(hamlet, stock))
    assert [layer.id for layer in found.layers] == ["land/blm", "land/dod"]


def test_an_area_with_a_name_needs_the_states(hamlet, stock):
    assert needs_states(Order(aoi="Toyland", layers=("land/blm",)), stock)
    assert not needs_states(Order(aoi="-118,38,-117,39", layers=("land/blm",)), stock)
    (hamlet.data / "states.gpkg").unlink()
    with pytest.raises(MissingLayerError, match="aoi/states"):
        wanted(Order(aoi="Toyland", layers=("land/blm",)), stock)


def test_files_by_state_come_with_the_states_that_meet_the_box(hamlet, stock):
    hamlet.declare("land/blm", sources=[BY_STATE])
    hamlet.declare("aoi/states", fields={"name": {}, "code": {}, "fips": {"constant": "99"}})
    stock = again(hamlet, stock)
    order = Order(aoi="-119,37,-115,40", layers=("land/blm",))
    assert needs_states(order, stock)
    whole = Order(layers=("land/blm",))
    assert needs_states(whole, stock)
    assert [s.code for s in wanted(whole, stock).states] == ["TL"]
    (ask,) = asks(stock.catalog["land/blm"], wanted(order, stock))
    assert [(s.code, s.fips) for s in ask.states] == [("TL", "99")]
    far = Order(aoi="-80,30,-79,31", layers=("land/blm",))
    assert wanted(far, stock).states == ()


def test_a_source_for_small_areas_is_left_out_unless_there_is_no_other(hamlet, stock):
    small = {**FAR, "largest_aoi": "1000 km2"}
    hamlet.declare("land/blm", sources=[small, FILE])
    hamlet.declare("land/dod", sources=[small])
    layers = again(hamlet, stock).catalog

    def kinds(id_, box):
        return [a.source.kind for a in asks(layers[id_], Wanted((), box, ()))]

    assert kinds("land/blm", (-117.1, 39, -117, 39.1)) == ["arcgis", "download"]
    assert kinds("land/blm", (-120, 36, -114, 42)) == ["download"]
    assert kinds("land/blm", None) == ["download"]
    assert kinds("land/dod", None) == ["arcgis"]


@pytest.mark.parametrize(
    ("boxes", "around"),
    [
        ([(-120, 36, -114, 42)], (-120, 36, -114, 42)),
        ([(-120, 36, -114, 42), (-100, 30, -90, 35)], (-120, 30, -90, 42)),
        ([(172, 51, 180, 54), (-180, 51, -130, 71)], (172, 51, -130, 71)),
        ([(-179, 51, -130, 71), (170, 50, -170, 60)], (170, 50, -130, 71)),
        ([(-180, -10, 0, 10), (0, -10, 180, 10)], (-180, -10, 180, 10)),
    ],
)
def test_boxes_are_joined_the_short_way_round(boxes, around):
    assert joined(boxes) == around
    assert joined(boxes[::-1]) == around


def test_the_area_of_a_box_counts_across_the_antimeridian():
    assert area_ha((170, 50, -170, 60)) == pytest.approx(area_ha((-10, 50, 10, 60)))
    degree = area_ha((-117, 39, -116, 40))
    assert degree == pytest.approx(952_000, rel=0.01)


def test_an_area_on_both_sides_of_the_antimeridian_is_one_box(tmp_path, stock):
    parts = [shapely.box(172, 51, 180, 54), shapely.box(-180, 51, -130, 71)]
    path = tmp_path / "far.gpkg"
    gpd.GeoDataFrame(geometry=parts, crs=4326).to_file(path)
    assert wanted(Order(aoi=str(path), layers=("land/blm",)), stock).box == (172, 51, -130, 71)
