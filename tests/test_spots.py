"""Single places say what a run of the whole grid says there."""

import numpy as np
import pytest

from geosite.constraints import STATUS_NAMES, against_bits, is_hard, unsure_bits
from geosite.prepare import prepare
from geosite.spots import spots
from geosite.tile import tile
from tests.worlds import box, edited_criteria, make_hamlet, put_layer


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    hamlet = make_hamlet(tmp_path_factory.mktemp("spots") / "hamlet")
    half = {"kind": "inside", "layer": "land/known"}
    hamlet.declare("land/tribal", coverage=half)
    put_layer(hamlet, "land/known", [box(0, 0, 6000, 12_000)], name=["Looked at"])
    hamlet.ask(criteria=edited_criteria("slope"))
    planned = hamlet.plan()
    ready = prepare(planned, allow_missing=True)
    return planned, ready.inputs, tile(ready.inputs, planned.grid)


def test_every_cell_says_what_a_run_says_there(world):
    planned, inputs, whole = world
    x, y = planned.grid.centres()
    rng = np.random.default_rng(1)
    at = np.stack([rng.integers(0, len(y), 60), rng.integers(0, len(x), 60)], axis=1)
    found = spots(planned, inputs, np.stack([x[at[:, 1]], y[at[:, 0]]], axis=1))
    hard = [k for k, t in enumerate(inputs.treatments) if is_hard(t)]
    seen = set()
    for spot, (r, c) in zip(found, at, strict=True):
        assert spot.status == STATUS_NAMES[whole.status[r, c]]
        assert spot.suitability == pytest.approx(float(whole.suitability[r, c]), nan_ok=True)
        for names, bits in ((spot.against, against_bits), (spot.unsure, unsure_bits)):
            assert set(names) == {planned.rules[k].id for k in hard if bits(whole.planes, k)[r, c]}
        seen.add((spot.status, spot.offered))
    assert {s for s, _ in seen} >= {"not offered", "excluded", "unknown", "clear"}
    assert ("excluded", False) in seen


def test_a_place_inside_a_reservation_is_excluded_by_it(world):
    planned, inputs, _ = world
    x, y = np.array(box(1000, 1000, 1001, 1001).exterior.coords[0])
    (found,) = spots(planned, inputs, np.array([[x, y]]))
    assert "tribal-land" in found.against


def test_nothing_is_said_beyond_the_aoi(world):
    planned, inputs, _ = world
    left, bottom, _, _ = planned.grid.bounds
    (found,) = spots(planned, inputs, np.array([[left - 9e5, bottom - 9e5]]))
    assert found.status == "outside"
    assert not found.offered
    assert found.against == found.unsure == ()
    assert np.isnan(found.suitability)
