"""Layers are fetched once, from the first source that gives them, and kept whole or not at all."""

from __future__ import annotations

import errno
import json
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geosite import catalog
from geosite.errors import FetchError
from geosite.fetching import fetch, forecasts
from geosite.progress import LayerSilence
from geosite.sources.client import Client, Patience
from geosite.sources.holdings import Holdings
from geosite.wants import Order, Stock
from tests.services.pretender import pretending
from tests.toyservice import FAR, SERVED
from tests.worlds import ALBERS, box, cli

QUICK = Patience(connect=2, read=5, attempts=2, first=0.01, longest=0.05)


def words(hamlet, fresh_cache):
    return ["--layers", hamlet.layers, "--data", hamlet.data, "--cache", fresh_cache]


def fetched(hamlet, fresh_cache, *more):
    return cli("fetch", hamlet.scenario, *words(hamlet, fresh_cache), *more)


def stock(hamlet, fresh_cache):
    layers = catalog.open_catalog(hamlet.layers)
    return Stock(layers, catalog.open_rulebook(), hamlet.data, Holdings(fresh_cache / "fetched"))


def gone(service, layer):
    """Another source of the layer, at an address that answers 404."""
    service.dead.add("/old/")
    return service.source(layer, url=f"{service.url}/old/FeatureServer")


# ── from the source to the answer ─────────────────────────────────────────────────────────────
def test_what_is_fetched_gives_the_answer_of_the_files(common, served, fresh_cache):
    hamlet, service = served
    result = fetched(hamlet, fresh_cache)
    assert result.exit_code == 0, result.stderr
    assert "layers fetched: 10 " in result.stdout
    assert "1 in place below the data root" in result.stdout
    assert "land/blm: 2 features" in result.stderr
    asked = len(service.asked)
    service.dead.add("/")
    run = hamlet.cli("run", "--cache", str(fresh_cache))
    assert run.exit_code == 0, run.stderr
    assert len(service.asked) == asked, "a run asks no server"
    new, old = Path(run.stdout.strip()), min((common.outputs / "hamlet").iterdir())
    table = (new / "sites.csv").read_bytes()
    assert table == (old / "sites.csv").read_bytes()
    assert hamlet.cli("plan", "--cache", str(fresh_cache)).exit_code == 0


def test_without_the_cache_the_plan_says_what_would_bring_the_layers(served, fresh_cache):
    hamlet, _ = served
    result = hamlet.cli("run", "--cache", str(fresh_cache))
    assert result.exit_code == 1
    assert "geosite fetch" in result.stderr


def test_what_is_held_is_not_fetched_again(served, fresh_cache):
    hamlet, service = served
    fetched(hamlet, fresh_cache)
    service.asked.clear()
    result = fetched(hamlet, fresh_cache)
    assert result.exit_code == 0
    assert "layers fetched: 0 " in result.stdout
    assert "10 held already" in result.stdout
    assert service.asked == []


def test_a_larger_area_is_fetched_and_a_smaller_one_is_held(served, fresh_cache):
    hamlet, service = served
    fetched(hamlet, fresh_cache)
    service.asked.clear()
    west, south, east, north = box_of(hamlet)
    x, y = (west + east) / 2, (south + north) / 2
    part = f"{x - 0.02},{y - 0.02},{x + 0.02},{y + 0.02}"
    assert "10 held already" in fetched(hamlet, fresh_cache, f"--aoi={part}").stdout
    more = f"{west - 1},{south},{east},{north}"
    assert "layers fetched: 9 " in fetched(hamlet, fresh_cache, f"--aoi={more}").stdout
    assert "aoi/states" not in service.layers_asked(), "states are held whole"


def box_of(hamlet):
    frame = gpd.GeoDataFrame(geometry=[box(0, 0, 12_000, 12_000)], crs=ALBERS)
    return frame.to_crs(4326).total_bounds


def test_presets_are_named_by_their_first_part(served, fresh_cache, monkeypatch):
    hamlet, _ = served
    monkeypatch.setattr("geosite.wants.preset_names", lambda: ["mine/a", "mine/b", "plant/c"])
    asked = []

    def opened(name):
        asked.append(name)
        return catalog.open_scenario(str(hamlet.scenario))

    monkeypatch.setattr("geosite.wants.open_scenario", opened)
    result = cli("fetch", "mine", *words(hamlet, fresh_cache))
    assert result.exit_code == 0, result.stderr
    assert asked == ["mine/a", "mine/b"]
    assert "layers fetched: 10 " in result.stdout


