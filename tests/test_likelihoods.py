"""The evidence surface of a plan, and what a run makes of it."""

import json

import numpy as np
import pandas as pd
import pytest
import rasterio

from geosite.errors import CatalogError, CoverageError
from geosite.library import Library
from geosite.likelihoods import COLUMNS, FEWEST, evidence_surface
from geosite.prepare import prepare
from geosite.tile import tile
from tests.worlds import (
    RECORDS,
    SCENARIO,
    box,
    make_hamlet,
    put_layer,
    write_records,
)

CRITERION = {
    "id": "likely",
    "title": "Mineral likelihood",
    "measure": {"kind": "likelihood"},
    "value": {"kind": "increasing", "best": "100 %", "worst": "0 %"},
    "weight": "2",
    "basis": "made up",
}


def with_surface(hamlet, *criteria, **surface):
    surface = {"cell": "1 km", "covariates": ["terrain/elevation"], **surface}
    evidence = SCENARIO["evidence"] | {"surface": surface}
    hamlet.ask(evidence=evidence, criteria=[*SCENARIO["criteria"], *criteria])
    return hamlet


@pytest.fixture
def hamlet(tmp_path):
    return with_surface(make_hamlet(tmp_path / "hamlet"))


def test_a_scenario_that_asks_for_none_has_none(tmp_path):
    planned = make_hamlet(tmp_path / "hamlet").plan()
    assert evidence_surface(Library(planned)) is None
    assert prepare(planned).surface is None


def test_likelihood_is_known_on_land_only_and_says_how_it_was_made(hamlet):
    put_layer(hamlet, "hydrography/lakes", [box(0, 11_000, 12_000, 12_000)], name=["Lake"])
    found = evidence_surface(Library(hamlet.plan()))
    lake = np.zeros(found.grid.shape, bool)
    lake[0] = True
    for values in (found.likelihood, found.uncertainty, found.percentile):
        assert (np.isnan(values) == lake).all()
    assert ((found.likelihood[~lake] >= 0) & (found.likelihood[~lake] <= 1)).all()
    assert found.report["records"] == {"asked": 3, "other": 0}
    assert found.report["land_km2"] == {"Toyland": 132.0}
    assert found.report["land_left_out"] == ["hydrography/lakes"]
    json.dumps(found.report, allow_nan=False)


def test_a_commodity_with_enough_deposits_has_a_surface_of_its_own(hamlet):
    assert not evidence_surface(Library(hamlet.plan())).commodities
    places = [(1000 + 2000 * k, 5000, f"Pit {k}") for k in range(FEWEST)]
    write_records(hamlet, places)
    found = evidence_surface(Library(hamlet.plan()))
    assert set(found.commodities) == {"copper"}
    assert set(found.report["commodities"]) == {"copper"}


def test_without_an_asked_record_nothing_is_made_up(hamlet):
    write_records(hamlet, RECORDS, commodity="Marble")
    with pytest.raises(CoverageError, match="no record of the asked commodities"):
        evidence_surface(Library(hamlet.plan()))


def test_a_run_keeps_the_surface_and_says_it_of_every_site(hamlet):
    result = hamlet.cli("run")
    assert result.exit_code == 0, result.output
    (run,) = (hamlet.outputs / "hamlet").iterdir()
    said = json.loads((run / "run.json").read_text(encoding="utf-8"))
    assert said["likelihood"]["cell_m"] == 1000
    with rasterio.open(run / "likelihood.tif") as file:
        assert file.descriptions == ("likelihood", "uncertainty", "percentile_within_state")
        share = file.read(3)
        assert file.crs.to_epsg() == 5070
    singles = {f.stem for f in (run / "likelihoods").iterdir()}
    assert singles == set(said["likelihood"]["commodities"])
    sites = pd.read_csv(run / "sites.csv")
    assert sites[list(COLUMNS)].notna().all(axis=None)
    assert sites["likelihood_pct"].between(share.min() - 0.01, share.max() + 0.01).all()
    page = (run / "map.html").read_text(encoding="utf-8")
    assert "Mineral likelihood (evidence surface)" in page
    assert "of the land of its state" in page
    assert "likelihood.tif" in (run / "README.md").read_text(encoding="utf-8")


def test_the_surface_is_switched_off_at_first_and_no_part_of_the_ranking(hamlet, tmp_path):
    plain = make_hamlet(tmp_path / "plain")
    for world in (hamlet, plain):
        assert world.cli("run").exit_code == 0
    (one,), (other,) = ((w.outputs / "hamlet").iterdir() for w in (hamlet, plain))
    with_, without = (pd.read_csv(r / "sites.csv") for r in (one, other))
    pd.testing.assert_frame_equal(with_[without.columns], without)
    assert not (other / "likelihood.tif").exists()
    assert "Mineral likelihood" not in (other / "map.html").read_text(encoding="utf-8")


def test_a_criterion_may_read_it_and_no_tiling_changes_what_it_reads(hamlet):
    planned = with_surface(hamlet, CRITERION).plan()
    ready = prepare(planned)
    grid = planned.grid
    whole = tile(ready.inputs, grid)
    k = len(planned.criteria) - 1
    surface = np.full(grid.shape, np.nan, np.float32)
    surface[whole.active] = whole.measures[k]
    assert whole.active.any()
    assert np.isfinite(whole.measures[k]).all()
    for window in grid.tiles(17):
        part = tile(ready.inputs, window)
        np.testing.assert_array_equal(part.measures[k], surface[grid.window(window)][part.active])
    rows, columns = np.nonzero(whole.active)
    x, y = grid.centres()
    coarse = ready.surface
    c, r = coarse.grid.indices(x[columns], y[rows])
    np.testing.assert_array_equal(
        whole.measures[k], coarse.percentile[r.astype(int), c.astype(int)]
    )


def test_a_criterion_that_reads_it_needs_it(hamlet):
    hamlet.ask(criteria=[*SCENARIO["criteria"], CRITERION])
    with pytest.raises(CatalogError) as refused:
        hamlet.plan()
    assert "criterion likely reads the likelihood, but there is no evidence.surface" in str(
        refused.value
    )
