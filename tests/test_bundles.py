"""A whole analysis in one file: the same answer elsewhere, and nothing taken on trust."""

from __future__ import annotations

import hashlib
import json
import shutil
import warnings
import zipfile
from dataclasses import replace

import geopandas as gpd
import pytest
import yaml

import geosite as gs
from geosite.bundles import bundle, opened
from geosite.errors import FetchError, LayerDataError, MissingLayerError, RunError
from geosite.sources import nearby, sealed
from geosite.sources.holdings import Holdings
from geosite.sources.nearby import near
from tests.stores import fetched
from tests.toyservice import FAR
from tests.worlds import ALBERS, box, cli, copied, tree

EVERYWHERE = (-180.0, -90.0, 180.0, 90.0)
HELD = {
    "aoi/states": None,
    "infrastructure/rail": EVERYWHERE,
    "land/dod": EVERYWHERE,
    "land/tribal": None,
    "minerals/usmin": EVERYWHERE,
    "terrain/elevation": EVERYWHERE,
}


def stocked(hamlet):
    """The folder of what was fetched of a hamlet, of which some files stay in place."""
    root = hamlet.root / "cache" / "fetched"
    fetched(hamlet, gs.open_catalog(hamlet.layers), Holdings(root), HELD)
    return root


def ran(plan, outputs):
    return gs.execute(plan, outputs, drawn=False)


def from_bundle(path, cache, **more):
    found = opened(path, cache)
    scenario = gs.open_scenario(found.scenario_for("hamlet"))
    known, rules = gs.open_catalog(found.layers), gs.open_rulebook()
    return gs.plan(scenario, known, rules, found.data, fetched=found.fetched, **more)


@pytest.fixture(scope="module")
def packed(common, tmp_path_factory):
    """A hamlet, its run, and the bundle of its plan; to be read only."""
    hamlet = copied(common, tmp_path_factory.mktemp("packed") / "here")
    plan = hamlet.plan(fetched=stocked(hamlet))
    path = hamlet.root / "out.zip"
    return hamlet, plan, bundle(plan, path)


@pytest.fixture
def zipped(packed, tmp_path):
    """A bundle of the test's own, to spoil."""
    return shutil.copyfile(packed[2].path, tmp_path / "out.zip")


# ── what is fetched, planned with ─────────────────────────────────────────────────────────────
def test_a_run_of_what_was_fetched_gives_the_answer_of_the_files_it_came_from(packed, common):
    _, plan, _ = packed
    assert plan.missing == ()
    run = ran(plan, packed[0].root / "runs")
    before = min((common.outputs / "hamlet").iterdir())
    assert (run.path / "sites.csv").read_bytes() == (before / "sites.csv").read_bytes()
    said = {x["id"]: x["files"] for x in run.manifest["layers"]}
    (rail,) = said["infrastructure/rail"]
    assert rail["path"] == "fetched/infrastructure/rail"
    assert rail["url"].startswith("https://example.org/")
    assert rail["retrieved"].endswith("Z")
    assert said["land/blm"][0].keys() == {"path", "sha256", "size"}
    cited = (run.path / "CITATIONS.md").read_text(encoding="utf-8")
    assert "## Retrieved" in cited
    assert rail["url"] in cited
    assert "## Retrieved" not in (before / "CITATIONS.md").read_text(encoding="utf-8")


def test_reading_large_layers_near_the_aoi_only_gives_the_same_answer(
    packed, tmp_path, monkeypatch
):
    _, plan, _ = packed
    one = ran(plan, tmp_path / "one")
    parts = []
    monkeypatch.setattr(nearby, "LARGE", 0)
    monkeypatch.setattr(nearby, "near", lambda *a: parts.append(near(*a)) or parts[-1])
    for _ in range(2):  # the second time from the cache of what was read
        two = ran(plan, tmp_path / "two")
        for file in ("sites.csv", "removed.csv", "status.tif"):
            assert (two.path / file).read_bytes() == (one.path / file).read_bytes()
    assert sum(part is not None for part in parts) >= 3
    for counts in two.manifest["counts"]:
        whole = counts["used"] + counts["not_selected"] + sum(counts["rejected"].values())
        assert counts["found"] == whole


