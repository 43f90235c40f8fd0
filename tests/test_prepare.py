"""What tiles share: read once, near the AOI, every gap said."""

from __future__ import annotations

import numpy as np
import pytest

from geosite.errors import CatalogError, CoverageError, MissingLayerError
from geosite.needs import named_layers
from geosite.prepare import prepare
from geosite.references import unknown_layers
from geosite.tile import tile
from tests.worlds import RECORDS, SCENARIO, box, put_layer, write_records


@pytest.fixture(scope="module")
def ready(common):
    return prepare(common.plan())


def test_parcels_are_numbered_and_offered_by_owner(ready):
    parcels = ready.register.parcels
    assert parcels["parcel_id"].tolist() == [*range(1, len(parcels) + 1)]
    assert set(parcels["agency"]) == {"TRIBAL", "DOD", "BLM"}
    assert ready.inputs.offered[0] == np.False_
    assert (ready.inputs.offered[1:] == (parcels["agency"] == "BLM")).all()


def test_every_layer_is_counted_and_its_file_recorded(ready):
    for c in ready.counts:
        assert c.found == c.used + c.not_selected + sum(c.rejected.values())
    assert {c.layer for c in ready.counts} == set(ready.files) - {"terrain/elevation"}
    assert all(len(f.sha256) == 64 for files in ready.files.values() for f in files)


def test_deposits_are_accepted_records(ready):
    assert sorted(ready.deposits["name"]) == sorted(name for *_, name in RECORDS)
    assert ready.inputs.deposits.accepted.all()


def test_exclusions_are_features_of_hard_rules_inside_the_aoi(ready, common):
    assert set(ready.exclusions["rule"]) == {"tribal-land", "military-land-not-for-mines"}
    outline = common.plan().aoi
    assert ready.exclusions.geometry.within(outline.buffer(0.01)).all()


def test_presence_only_layers_are_silent(ready):
    assert ready.inputs.silent == {"minerals/usmin"}


def test_missing_layers_are_refused_all_at_once(hamlet):
    (hamlet.data / "rail.fgb").unlink()
    (hamlet.data / "dod.gpkg").unlink()
    with pytest.raises(MissingLayerError) as caught:
        prepare(hamlet.plan())
    for word in ("infrastructure/rail", "criterion rail", "land/dod", "--allow-missing"):
        assert word in str(caught.value)


def test_a_missing_bound_means_that_the_layer_speaks_nowhere(hamlet):
    hamlet.declare("infrastructure/rail", coverage={"kind": "inside", "layer": "land/tribal"})
    (hamlet.data / "tribal.geojson").unlink()
    ready = prepare(hamlet.plan(), allow_missing=True)
    assert len(ready.inputs.coverage["infrastructure/rail"].edges) == 0


def test_without_any_land_layer_there_is_nothing_to_offer(hamlet):
    for name in ("blm.gpkg", "dod.gpkg", "tribal.geojson"):
        (hamlet.data / name).unlink()
    with pytest.raises(MissingLayerError, match="no land layer is to be had"):
        prepare(hamlet.plan(), allow_missing=True)


def test_without_any_evidence_layer_there_is_no_site(hamlet):
    (hamlet.data / "usmin.csv").unlink()
    with pytest.raises(MissingLayerError, match="no evidence layer"):
        prepare(hamlet.plan(), allow_missing=True)


def test_without_accepted_records_there_is_no_question(hamlet):
    write_records(hamlet, RECORDS, commodity="Sand and gravel")
    with pytest.raises(CoverageError, match="no accepted record"):
        prepare(hamlet.plan())


def test_coverage_by_state_and_by_box(hamlet):
    hamlet.declare("infrastructure/rail", coverage={"kind": "states", "names": ["Toyland"]})
    box = {"kind": "box", "west": "-125", "south": "30", "east": "-117.7", "north": "45"}
    hamlet.declare("infrastructure/towns", coverage=box)
    covered = prepare(hamlet.plan()).inputs.coverage
    assert set(covered) == {"infrastructure/rail", "infrastructure/towns"}


def test_land_that_waits_for_confirmation_is_offered_only_if_admitted(hamlet):
    land = {**SCENARIO["land"], "offered": ["DOD"]}
    land["confirm"] = [{"agency": "DOD", "layer": "infrastructure/towns", "within": "1 km"}]
    hamlet.ask(land=land, project="refinery")
    assert not prepare(hamlet.plan()).inputs.offered.any()
    hamlet.ask(land={**land, "unconfirmed": "admit"}, project="refinery")
    assert prepare(hamlet.plan()).inputs.offered.sum() == 1


def test_tenure_is_read_where_it_is_to_be_had_and_else_told(hamlet):
    put_layer(
        hamlet, "tenure/acquired", [box(0, 0, 900, 900), box(2000, 0, 3000, 900)], kind=[1, 2]
    )
    acquired = {"column": "land_origin", "layer": "tenure/acquired", "value": "acquired"}
    lost = {"column": "mineral_estate", "layer": "tenure/split", "value": "private"}
    entries = [lost, acquired, acquired | {"where": "kind = 2"}]
    hamlet.ask(land=SCENARIO["land"] | {"tenure": entries})
    plan = hamlet.plan()
    # It is no reason to refuse a run.
    assert plan.missing == ()
    assert [u.purpose for u in plan.uses if u.layer == "tenure/acquired"] == ["tenure"]
    assert any(n.startswith("mineral_estate: unknown where only tenure/split") for n in plan.notes)
    ready = prepare(plan)
    assert [None if f is None else len(f) for f in ready.tenure] == [None, 2, 1]
    assert "tenure/acquired" in ready.files
    assert "tenure/acquired" in named_layers(plan.scenario, plan.catalog, plan.rulebook)


def test_tenure_of_points_or_by_a_condition_that_is_none_is_refused(hamlet):
    points = {"column": "land_origin", "layer": "infrastructure/towns", "value": "acquired"}
    hamlet.ask(land=SCENARIO["land"] | {"tenure": [points]})
    with pytest.raises(CatalogError, match=r"land\.tenure: .* is a point, expected polygon"):
        hamlet.plan()
    wrong = points | {"layer": "land/dod", "where": "sort = 1"}
    hamlet.ask(land=SCENARIO["land"] | {"tenure": [wrong]})
    with pytest.raises(CatalogError, match=r"land\.tenure: where: 'sort = 1' is no condition"):
        hamlet.plan()


def test_decisions_are_obeyed_and_everything_else_is_as_it_was(hamlet):
    plan = hamlet.plan()
    plain = prepare(plan)
    after = prepare(plan, amendments={"tribal-land": [(box(3000, 3000, 4000, 4000), "holds")]})
    assert plain.inputs.amendments == {}
    assert plain.disturbance.empty
    before, then = (tile(r.inputs, plan.grid).status for r in (plain, after))
    rows, columns = np.nonzero(before != then)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (40, 44, 15, 19)
    assert len(rows) == 25
    with pytest.raises(CatalogError, match="no-rule: this run does not ask the rule"):
        prepare(plan, amendments={"no-rule": []})


def test_a_layer_of_offices_or_plans_is_fetched_and_not_read(hamlet):
    hamlet.ask(land=SCENARIO["land"] | {"offices": ["land/dod"], "plans": ["land/elsewhere"]})
    plan = hamlet.plan()
    assert plan.missing == ()
    assert unknown_layers(plan.scenario, plan.catalog, plan.rulebook) == [
        f"layer land/elsewhere has no entry in {hamlet.layers}"
    ]
    assert "land/dod" in named_layers(plan.scenario, plan.catalog, plan.rulebook)