def test_layers_are_named_one_by_one_or_all_at_once(served, fresh_cache):
    hamlet, service = served
    one = cli("fetch", "--layer", "land/blm", *words(hamlet, fresh_cache))
    assert one.exit_code == 0, one.stderr
    assert service.layers_asked() == ["land/blm"]
    assert stock(hamlet, fresh_cache).holdings.entries()[0].box is None
    every = cli("fetch", "--all", "--aoi", "toyland", *words(hamlet, fresh_cache))
    assert every.exit_code == 0, every.stderr
    assert "layers fetched: 9 " in every.stdout
    assert "1 held already" in every.stdout


@pytest.mark.parametrize("more", [[], ["--all", "--layer", "land/blm"]])
def test_a_fetch_says_what_it_is_to_fetch(more):
    assert cli("fetch", *more).exit_code == 2


def test_a_layer_that_is_not_in_the_catalogue(served, fresh_cache):
    hamlet, _ = served
    result = cli("fetch", "--layer", "land/blmm", *words(hamlet, fresh_cache))
    assert result.exit_code == 1
    assert "did you mean land/blm" in result.stderr


# ── sources in their order ────────────────────────────────────────────────────────────────────
def test_a_mirror_is_asked_when_the_first_source_is_dead(served, fresh_cache):
    hamlet, service = served
    mirror = service.source("land/dod", role="mirror")
    hamlet.declare("land/dod", sources=[gone(service, "land/dod"), mirror])
    result = fetched(hamlet, fresh_cache)
    assert result.exit_code == 0, result.stderr
    assert "other sources failed" in result.stderr
    assert "404" in result.stderr
    entry = next(e for e in stock(hamlet, fresh_cache).holdings.entries() if e.layer == "land/dod")
    assert entry.role == "mirror"


def test_a_source_for_small_areas_is_left_out_of_a_large_one(served, fresh_cache):
    hamlet, service = served
    small = gone(service, "land/dod") | {"largest_aoi": "100 ha"}
    hamlet.declare("land/dod", sources=[small, service.source("land/dod", role="mirror")])
    result = fetched(hamlet, fresh_cache)
    assert result.exit_code == 0, result.stderr
    assert not any(a.startswith("/old/") for a in service.asked)


def test_all_that_fails_is_said_at_once_and_the_rest_is_kept(served, fresh_cache):
    hamlet, service = served
    for id_ in ("land/dod", "infrastructure/rail"):
        hamlet.declare(id_, sources=[gone(service, id_), gone(service, id_) | {"role": "mirror"}])
    result = fetched(hamlet, fresh_cache, "--quiet")
    assert result.exit_code == 1
    for word in ("layer land/dod", "layer infrastructure/rail", "any of its 2 sources"):
        assert word in result.stderr
    assert result.stderr.count(f"{service.url}/old/FeatureServer: answered 404") == 4
    assert "what may help" in result.stderr
    assert "Traceback" not in result.stderr
    held = {e.layer for e in stock(hamlet, fresh_cache).holdings.entries()}
    assert held == set(SERVED) - {"land/dod", "infrastructure/rail"}
    for id_ in ("land/dod", "infrastructure/rail"):
        hamlet.declare(id_, sources=[service.source(id_)])
    assert "layers fetched: 2 " in fetched(hamlet, fresh_cache).stdout


def test_without_the_states_a_name_is_no_area(served, fresh_cache):
    hamlet, service = served
    hamlet.declare("aoi/states", sources=[gone(service, "aoi/states")])
    result = fetched(hamlet, fresh_cache)
    assert result.exit_code == 1
    assert "layer aoi/states could not be had" in result.stderr
    assert service.layers_asked() == []
    west, south, east, north = box_of(hamlet)
    boxed = fetched(hamlet, fresh_cache, f"--aoi={west},{south},{east},{north}")
    assert boxed.exit_code == 1
    assert "layer aoi/states could not be had" in boxed.stderr
    assert len(set(service.layers_asked())) == 6, "a box needs no states"