def test_when_a_layer_was_fetched_is_no_other_question(hamlet, tmp_path):
    plan = hamlet.plan(fetched=stocked(hamlet))
    one = ran(plan, tmp_path / "one")
    later = {
        i: replace(h, entry=h.entry.model_copy(update={"retrieved": "2031-01-01T00:00:00Z"}))
        for i, h in plan.catalog.held.items()
    }
    two = ran(replace(plan, catalog=replace(plan.catalog, held=later)), tmp_path / "two")
    assert two.manifest["hash"] == one.manifest["hash"]
    assert "2031-01-01" in (two.path / "CITATIONS.md").read_text(encoding="utf-8")


def test_what_was_fetched_for_another_area_is_missing_and_it_is_said_why(hamlet):
    root = hamlet.root / "cache" / "fetched"
    small = (-117.0, 39.0, -116.9, 39.1)
    boxes = {"aoi/states": None, "infrastructure/rail": small}
    fetched(hamlet, gs.open_catalog(hamlet.layers), Holdings(root), boxes)
    (use,) = hamlet.plan(fetched=root).missing
    assert use.layer == "infrastructure/rail"
    assert "fetched for -117.000,39.000,-116.900,39.100" in use.missing
    assert "geosite fetch" in use.missing


def test_a_part_of_the_states_gives_no_outline(hamlet):
    root = hamlet.root / "cache" / "fetched"
    boxes = {"aoi/states": EVERYWHERE, "infrastructure/rail": EVERYWHERE, "land/dod": None}
    fetched(hamlet, gs.open_catalog(hamlet.layers), Holdings(root), boxes)
    (hamlet.data / "blm.gpkg").unlink()
    with pytest.raises(MissingLayerError) as caught:
        hamlet.plan(fetched=root)
    lines = str(caught.value).splitlines()
    assert "without aoi/states" in lines[0]
    assert "needed everywhere" in lines[1]
    assert [line.split()[0] for line in lines[1:]] == ["aoi/states", "land/blm"]


# ── the same elsewhere ────────────────────────────────────────────────────────────────────────
def test_a_run_from_the_bundle_is_the_run_it_was_made_from(packed, tmp_path):
    _, plan, made = packed
    mine = ran(plan, tmp_path / "mine")
    moved = shutil.copyfile(made.path, tmp_path / "elsewhere.zip")
    theirs = ran(from_bundle(moved, tmp_path / "cache"), tmp_path / "theirs")
    assert theirs.manifest["hash"] == mine.manifest["hash"]
    assert (theirs.path / "sites.csv").read_bytes() == (mine.path / "sites.csv").read_bytes()
    assert made.missing == ()
    assert {*made.layers} == {*HELD, *FAR, "land/blm", "infrastructure/towns"}
    assert made.size == made.path.stat().st_size


def test_an_aoi_from_a_file_and_a_day_and_cells_travel_with_it(packed, tmp_path):
    hamlet, *_ = packed
    outline = gpd.GeoDataFrame(geometry=[box(500, 500, 11_000, 9000)], crs=ALBERS)
    outline.to_file(tmp_path / "area.shp")
    plan = gs.plan(
        gs.open_scenario(str(hamlet.scenario)).model_copy(update={"as_of": None}),
        gs.open_catalog(hamlet.layers),
        gs.open_rulebook(),
        hamlet.data,
        aoi=str(tmp_path / "area.shp"),
        resolution=250.0,
        fetched=hamlet.root / "cache" / "fetched",
    )
    made = bundle(plan, tmp_path / "out.zip")
    mine = ran(plan, tmp_path / "mine")
    shutil.rmtree(tmp_path / "mine", ignore_errors=True)
    for file in tmp_path.glob("area.*"):
        file.unlink()
    there = from_bundle(made.path, tmp_path / "cache")
    assert there.aoi.equals(plan.aoi)
    assert (there.as_of, there.grid.resolution) == (plan.as_of, 250.0)
    assert ran(there, tmp_path / "theirs").manifest["hash"] == mine.manifest["hash"]


def test_the_same_plan_makes_the_same_bytes(packed, tmp_path):
    again = bundle(packed[1], tmp_path / "out.zip")
    assert again.path.read_bytes() == packed[2].path.read_bytes()
    assert [p.name for p in tmp_path.iterdir()] == ["out.zip"]
    assert again.path.stat().st_mode & 0o777 == 0o644


