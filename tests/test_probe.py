"""Every source is asked how it is, and what it says is put in one word."""

from __future__ import annotations

import json

import pytest

from geosite import catalog
from geosite.sources.client import Client, Patience
from geosite.sources.probe import probed
from tests.toyservice import Toyservice
from tests.worlds import cli

QUICK = Patience(connect=2, read=5, attempts=1)


@pytest.fixture
def probing(hamlet):
    """The hamlet, of which four layers have sources on a server."""
    import geopandas as gpd  # noqa: PLC0415

    frame = gpd.read_file(hamlet.data / "blm.gpkg")
    ids = ("land/blm", "land/dod", "land/tribal", "infrastructure/rail")
    with Toyservice(dict.fromkeys(ids, frame)).serving() as service:
        service.dead.add("/old/")
        dead = {**service.source("land/blm"), "url": f"{service.url}/old/FeatureServer"}
        by_hand = {"kind": "manual", "instructions": "Ask the office"}
        of = service.source
        hamlet.declare("land/blm", sources=[of("land/blm", count="2"), {**dead, "role": "mirror"}])
        hamlet.declare("land/dod", sources=[of("land/dod", count="9")])
        hamlet.declare(
            "land/tribal",
            crs="EPSG:5070",
            sources=[of("land/tribal"), by_hand],
            fields={"name": {}, "treaty": {}},
        )
        yield hamlet, service


def test_each_source_has_its_word(probing):
    hamlet, service = probing
    layers = catalog.open_catalog(hamlet.layers)
    told = []
    with Client(QUICK) as client:
        found = probed(layers.values(), client, told=lambda *n: told.append(n))
    health = [(p.layer, p.role, p.health) for p in found]
    assert health == [
        ("land/blm", "primary", "ok"),
        ("land/blm", "mirror", "dead"),
        ("land/dod", "primary", "count changed"),
        ("land/tribal", "primary", "schema changed"),
        ("land/tribal", "manual", "manual"),
    ]
    by_health = {p.health: p.words for p in found}
    assert "404" in by_health["dead"]
    assert "treaty" in by_health["schema changed"]
    assert told[-1] == (4, 4)
    assert service.layers_asked() == [], "no feature is asked for"


def test_the_verb_prints_a_table_and_its_code_is_for_a_timetable(probing, tmp_path):
    hamlet, _ = probing
    file = tmp_path / "health.json"
    words = ["--layers", hamlet.layers, "--quiet"]
    ill = cli("layers", "probe", *words, "--json", file)
    assert ill.exit_code == 1
    assert not ill.stderr
    assert "5 sources: 1 ok, 1 manual, 3 to look at" in ill.stdout
    said = json.loads(file.read_text(encoding="utf-8"))
    assert [s["health"] for s in said].count("dead") == 1
    hamlet.declare("land/dod")
    assert cli("layers", "probe", "land/dod", *words).exit_code == 0, "a file is no endpoint"


def test_a_layer_that_is_not_there_is_not_probed(probing):
    hamlet, _ = probing
    result = cli("layers", "probe", "land/moon", "--layers", hamlet.layers)
    assert result.exit_code == 1
    assert "land/moon" in result.stderr