# ── no network, no room ───────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_without_a_network_one_message_says_what_can_be_done(
    more, served, fresh_cache, monkeypatch
):
    hamlet, service = served
    for k, id_ in enumerate(("land/dod", "land/blm", "infrastructure/rail", "land/tribal")):
        hamlet.declare(id_, sources=[service.source(id_, url=f"http://x{k}.invalid/FeatureServer")])

    def unknown(*_args, **_said):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    west, south, east, north = box_of(hamlet)
    ids = [
        "--layer=land/dod",
        "--layer=land/blm",
        "--layer=infrastructure/rail",
        "--layer=land/tribal",
    ]
    result = cli(
        "fetch", *ids, f"--aoi={west},{south},{east},{north}", *words(hamlet, fresh_cache), *more
    )
    assert result.exit_code == 1
    assert "there seems to be no network" in result.stderr
    assert (
        "layers did not come: infrastructure/rail, land/blm, land/dod, land/tribal" in result.stderr
    )
    for way in ("geosite layers", "--allow-missing", "geosite bundle", "HTTPS_PROXY"):
        assert way in result.stderr


def test_a_full_disk_is_not_blamed_on_the_server(served, fresh_cache, monkeypatch):
    hamlet, service = served
    two = [service.source("land/dod"), service.source("land/dod", role="mirror")]
    hamlet.declare("land/dod", sources=two)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("geosite.sources.holdings.Holdings.keep", full)
    result = cli("fetch", "--layer", "land/dod", *words(hamlet, fresh_cache))
    assert result.exit_code == 1
    assert f"{fresh_cache}/fetched: [Errno 28] No space left on device; make room" in result.stderr
    assert service.url not in result.stderr
    assert service.layers_asked() == ["land/dod"], "the mirror would have found no room either"


def test_a_cache_that_cannot_be_written_is_said(served, fresh_cache, monkeypatch):
    hamlet, _ = served

    def refused(*_):
        raise OSError(errno.EROFS, "Read-only file system")

    fetched(hamlet, fresh_cache)
    monkeypatch.setattr("geosite.sources.holdings.FileLock.acquire", refused)
    result = fetched(hamlet, fresh_cache, "--refresh")
    assert result.exit_code == 1
    assert f"{fresh_cache}/fetched: cannot be written (Read-only file system)" in result.stderr
    assert hamlet.cli("plan", "--cache", str(fresh_cache)).exit_code == 0, "reading needs no lock"


def test_no_word_of_a_server_commands_the_terminal(served, fresh_cache):
    hamlet, _ = served
    evil = "\x1b[2J\x1b]0;title\x07\x9b31m"

    def answer(path, _asked):
        if path.startswith("/names"):
            return json.dumps({"layers": [{"id": 0, "name": evil}], "tables": []}).encode()
        return json.dumps({"error": {"code": 404, "message": evil, "details": [evil]}}).encode()

    with pretending(answer) as url:
        for path in ("names", "error"):
            source = {"kind": "arcgis", "url": f"{url}/{path}/FeatureServer", "layer": "x"}
            hamlet.declare("land/dod", sources=[source])
            for more in ([], ["--dry-run"]):
                result = cli("fetch", "--layer", "land/dod", *words(hamlet, fresh_cache), *more)
                assert result.exit_code == 1
                assert (result.stdout + result.stderr).replace("\n", "").isprintable()
            result = cli("layers", "probe", "land/dod", "--layers", hamlet.layers)
            assert result.stdout.replace("\n", "").isprintable()


# ── by hand ───────────────────────────────────────────────────────────────────────────────────
def test_what_a_person_has_to_get_is_listed_and_no_mistake(served, fresh_cache):
    hamlet, _ = served
    by_hand = {"kind": "manual", "instructions": "Ask the office and put it at data/land/dod.gpkg"}
    hamlet.declare("land/dod", sources=[by_hand])
    result = fetched(hamlet, fresh_cache)
    assert result.exit_code == 0, result.stderr
    assert "1 to be got by hand" in result.stdout
    assert "land/dod: Ask the office" in result.stdout
    named = cli("fetch", "--layer", "land/dod", *words(hamlet, fresh_cache))
    assert named.exit_code == 1
    assert "cannot be fetched by a program: Ask the office" in named.stderr


