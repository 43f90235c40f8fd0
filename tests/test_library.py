from dataclasses import replace

import geopandas as gpd
import pytest
import shapely

from geosite.crs import WGS84
from geosite.errors import LayerDataError
from geosite.library import Library
from geosite.model.lock import Entry, Held
from tests.worlds import SOUTH, WEST, box, put_layer


def test_features_on_both_sides_of_the_antimeridian_are_near_alaska(hamlet):
    at = [(-150.0, 64.0), (179.0, 52.0), (-90.0, 40.0)]
    points = gpd.GeoDataFrame({"name": ["a", "b", "c"]}, geometry=shapely.points(at), crs=WGS84)
    points.to_file(hamlet.data / "towns.gpkg")
    source = [{"kind": "file", "path": "towns.gpkg"}]
    hamlet.declare(
        "infrastructure/towns",
        sources=source,
        fields={"name": {}, "population": {"constant": "1", "type": "integer"}},
    )
    hamlet.ask(grid={"crs": "EPSG:3338", "resolution": "3 km"}, rules=[])
    library = Library(hamlet.plan(aoi="-179,52,-140,70"))
    assert library.frame("infrastructure/towns")["name"].tolist() == ["a", "b"]


def test_a_layer_is_read_once_and_only_near_the_question(hamlet):
    library = Library(hamlet.plan())
    near = library.frame("land/blm")
    assert library.frame("land/blm") is near
    assert near.crs == hamlet.plan().grid.crs
    assert library.optional(None) is None
    assert library.optional("land/nowhere") is None


def test_a_layer_with_nothing_near_is_told(hamlet):
    library = Library(hamlet.plan())
    assert library.silent == []
    whole = library.whole("land/blm").frame
    library.frames["land/blm"] = whole[:0]
    assert library.silent == ["layer land/blm shows nothing in or near the AOI"]


def test_a_condition_that_cannot_be_applied_names_the_layer(hamlet):
    with pytest.raises(LayerDataError, match="land/blm"):
        Library(hamlet.plan()).frame("land/blm", "no_such_column = 1")


def test_features_far_from_the_question_are_read_where_they_are_asked_for(hamlet):
    far = shapely.box(WEST + 9e5, SOUTH, WEST + 9.1e5, SOUTH + 9)
    put_layer(hamlet, "x/far", [far, box(0, 0, 9, 9)], name=["far", "near"])
    library = Library(hamlet.plan())
    assert library.frame("x/far")["name"].tolist() == ["near"]
    assert library.around("x/far", None, far.bounds)["name"].tolist() == ["far"]
    assert library.around("x/far", "name = 'near'", far.bounds)["name"].tolist() == []
    assert library.frame("x/far")["name"].tolist() == ["near"]


def test_what_is_there_whole_has_no_box(hamlet):
    assert Library(hamlet.plan()).boxes("land/blm") == []


def test_what_was_fetched_in_part_has_the_box_of_its_part(hamlet):
    plan = hamlet.plan()
    entry = Entry.model_validate(
        {
            "layer": "land/blm", "asked": "a", "box": (-119, 39, -117, 41), "kind": "arcgis",
            "url": "http://localhost", "role": "primary", "retrieved": "2026-01-01T00:00:00Z",
            "count": 2, "size": 9, "sha256": "0" * 64, "ending": ".parquet",
        }
    )  # fmt: skip
    held = Held(hamlet.data / "blm.gpkg", entry)
    fetched = replace(plan, catalog=replace(plan.catalog, held={"land/blm": held}))
    # A file below the data root goes before what was fetched.
    assert Library(fetched).boxes("land/blm") == []
    (hamlet.data / "blm.gpkg").unlink()
    assert Library(fetched).boxes("land/blm") == [(-119, 39, -117, 41)]
