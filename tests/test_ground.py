"""What the evidence surface is worked out from, in the hamlet."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geosite.ground import coarse_grid, records, surveyed
from geosite.library import Library
from geosite.model.prospectivity import Prospectivity
from tests.worlds import (
    ALBERS,
    SCENARIO,
    SIDE,
    SOUTH,
    WEST,
    box,
    entry,
    lonlat,
    make_hamlet,
    put_layer,
    write_rows,
    write_yaml,
)

HEADER = "lon,lat,name,record_id,commodities,evidence_class,quality"


def asked(hamlet, *covariates, **more):
    surface = {"cell": "1 km", "covariates": list(covariates), **more}
    hamlet.ask(evidence=SCENARIO["evidence"] | {"surface": surface})
    planned = hamlet.plan()
    return Library(planned), planned.scenario.evidence.surface


@pytest.fixture
def hamlet(tmp_path):
    return make_hamlet(tmp_path / "hamlet")


def test_cells_lie_on_multiples_of_their_size_from_the_grids_origin(hamlet):
    library, spec = asked(hamlet)
    grid = coarse_grid(library.plan, spec)
    assert grid.resolution == 1000
    assert grid.shape == (12, 12)
    assert grid.bounds == (WEST, SOUTH, WEST + SIDE, SOUTH + SIDE)


def test_all_of_the_aoi_is_land_whosever_it_is_and_lakes_are_none(hamlet):
    library, spec = asked(hamlet)
    found = surveyed(library, spec)
    assert found.ground.land.all()
    assert not found.water
    put_layer(hamlet, "hydrography/lakes", [box(0, 0, 3000, 1000)], name=["Long Lake"])
    library, spec = asked(hamlet)
    found = surveyed(library, spec)
    assert found.water
    assert np.argwhere(~found.ground.land).tolist() == [[11, 0], [11, 1], [11, 2]]


def test_states_are_numbered_and_named(hamlet):
    frame = gpd.GeoDataFrame(
        {"name": ["Toyland", "Otherland"], "code": ["TL", "OL"]},
        geometry=[box(0, 0, 7000, SIDE), box(7000, 0, SIDE, SIDE)],
        crs=ALBERS,
    )
    frame.to_file(hamlet.data / "states.gpkg")
    hamlet.ask(aoi=",".join(map(str, (*lonlat(1000, 1000), *lonlat(11_000, 11_000)))))
    library, spec = Library(hamlet.plan()), Prospectivity()
    found = surveyed(library, spec)
    named = np.array(["", *found.states], object)[found.ground.state]
    assert set(named[found.ground.land]) == {"Toyland", "Otherland"}
    assert (named[:, -1] == "Otherland").any()


def test_a_raster_is_read_by_value_and_a_vector_layer_by_distance(hamlet):
    write_yaml(hamlet.layers / "minerals/magnetic.yaml", entry("terrain/elevation"))
    library, spec = asked(hamlet, "minerals/magnetic", "infrastructure/rail")
    found = surveyed(library, spec)
    heights, rail = (found.ground.covariates[i] for i in spec.covariates)
    # The hill stands in the middle of its raster.
    assert np.unravel_index(np.nanargmax(heights), heights.shape) in {
        (5, 5),
        (5, 6),
        (6, 5),
        (6, 6),
    }
    assert [f.path for f in found.files["minerals/magnetic"]] == ["dem.tif"]
    line = shapely.LineString([(WEST, SOUTH + 200), (WEST + SIDE, SOUTH + 5000)])
    x, y = found.ground.grid.centres()
    far = shapely.distance(line, shapely.points(*np.meshgrid(x, y)))
    assert (rail[far < 400] == 0).all()
    assert np.abs(rail - far).max() < 1500
    assert rail.max() <= library.plan.halo * library.plan.grid.resolution


def test_terrain_comes_from_the_first_elevation_that_is_to_be_had(hamlet):
    write_yaml(hamlet.layers / "terrain/elevation_coarse.yaml", entry("terrain/elevation"))
    names = ("terrain/elevation_gone", "terrain/elevation_coarse", "terrain/elevation")
    library, spec = asked(hamlet, *names)
    found = surveyed(library, spec)
    assert found.covariates == ("terrain/elevation_coarse",)
    assert [m.partition(":")[0] for m in found.missing] == ["terrain/elevation_gone"]
    relief = found.ground.covariates["position_20km"]
    assert np.unravel_index(relief.argmax(), relief.shape) in {(5, 5), (5, 6), (6, 5), (6, 6)}
    assert "terrain/elevation" not in found.ground.covariates


def test_a_distance_is_not_known_where_a_nearer_feature_may_hide(hamlet):
    lon, _ = lonlat(6000, 6000)
    _, south = lonlat(0, -3000)
    _, north = lonlat(0, 15_000)
    half = {"kind": "box", "west": -118, "south": south, "east": lon, "north": north}
    hamlet.declare("infrastructure/rail", coverage=half)
    library, spec = asked(hamlet, "infrastructure/rail")
    rail = surveyed(library, spec).ground.covariates["infrastructure/rail"]
    assert np.isnan(rail[0, -1])
    assert rail[-1, 0] == 0


def test_what_is_not_to_be_had_is_left_out_and_said(hamlet):
    hamlet.declare("terrain/elevation", sources=[{"kind": "file", "path": "gone.tif"}])
    hamlet.ask(criteria=SCENARIO["criteria"][:3])
    surface = {"covariates": ["terrain/elevation", "minerals/geology"]}
    hamlet.ask(
        criteria=SCENARIO["criteria"][:3], evidence=SCENARIO["evidence"] | {"surface": surface}
    )
    planned = hamlet.plan()
    found = surveyed(Library(planned), planned.scenario.evidence.surface)
    assert not found.ground.covariates
    assert [m.partition(":")[0] for m in found.missing] == ["terrain/elevation", "minerals/geology"]
    assert sum("evidence surface: worked out without" in n for n in planned.notes) == 3
    assert not planned.missing


def test_every_record_is_read_and_those_asked_for_are_marked(hamlet):
    rows = [
        (*lonlat(3000, 3000), "Pit", "1", "Copper; Gold", "resource", "A"),
        (*lonlat(4000, 3000), "Quarry", "2", "Marble", "occurrence", "D"),
        (*lonlat(5000, 3000), "Nameless", "3", "", "", ""),
    ]
    write_rows(hamlet.data / "usmin.csv", HEADER, rows)
    library, _ = asked(hamlet)
    found = records(library, library.plan.scenario.evidence).set_index("name")
    assert found["asked"].to_dict() == {"Pit": True, "Quarry": False, "Nameless": False}
    assert "copper" in found.loc["Pit", "commodities"]


@pytest.mark.parametrize(("width", "reached"), [("10 km", {"Near"}), ("40 km", {"Near", "Far"})])
def test_records_are_read_as_far_as_kernels_reach_whatever_the_rules_do(hamlet, width, reached):
    rows = [
        (*lonlat(x, 6000), name, "1", "Copper", "resource", "A")
        for name, x in (("Near", 11_000), ("Far", 100_000))
    ]
    write_rows(hamlet.data / "usmin.csv", HEADER, rows)
    library, _ = asked(hamlet, widths=[width])
    assert library.plan.halo * library.plan.grid.resolution < 80_000
    found = records(library, library.plan.scenario.evidence)
    assert set(found["name"]) == reached


def test_poor_records_may_be_read_by_the_surface_alone(hamlet):
    write_rows(
        hamlet.data / "poor.csv", HEADER, [(*lonlat(9000, 3000), "Old Pit", "9", "Copper", "", "")]
    )
    poor = entry("minerals/usmin") | {
        "sources": [{"kind": "file", "path": "poor.csv", "xy": ["lon", "lat"]}]
    }
    write_yaml(hamlet.layers / "minerals/poor.yaml", poor)
    library, _ = asked(hamlet, records=["minerals/poor", "minerals/gone"])
    spec = library.plan.scenario.evidence
    assert set(records(library, spec)["name"]) == {"Copper Hill", "Iron Cap", "Far Pit", "Old Pit"}
    assert [m.partition(":")[0] for m in surveyed(library, spec.surface).missing] == [
        "minerals/gone"
    ]