# ── age and change ────────────────────────────────────────────────────────────────────────────
def test_what_is_stale_is_said_and_fetched_again_on_request(served, fresh_cache):
    hamlet, service = served
    hamlet.declare("land/dod", sources=[service.source("land/dod")], stale_after_days="30")
    fetched(hamlet, fresh_cache)
    aged(fresh_cache, days=40)
    service.asked.clear()
    result = fetched(hamlet, fresh_cache)
    assert result.exit_code == 0
    assert "1 held but stale" in result.stdout
    assert "40 days ago, and stale after 30; --refresh" in result.stdout
    assert service.asked == []
    again = fetched(hamlet, fresh_cache, "--refresh")
    assert again.exit_code == 0, again.stderr
    assert set(service.layers_asked()) == {"land/dod"}
    assert "the same as on" in again.stderr


def aged(fresh_cache, *, days):
    """Set back the clock of everything that is held."""
    lock = fresh_cache / "fetched/layers.lock"
    said = json.loads(lock.read_text(encoding="utf-8"))
    then = (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
    for entry in said["layers"]:
        entry["retrieved"] = then
    lock.write_text(json.dumps(said), encoding="utf-8")


def test_a_changed_layer_is_an_event(served, fresh_cache):
    hamlet, service = served
    fetched(hamlet, fresh_cache)
    aged(fresh_cache, days=1)
    dod = service.frames["land/dod"]
    extra = gpd.GeoDataFrame({"name": ["Annex"]}, geometry=[box(0, 0, 90, 90)], crs=ALBERS)
    service.frames["land/dod"] = pd.concat([dod, extra], ignore_index=True)
    result = fetched(hamlet, fresh_cache, "--layer", "land/dod", "--refresh")
    assert result.exit_code == 0, result.stderr
    for said in (result.stderr, result.stdout):
        assert "changed since" in said
        assert "1 → 2, sha256" in said


def test_quiet_says_the_result_alone(served, fresh_cache):
    hamlet, _ = served
    result = fetched(hamlet, fresh_cache, "--quiet")
    assert result.exit_code == 0
    assert result.stderr == ""
    assert "layers fetched: 10 " in result.stdout


# ── a dry run ─────────────────────────────────────────────────────────────────────────────────
def test_a_dry_run_brings_nothing(served, fresh_cache):
    hamlet, _ = served
    nameless = fetched(hamlet, fresh_cache, "--dry-run")
    assert nameless.exit_code == 1
    assert "geosite fetch --layer aoi/states" in nameless.stderr
    cli("fetch", "--layer", "aoi/states", *words(hamlet, fresh_cache))
    before = stock(hamlet, fresh_cache).holdings.entries()
    result = fetched(hamlet, fresh_cache, "--dry-run")
    assert result.exit_code == 0, result.stderr
    assert "layers to fetch: 9," in result.stdout
    assert "are free" in result.stdout
    assert "land/blm" in result.stdout
    assert stock(hamlet, fresh_cache).holdings.entries() == before


def test_a_dry_run_names_who_does_not_answer(served, fresh_cache):
    hamlet, service = served
    cli("fetch", "--layer", "aoi/states", *words(hamlet, fresh_cache))
    hamlet.declare("land/dod", sources=[gone(service, "land/dod")])
    result = fetched(hamlet, fresh_cache, "--dry-run")
    assert result.exit_code == 1
    assert "layer land/dod" in result.stderr
    assert "cannot be asked" in result.stdout


# ── stopped ───────────────────────────────────────────────────────────────────────────────────
def test_ctrl_c_keeps_what_is_whole_and_says_130(served, fresh_cache):
    hamlet, service = served
    service.pause = 0.3
    process = begun(hamlet, fresh_cache)
    await_layers(service, 3)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "geosite: stopped" in said
    assert "Traceback" not in said
    assert not list((fresh_cache / "fetched/scratch").iterdir())
    assert stock(hamlet, fresh_cache).holdings.verify() == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_who_waits_for_a_silent_server_can_be_stopped(number, code, served, fresh_cache):
    hamlet, service = served
    service.pause = 40.0  # long, and shorter than what is waited for an answer
    process = begun(hamlet, fresh_cache)
    await_layers(service, 1)
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert process.returncode == code, said
    assert "Traceback" not in said


def begun(hamlet, fresh_cache):
    line = [str(w) for w in (hamlet.scenario, *words(hamlet, fresh_cache), "--jobs", 2)]
    return subprocess.Popen(
        [sys.executable, "-m", "geosite", "fetch", *line],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def await_layers(service, count):
    ends = time.monotonic() + 60
    while len(service.layers_asked()) < count and time.monotonic() < ends:
        time.sleep(0.01)


def test_a_killed_fetch_serves_nothing_partial_and_loses_what_was_in_work_only(served, fresh_cache):
    """Twenty times: killed at a moment drawn from a seed, then looked at; at last it goes on."""
    hamlet, service = served
    moments, kept, ends = np.random.default_rng(4), set(), set()
    service.page = 1
    for _ in range(20):
        # Moments are counted in requests, so that a slow machine has the same ones.
        until = len(service.asked) + moments.integers(1, 30)
        process = begun(hamlet, fresh_cache)
        while len(service.asked) < until and process.poll() is None:
            time.sleep(0.001)
        time.sleep(moments.uniform(0, 0.1))
        process.kill()
        process.communicate()
        ends.add(process.returncode)
        held = look(stock(hamlet, fresh_cache))
        kept.add(len(held))
        if held == set(SERVED):
            # All had come: begin anew.
            (fresh_cache / "fetched/layers.lock").unlink()
    assert -signal.SIGKILL in ends
    assert len(kept) > 2, "the moments differ"
    held = look(stock(hamlet, fresh_cache))
    service.asked.clear()
    result = fetched(hamlet, fresh_cache)
    assert result.exit_code == 0, result.stderr
    # Of a layer that counts no feature near the hamlet no page is asked.
    assert set(service.layers_asked()) == set(SERVED) - held - set(FAR)
    assert look(stock(hamlet, fresh_cache)) == set(SERVED)
    assert not list((fresh_cache / "fetched/scratch").iterdir())


def look(stock):
    """Layers that are held, after a look at every byte."""
    faults = [f for f in stock.holdings.verify() if f.kind != "unreferenced"]
    assert faults == []
    return {e.layer for e in stock.holdings.entries()}


# ── from Python ───────────────────────────────────────────────────────────────────────────────
def test_the_report_and_the_error_are_for_programs_too(served, fresh_cache):
    hamlet, service = served
    order = Order((catalog.open_scenario(str(hamlet.scenario)),))
    with Client(QUICK) as client:
        report = fetch(order, stock(hamlet, fresh_cache), client, LayerSilence(), jobs=1)
        assert [o.layer for o in report.of("fetched")] == sorted(SERVED)
        west, south, east, north = report.box
        assert shapely.box(west, south, east, north).contains(shapely.box(*box_of(hamlet)))
        assert forecasts(order, stock(hamlet, fresh_cache), client) == ()
        service.dead.add("/")
        named = Order(layers=("land/dod",))
        with pytest.raises(FetchError, match="land/dod"):
            fetch(named, stock(hamlet, fresh_cache), client, LayerSilence(), refresh=True)


# ── nothing where there should be something ───────────────────────────────────────────────────
def test_a_source_that_has_nothing_at_all_is_none_and_the_next_is_asked(served, fresh_cache):
    hamlet, service = served
    service.frames["land/old"] = service.frames["land/dod"].iloc[:0]
    empty = service.source("land/old")
    hamlet.declare("land/dod", sources=[empty])
    result = fetched(hamlet, fresh_cache, "--layer", "land/dod")
    assert result.exit_code == 1
    assert "has no feature at all" in result.stderr
    hamlet.declare("land/dod", sources=[empty, service.source("land/dod")])
    result = fetched(hamlet, fresh_cache, "--layer", "land/dod")
    assert result.exit_code == 0, result.stderr


def test_a_part_without_features_is_kept(served, fresh_cache):
    hamlet, _ = served
    far = ("--layer", "land/dod", "--aoi=-80,30,-79,31")
    result = cli("fetch", *far, *words(hamlet, fresh_cache))
    assert result.exit_code == 0, result.stderr
    assert "land/dod: 0 features" in result.stderr


def test_what_a_file_below_the_data_root_hides_is_said(served, fresh_cache):
    hamlet, service = served
    service.frames["land/dod"].to_file(hamlet.data / "land-dod.gpkg")
    (hamlet.data / "land").mkdir()
    (hamlet.data / "land-dod.gpkg").rename(hamlet.data / "land/dod.gpkg")
    result = cli("fetch", "--layer", "land/dod", "--refresh", *words(hamlet, fresh_cache))
    assert result.exit_code == 0, result.stderr
    assert "dod.gpkg is read instead as long as it is there" in result.stdout + result.stderr