def test_every_member_is_listed_and_the_words_are_plain(packed):
    with zipfile.ZipFile(packed[2].path) as archive:
        assert archive.testzip() is None
        said = json.loads(archive.read("bundle.json"))
        names = {*archive.namelist()} - {"bundle.json"}
        assert {m["name"] for m in said["files"]} == names
        for member in said["files"]:
            content = archive.read(member["name"])
            assert hashlib.sha256(content).hexdigest() == member["sha256"]
        kinds = {i.filename: i.compress_type for i in archive.infolist()}
        readme = archive.read("README.md").decode()
        lock = json.loads(archive.read("fetched/layers.lock"))
    assert said["about"]["scenario"] == "hamlet"
    assert {kinds[n] for n in names if n.endswith((".parquet", ".tif"))} == {zipfile.ZIP_STORED}
    assert kinds["README.md"] == zipfile.ZIP_DEFLATED
    assert {e["layer"] for e in lock["layers"]} == {*HELD}
    assert {"data/blm.gpkg", "data/towns.csv", "scenario.yaml", "layers/land/blm.yaml"} <= names
    for word in ("geosite run hamlet --layers out.zip", "CC0-1.0", "made up for the tests",
                 "https://example.org/", "land/blm", "2026-01-02"):  # fmt: skip
        assert word in readme


def test_sidecars_folders_and_parts_of_unions_travel(hamlet, tmp_path):
    union = {"sources": None, "crs": None, "union_of": ["land/one", "land/two"]}
    one = gpd.read_file(hamlet.data / "blm.gpkg")
    one.iloc[:1].to_file(hamlet.data / "one.shp")
    one.iloc[1:].to_file(hamlet.data / "two.gdb", driver="OpenFileGDB")
    entry = yaml.safe_load((hamlet.layers / "land" / "blm.yaml").read_text(encoding="utf-8"))
    for part, file in (("one", "one.shp"), ("two", "two.gdb")):
        said = entry | {"sources": [{"kind": "file", "path": file}]}
        (hamlet.layers / "land" / f"{part}.yaml").write_text(yaml.safe_dump(said))
    hamlet.declare("land/blm", **union)
    plan = hamlet.plan()
    made = bundle(plan, tmp_path / "out.zip")
    assert {"land/one", "land/two"} <= {*made.layers}
    mine = ran(plan, tmp_path / "mine")
    theirs = ran(from_bundle(made.path, tmp_path / "cache"), tmp_path / "theirs")
    assert theirs.manifest["hash"] == mine.manifest["hash"]


def test_missing_layers_are_refused_or_listed(hamlet, tmp_path):
    (hamlet.data / "rail.fgb").unlink()
    plan = hamlet.plan()
    with pytest.raises(MissingLayerError, match="infrastructure/rail"):
        bundle(plan, tmp_path / "out.zip")
    assert not list(tmp_path.glob("*.zip"))
    made = bundle(plan, tmp_path / "out.zip", allow_missing=True)
    assert made.missing == ("infrastructure/rail",)
    assert [u.layer for u in from_bundle(made.path, tmp_path / "c").missing] == [*made.missing]
    with zipfile.ZipFile(made.path) as archive:
        assert "## Not to be had\n\n* infrastructure/rail" in archive.read("README.md").decode()


def test_every_official_entry_and_preset_is_written_as_it_was_read(tmp_path, root):
    known, rules = gs.open_catalog(gs.official_layers()), gs.open_rulebook()
    from geosite.bundles import _entry_parts, _question_parts  # noqa: PLC0415

    for name in gs.preset_names():
        scenario = gs.open_scenario(name)
        box_ = "-117.2,39.2,-117.1,39.3"
        plan = gs.plan(scenario, known, rules, tmp_path, aoi=box_)
        home = tmp_path / name.replace("/", "-")
        for part in (*_question_parts(plan), *_entry_parts(plan)):
            (home / part.name).parent.mkdir(parents=True, exist_ok=True)
            (home / part.name).write_text(part.text, encoding="utf-8")
        again = gs.open_scenario(str(home / "scenario.yaml"))
        assert again.model_copy(update={"as_of": None}) == plan.scenario
        theirs = gs.open_catalog(home / "layers")
        assert all(theirs[i] == known[i] for i in theirs)
        assert {u.layer for u in plan.uses} & {*known} <= {*theirs}


# ── writing ───────────────────────────────────────────────────────────────────────────────────
def test_a_file_that_changed_is_not_bundled(hamlet, tmp_path):
    root = stocked(hamlet)
    plan = hamlet.plan(fetched=root)
    path = plan.catalog.held["land/dod"].path
    content = bytearray(path.read_bytes())
    content[50] ^= 1
    path.write_bytes(content)
    target = tmp_path / "out.zip"
    target.write_bytes(b"the one before")
    with pytest.raises(LayerDataError, match="has changed since"):
        bundle(plan, target)
    assert target.read_bytes() == b"the one before"
    assert [p.name for p in tmp_path.glob("*out*")] == ["out.zip"]


