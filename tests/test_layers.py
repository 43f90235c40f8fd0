"""What is held is listed, aged and hashed again; a layer that is missing is named."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import pytest
from click.testing import CliRunner

from geosite.cli import main
from geosite.report.layers import forecast_text
from geosite.sources.asking import Estimate
from geosite.sources.holdings import Holdings
from tests.toyservice import SERVED
from tests.worlds import cli


def words(hamlet, cache):
    return ["--layers", hamlet.layers, "--data", hamlet.data, "--cache", cache]


@pytest.fixture
def held(served, fresh_cache):
    """The hamlet with all of its layers fetched, and the cache that they are in."""
    hamlet, service = served
    hamlet.declare("land/dod", sources=[service.source("land/dod")], stale_after_days="30")
    result = cli("fetch", hamlet.scenario, *words(hamlet, fresh_cache))
    assert result.exit_code == 0, result.stderr
    return hamlet, fresh_cache


def rows(text):
    return {line.split()[0]: line for line in text.partition("\n\n")[0].splitlines()[1:]}


def test_layers_says_what_is_held_where_and_since_when(held):
    hamlet, cache = held
    result = cli("layers", *words(hamlet, cache))
    assert result.exit_code == 0, result.stderr
    found = rows(result.stdout)
    assert set(found) == {*SERVED, "terrain/elevation"}
    assert "in place" in found["terrain/elevation"]
    assert "yes" in found["land/dod"]
    assert "everywhere" in found["aoi/states"]
    assert "0 d" in found["land/dod"]
    assert "layers there: 11, absent: 0" in result.stdout


def test_layers_names_what_is_missing(served, fresh_cache):
    hamlet, _ = served
    result = cli("layers", "--missing", *words(hamlet, fresh_cache))
    assert set(rows(result.stdout)) == set(SERVED)
    assert "absent: 10" in result.stdout


def test_layers_says_what_is_stale_or_asked_otherwise_now(held):
    hamlet, cache = held
    lock = cache / "fetched/layers.lock"
    said = json.loads(lock.read_text(encoding="utf-8"))
    for entry in said["layers"]:
        entry["retrieved"] = "2020-01-01T00:00:00Z"
    lock.write_text(json.dumps(said), encoding="utf-8")
    blm = "https://example.org/FeatureServer"
    hamlet.declare("land/blm", sources=[{"kind": "arcgis", "url": blm, "layer": "x"}])
    found = rows(cli("layers", *words(hamlet, cache)).stdout)
    assert "stale" in found["land/dod"]
    assert "outdated" in found["land/blm"]
    assert "yes" in found["land/tribal"], "it does not age"


def test_verify_hashes_every_byte(held):
    _, cache = held
    assert cli("layers", "verify", "--cache", cache).exit_code == 0
    holdings = Holdings(cache / "fetched")
    entry = next(e for e in holdings.entries() if e.layer == "land/dod")
    path = holdings.path(entry)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    result = cli("layers", "verify", "--cache", cache)
    assert result.exit_code == 1
    assert "layer land/dod" in result.stderr
    assert "--refresh with the --aoi of before brings it again" in result.stderr


def test_the_cache_may_be_named_by_the_environment_or_switched_off(held, monkeypatch):
    hamlet, cache = held
    monkeypatch.setenv("GEOSITE_CACHE", str(cache))
    assert "10 held already" in cli("fetch", hamlet.scenario, *words(hamlet, cache)[:4]).stdout
    monkeypatch.setenv("GEOSITE_CACHE", "")
    result = cli("fetch", hamlet.scenario, *words(hamlet, cache)[:4])
    assert result.exit_code == 1
    assert "--cache" in result.stderr
    assert hamlet.cli("plan").exit_code == 1, "without a cache nothing was fetched"


def test_a_forecast_counts_what_is_known(tmp_path):
    from geosite.fetching import Forecast  # noqa: PLC0415

    found = [
        Forecast("land/blm", "gis.example.gov", Estimate(1204, 3_400_000, measured=True)),
        Forecast("land/dod", "dod.example.gov", Estimate(None, None)),
        Forecast("land/nps", "nps.example.gov", None, "answered 404"),
    ]
    text = forecast_text(found, tmp_path, 2_500_000_000)
    assert "1,204" in text
    assert "from a sample" in text
    assert "cannot be asked" in text
    assert "layers to fetch: 3, about 3.4 MB, and 1 of unknown size; 2.5 GB are free" in text


# ── a machine without network ─────────────────────────────────────────────────────────────────
def test_a_bundle_gives_the_same_answer_where_nothing_else_is(held, common, tmp_path, monkeypatch):
    hamlet, cache = held
    out = tmp_path / "hamlet.zip"
    made = cli("bundle", hamlet.scenario, out, *words(hamlet, cache))
    assert made.exit_code == 0, made.stderr
    assert "11 layers" in made.stdout
    monkeypatch.setenv("GEOSITE_CACHE", str(tmp_path / "elsewhere"))
    monkeypatch.chdir(tmp_path)
    there = ["hamlet", "--layers", out]
    for verb in ("check", "plan"):
        result = cli(verb, *there)
        assert result.exit_code == 0, result.stderr
    result = cli("run", *there, "--outputs", tmp_path / "outputs")
    assert result.exit_code == 0, result.stderr
    new, old = Path(result.stdout.strip()), min((common.outputs / "hamlet").iterdir())
    assert (new / "sites.csv").read_bytes() == (old / "sites.csv").read_bytes()


def test_a_bundle_lacks_nothing_unless_allowed(served, fresh_cache, tmp_path):
    hamlet, _ = served
    cli("fetch", "--layer", "aoi/states", *words(hamlet, fresh_cache))
    command = ["bundle", hamlet.scenario, tmp_path / "hamlet.zip", *words(hamlet, fresh_cache)]
    refused = cli(*command)
    assert refused.exit_code == 1
    assert "land/blm" in refused.stderr
    assert not (tmp_path / "hamlet.zip").exists()


def test_a_file_that_is_no_bundle(tmp_path):
    (tmp_path / "odd.zip").write_bytes(b"not a zip")
    result = cli("plan", "mine/open-pit", "--layers", tmp_path / "odd.zip")
    assert result.exit_code == 1
    assert "odd.zip" in result.stderr


# ── a layer of one's own ──────────────────────────────────────────────────────────────────────
@pytest.fixture
def holes(tmp_path):
    """Two drill holes in a file."""
    path = tmp_path / "Drill Holes.gpkg"
    points = gpd.points_from_xy([-117.1, -117.2], [40.1, 40.2])
    gpd.GeoDataFrame({"hole": ["A1", "A2"]}, geometry=points, crs=4326).to_file(path)
    return path


def test_layer_add_writes_an_entry_that_check_finds_valid(hamlet, holes):
    where = ["--layers", hamlet.layers, "--data", hamlet.data]
    unanswered = cli("layer", "add", holes, *where)
    assert unanswered.exit_code == 1
    assert "absence" in unanswered.stderr
    result = cli("layer", "add", holes, *where, "--answer", "absence=not_informative")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"{hamlet.layers / 'own/drill-holes.yaml'}\n"
    assert hamlet.cli("check").exit_code == 0
    assert "own/drill-holes" in cli("layers", *where).stdout
    again = cli("layer", "add", holes, *where, "--answer", "absence=not_informative")
    assert again.exit_code == 1
    assert "--id" in again.stderr


def test_layer_add_asks_what_the_file_cannot_tell(hamlet, holes, monkeypatch):
    monkeypatch.setattr("geosite.cli.layers._is_asked", lambda: True)
    said = "\n".join(["", "", "", "", "not_informative", *[""] * 20])
    where = ["--layers", str(hamlet.layers), "--data", str(hamlet.data)]
    result = CliRunner().invoke(main, ["layer", "add", str(holes), *where], input=said)
    assert result.exit_code == 0, result.stderr
    text = (hamlet.layers / "own/drill-holes.yaml").read_text(encoding="utf-8")
    assert "absence: not_informative" in text


def test_an_answer_has_a_key_and_a_value(holes):
    result = cli("layer", "add", holes, "--answer", "absence")
    assert result.exit_code == 2
    assert "KEY=VALUE" in result.stderr
