"""Where each rule excludes, read off the cells of a run at the size of a picture."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from geosite.constraints import EXCLUDED
from geosite.errors import RunError
from geosite.report.cells import _middles, excluded_by, store_of
from geosite.runs import content, open_run
from tests.worlds import make_hamlet


def rule(id_, layer, **more):
    return {"id": id_, "title": f"The rule {id_}", "layer": layer, "authority": "statute",
            "citation": "made up for the tests", "mine": {"tier": "exclude"}} | more  # fmt: skip


RULES = [
    rule("fort", "land/dod"),
    rule("railway", "infrastructure/rail", mine={"tier": "flag"}),
    rule("steep", "terrain/elevation", subject={"kind": "slope", "above": "1.5 %"},
         authority="practice"),
    rule("spared", "land/tribal", mine={"tier": "include", "lifts": ["steep"]}),
]  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    made = make_hamlet(tmp_path_factory.mktemp("cells") / "it")
    made.ask(rules=[], own_rules=RULES)
    result = made.cli("run")
    assert not result.exit_code, result.output
    return open_run(next((made.outputs / "hamlet").glob("*Z-*[0-9a-f]")))


def test_every_hard_rule_has_its_cells(run):
    said = run.manifest
    shape = (said["grid"]["rows"], said["grid"]["columns"])
    found = excluded_by(run.path, said, shape, {r["id"] for r in said["rules"]})
    assert {*found} <= {"fort", "steep"}
    status = run.store.read("status", run.store.grid)
    either = np.logical_or.reduce(list(found.values()))
    assert (either[status == EXCLUDED]).all(), "what is excluded has a rule that excludes it"
    for mask in found.values():
        assert not (mask & (status > EXCLUDED)).any(), "and where one excludes, nothing is clear"


def test_rules_that_are_not_asked_for_are_not_read(run):
    said = run.manifest
    assert excluded_by(run.path, said, (4, 4), ()) == {}
    assert excluded_by(run.path, said, (4, 4), ("railway", "nobody")) == {}
    some = excluded_by(run.path, said, run.store.grid.shape, ("fort",))
    assert {*some} == {"fort"}


def test_a_smaller_picture_asks_the_cell_in_the_middle(run):
    rows, columns = run.store.grid.shape
    whole = excluded_by(run.path, run.manifest, (rows, columns), ("fort",))["fort"]
    small = excluded_by(run.path, run.manifest, (rows // 3, columns // 3), ("fort",))["fort"]
    at = np.ix_(_middles(rows // 3, rows), _middles(columns // 3, columns))
    assert (small == whole[at]).all()
    assert _middles(3, 9).tolist() == [1, 4, 7]
    assert _middles(4, 4).tolist() == [0, 1, 2, 3]


def test_the_content_of_a_run_asks_the_cells_when_it_is_asked(run):
    shown = content(run)
    found = shown.excluded_by(("fort", "steep"))
    assert all(mask.shape == shown.status.shape for mask in found.values())
    assert store_of(run.path, run.manifest).grid == run.store.grid


def test_a_store_that_is_lost_is_told(run, tmp_path):
    folder = tmp_path / run.path.name
    shutil.copytree(run.path, folder)
    shown = content(open_run(folder))
    shutil.rmtree(folder / "surfaces.zarr")
    with pytest.raises(RunError, match=r"surfaces\.zarr"):
        shown.excluded_by(("fort",))


def test_a_run_that_does_not_say_what_land_a_rule_takes_is_read_all_the_same(run):
    said = json.loads(json.dumps(run.manifest))
    for r in said["rules"]:
        r.pop("all_land_ha", None)
    assert {*excluded_by(run.path, said, (9, 9), ("fort",))} == {"fort"}