def test_a_place_that_cannot_be_written_is_said(packed, tmp_path):
    with pytest.raises(RunError, match=r"out\.zip: cannot be written .*name another file"):
        bundle(packed[1], tmp_path / "nowhere" / "out.zip")


# ── opening ───────────────────────────────────────────────────────────────────────────────────
def test_a_bundle_is_unpacked_once(zipped, tmp_path):
    cache = tmp_path / "cache"
    first = opened(zipped, cache)
    before = {p: p.stat().st_mtime_ns for p in first.layers.parent.rglob("*")}
    assert opened(zipped, cache) == first
    assert {p: p.stat().st_mtime_ns for p in first.layers.parent.rglob("*")} == before
    assert first.layers.parent.parent == cache / "bundles"
    digest = hashlib.sha256(zipped.read_bytes()).hexdigest()
    assert first.layers.parent.name == digest[:16]
    # What was lost of it is brought back.
    (first.layers / "land" / "blm.yaml").unlink()
    opened(zipped, cache)
    assert (first.layers / "land" / "blm.yaml").is_file()
    assert not list((cache / "bundles").glob("*.part"))


def test_what_a_killed_process_left_is_no_hindrance(zipped, tmp_path):
    cache = tmp_path / "cache"
    digest = hashlib.sha256(zipped.read_bytes()).hexdigest()[:16]
    left = cache / "bundles" / f".{digest}.part" / "layers"
    left.mkdir(parents=True)
    (left / "half.yaml").write_text("title")
    assert "half.yaml" not in {p.name for p in opened(zipped, cache).layers.iterdir()}


def test_the_scenario_of_the_bundle_answers_to_its_name(packed, tmp_path):
    found = opened(packed[2].path, tmp_path)
    assert found.scenario_for("hamlet") == str(found.scenario)
    assert found.scenario_for("mine/open-pit") == "mine/open-pit"


def test_who_wants_no_cache_names_one(zipped, tmp_path, monkeypatch):
    monkeypatch.setenv("GEOSITE_CACHE", "")
    with pytest.raises(FetchError, match="--cache"):
        opened(zipped)
    assert opened(zipped, tmp_path).layers.is_dir()


def test_a_cache_that_cannot_be_written_is_said(zipped, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="--cache"):
        opened(zipped, tmp_path / "file")


