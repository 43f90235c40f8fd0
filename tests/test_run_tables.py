"""Tables of a run that have places: inventory, deposits and their lineage."""

import geopandas as gpd
import numpy as np
import pandas as pd

from geosite.crs import WGS84, transformed
from geosite.runs import execute, open_run
from tests.worlds import earlier_run


def test_every_record_of_a_deposit_is_a_row_with_its_source_and_its_place(common):
    run = open_run(earlier_run(common))
    table = pd.read_csv(run.path / "deposits.csv", keep_default_na=False)
    points = gpd.read_file(run.path / "sites.gpkg", layer="deposits")
    assert table["founder"].sum() == table["deposit"].nunique() >= len(points)
    counted = table.groupby("deposit").size()
    assert counted[points["deposit"]].tolist() == points["records"].tolist()
    assert table["layer"].str.startswith("minerals/").all()
    x, y = transformed(
        table["longitude"].to_numpy(float), table["latitude"].to_numpy(float), WGS84,
        run.store.grid.crs,
    )  # fmt: skip
    assert np.hypot(x - table["x_m"], y - table["y_m"]).max() < 0.3
    # A deposit lies where its founder lies.
    heads = table[table["founder"]].set_index("deposit").loc[points["deposit"]]
    east, north = (points.geometry.x.to_numpy(), points.geometry.y.to_numpy())
    apart = np.hypot(east - heads["x_m"].to_numpy(), north - heads["y_m"].to_numpy())
    assert apart.max() < 0.3


def test_sites_and_inventory_propose_a_potential(common):
    run = open_run(earlier_run(common))
    for name in ("sites.csv", "inventory.csv"):
        table = pd.read_csv(run.path / name, keep_default_na=False)
        assert set(table["proposed_potential"]) <= {"L", "M", "H", "ND"}
        assert set(table["proposed_certainty"]) <= set("ABCD")
        assert "host_or_byproduct" in table


def test_a_by_product_is_found_at_its_host_and_says_so(hamlet):
    hamlet.ask(commodities=["tellurium"])
    found = execute(hamlet.plan(), hamlet.outputs, drawn=False).sites
    assert set(found["host_or_byproduct"]) == {"tellurium through its host copper"}
    assert set(found["commodities"]) == {"copper"}
    assert (found["supply_impact"] == 0).all()  # the reliance is published as less than 25 %
    assert (found["supply_impact_high"] > 0).all()
