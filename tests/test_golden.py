"""The demo as it was: what moves a number here belongs under *Results* in the changelog."""

from __future__ import annotations

import pandas as pd
import pytest

import geosite as gs
from geosite.demo import make_world

COLUMNS = ["rank", "site_id", "tier", "area_ha", "suitability", "suitability_low", "unknown_ha"]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("golden"), cells=400_000, seed=7)


@pytest.mark.parametrize("preset", gs.preset_names())
def test_the_demo_gives_what_it_gave(preset, world, root, tmp_path):
    planned = gs.plan(
        gs.open_scenario(preset),
        gs.open_catalog(world.layers),
        gs.open_rulebook(),
        world.data,
        aoi=world.aoi,
        resolution=90.0,
    )
    found = gs.analyse(planned, tmp_path / "store.zarr").sites[COLUMNS]
    golden = root / "tests/golden" / f"{preset.replace('/', '-')}.csv"
    kept = pd.read_csv(golden, keep_default_na=False, dtype={"site_id": str, "tier": str})
    assert found["site_id"].tolist() == kept["site_id"].tolist()
    assert found["tier"].tolist() == kept["tier"].tolist()
    numbers = ["rank", "area_ha", "suitability", "suitability_low", "unknown_ha"]
    pd.testing.assert_frame_equal(
        found[numbers].astype(float), kept[numbers].astype(float), rtol=0, atol=1e-6
    )