def test_a_disk_that_is_full_is_said_before_anything_is_unpacked(zipped, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(RunError, match="GB are free"):
        opened(zipped, tmp_path / "cache")


def refused(path, cache):
    """The message with which a bundle is refused, after which nothing of it is there."""
    with pytest.raises(LayerDataError) as caught:
        opened(path, cache)
    left = [p for p in tree(cache) if not p.endswith(".lock")] if cache.exists() else []
    assert left in ([], ["bundles"])
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("content", [b"", b"<html>login</html>", b"PK\x03\x04 nothing", b"\0" * 99])
def test_what_is_no_zip_is_refused(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    assert "no zip file" in refused(tmp_path / "a.zip", tmp_path / "cache")


def test_what_is_not_there_is_refused(tmp_path):
    assert "No such file" in refused(tmp_path / "a.zip", tmp_path / "cache")
    assert "directory" in refused(tmp_path, tmp_path / "cache")


def test_a_bundle_that_was_cut_short_is_refused(zipped, tmp_path):
    content = zipped.read_bytes()
    for share in (0.3, 0.9, 0.999):
        zipped.write_bytes(content[: int(len(content) * share)])
        refused(zipped, tmp_path / "cache")


def test_any_byte_that_changed_is_found(zipped, tmp_path):
    content = zipped.read_bytes()
    for at in range(100, len(content), len(content) // 60):
        spoilt = bytearray(content)
        spoilt[at] ^= 0x55
        zipped.write_bytes(spoilt)
        try:
            found = opened(zipped, tmp_path / "cache")
        except LayerDataError:
            continue
        # A byte that means nothing: a date, or an attribute of a member.
        whole = {k: v for k, v in tree(found.layers.parent).items() if v != "folder"}
        shutil.rmtree(found.layers.parent)
        zipped.write_bytes(content)
        again = opened(zipped, tmp_path / "other").layers.parent
        assert {k: v for k, v in tree(again).items() if v != "folder"} == whole


def spoilt(path, change):
    """Write a bundle again after `change` has seen its members and what it says of them."""
    with zipfile.ZipFile(path) as archive:
        members = [(i.filename, archive.read(i)) for i in archive.infolist()]
    content = dict(members)
    said = json.loads(content.pop("bundle.json"))
    extra = change(content, said) or []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in [*content.items(), *extra, ("bundle.json", json.dumps(said))]:
                archive.writestr(name, data)


def added(name, data=b"x"):
    def change(content, said):
        content[name] = data
        digest = hashlib.sha256(data).hexdigest()
        said["files"].append({"name": name, "sha256": digest, "size": len(data)})

    return change


@pytest.mark.parametrize(
    "name",
    ["../evil", "/evil", "data/../../evil", "data/./a", "C:/evil", "a\\..\\evil", "data//a",
     "data/.."],
)  # fmt: skip
def test_names_that_leave_the_folder_are_refused(zipped, tmp_path, name):
    spoilt(zipped, added(name))
    before = tree(tmp_path)
    assert "would be written outside" in refused(zipped, tmp_path / "cache")
    assert {k: v for k, v in tree(tmp_path).items() if not k.startswith("cache")} == before


def test_members_that_nobody_lists_or_that_are_there_twice_are_refused(zipped, tmp_path):
    spoilt(zipped, lambda content, _: content.update({"data/more.csv": b"a"}))
    assert "not those that" in refused(zipped, tmp_path / "cache")
    spoilt(zipped, lambda content, said: [("README.md", b"another")])
    assert refused(zipped, tmp_path / "cache")
    spoilt(zipped, lambda content, _: content.pop("README.md") and None)
    assert refused(zipped, tmp_path / "cache")


def test_a_member_with_other_bytes_than_the_bundle_says_is_refused(zipped, tmp_path):
    def change(content, said):
        content["data/towns.csv"] = content["data/towns.csv"].replace(b"700", b"900")

    spoilt(zipped, change)
    assert "'data/towns.csv' is damaged" in refused(zipped, tmp_path / "cache")


def test_a_bundle_without_its_own_words_is_refused(zipped, tmp_path):
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("data.csv", "a,b")
    assert "holds no bundle.json" in refused(zipped, tmp_path / "cache")
    for text in ("{", "[]", '{"version": 1}', '{"version": 1, "about": {}, "files": [{}]}'):
        with zipfile.ZipFile(zipped, "w") as archive:
            archive.writestr("bundle.json", text)
        assert "cannot be read" in refused(zipped, tmp_path / "cache")
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("bundle.json", '{"version": 1, "about": {}, "files": []}')
    with pytest.raises(LayerDataError, match="no scenario or no layers"):
        opened(zipped, tmp_path / "cache")


def test_a_bundle_of_a_newer_version_is_said(zipped, tmp_path):
    spoilt(zipped, lambda _, said: said.update(version=2))
    assert "a newer one wrote it" in refused(zipped, tmp_path / "cache")


def test_a_bomb_is_not_unpacked(zipped, tmp_path, monkeypatch):
    monkeypatch.setattr(sealed, "_SMALL", 10_000)
    spoilt(zipped, added("data/bomb", b"\0" * 5_000_000))
    assert "'data/bomb' unpacks from" in refused(zipped, tmp_path / "cache")


def test_an_encrypted_member_is_refused(zipped, tmp_path):
    content = bytearray(zipped.read_bytes())
    at = content.index(b"PK\x01\x02")
    content[at + 8] |= 1
    zipped.write_bytes(content)
    assert "encrypted" in refused(zipped, tmp_path / "cache")


def test_the_catalogue_of_a_bundle_can_be_listed_and_checked(packed, tmp_path):
    _, _, done = packed
    more = ["--layers", done.path, "--cache", tmp_path / "cache"]
    listed = cli("layers", *more)
    assert listed.exit_code == 0, listed.stderr
    assert "land/dod" in listed.stdout
    checked = cli("check", *more)
    assert checked.exit_code == 0, checked.stderr
    assert "scenario hamlet: valid" in checked.stdout


def test_a_bundle_is_nothing_to_fetch_into(packed, tmp_path):
    result = cli("fetch", "hamlet", "--layers", packed[2].path, "--cache", tmp_path / "cache")
    assert result.exit_code == 2
    assert "is a bundle, which holds what it needs" in result.stderr
