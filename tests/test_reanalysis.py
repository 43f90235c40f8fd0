"""A run asked again on other cells: from its own folder, printed, and saved whole."""

import json
import shutil
from dataclasses import replace

import pandas as pd
import pytest

from geosite.catalog import open_catalog, open_rulebook
from geosite.errors import RunError
from geosite.reanalysis import Sources, restated, saved, stability
from geosite.runs import execute, open_run
from tests import worlds

PATCH = {"unit": "patch", "threshold": "0.2", "min_area": "50 ha"}


@pytest.fixture(scope="module")
def hamlet(tmp_path_factory):
    shared = worlds.shared_hamlet(tmp_path_factory)
    return worlds.copied(shared, tmp_path_factory.mktemp("reanalysis"))


@pytest.fixture(scope="module")
def run(hamlet):
    return open_run(worlds.earlier_run(hamlet))


@pytest.fixture(scope="module")
def sources(hamlet):
    return Sources(open_catalog(hamlet.layers), open_rulebook(), hamlet.data)


@pytest.fixture(scope="module")
def found(run, sources, tmp_path_factory):
    plans = restated(run, sources, (100.0, 400.0))
    return stability(run, plans, tmp_path_factory.mktemp("scratch"))


def test_the_question_is_the_runs_own_but_for_the_cells(run, sources, found):
    (plan,) = restated(run, sources, (300.0,))
    assert plan.grid.resolution == 300
    assert plan.as_of.isoformat() == run.manifest["as_of"]
    assert [row["cell_m"] for row in found.cells] == [100, 400]
    assert [row["also_differs"] for row in found.cells] == [[], []]


def test_sites_are_found_again_and_every_site_has_a_row_a_size(run, found):
    assert found.sites == len(run.sites)
    assert len(found.matches) == 2 * found.sites
    fine = found.cells[0]
    assert fine["matched"] >= 1
    assert 0 < fine["jaccard"] <= 1
    assert found.thresholds is None


def test_what_else_was_changed_is_said(run, sources, tmp_path, found):
    title = {**run.manifest["scenario"], "title": "Another mine"}
    other = replace(run, manifest={**run.manifest, "scenario": title})
    changed = {**run.manifest, "layers": [
        x | {"vintage": "1901"} if x["id"] == "land/blm" else x for x in run.manifest["layers"]
    ]}  # fmt: skip
    other = replace(other, manifest=changed)
    again = stability(other, restated(run, sources, (400.0,)), tmp_path)
    assert any("land/blm" in words for words in again.cells[0]["also_differs"])


def test_what_cannot_be_asked_again_is_refused_with_every_reason(run, sources):
    said = {**run.manifest, "reviews": {"run": "earlier"}}
    own = run.manifest["grid"]["resolution_m"]
    with pytest.raises(RunError) as told:
        restated(replace(run, manifest=said), sources, (own, 300.0, 300.0))
    for words in ("decisions of reviewers", "those of the run itself", "named twice"):
        assert words in str(told.value)


def test_patches_are_cut_again_from_the_saved_surface(hamlet, sources, tmp_path):
    hamlet.ask(sites=PATCH)
    run = execute(hamlet.plan(), tmp_path)
    found = stability(run, [], tmp_path).thresholds
    assert found is not None
    assert found["threshold"].tolist() == pytest.approx([0.2, 0.1, 0.15, 0.25, 0.3])
    # No patch is split or leaves for want of a law here.
    assert found["patches"][0] == len(run.sites)
    assert found["area_ha"][0] == pytest.approx(run.sites["area_ha"].sum())
    areas = found.sort_values("threshold")["area_ha"].tolist()
    assert areas == sorted(areas, reverse=True)
    assert found["jaccard"][0] == 1


# ── the verb ──────────────────────────────────────────────────────────────────────────────────
def test_the_verb_prints_and_saves_beside_the_run(run):
    before = worlds.tree(run.path)
    # Other tests of the run leave their answers beside it, too.
    for old in run.path.parent.glob(f"{run.path.name}.stability*"):
        shutil.rmtree(old)
    done = worlds.cli("stability", run.path, "--cells", "400 m", "--quiet")
    assert done.exit_code == 0, done.output
    assert "# How stable the sites are" in done.stdout
    folder = run.path.with_name(f"{run.path.name}.stability")
    assert done.stdout.splitlines()[-1] == str(folder)
    assert worlds.tree(run.path) == before
    assert {p.name for p in folder.iterdir()} == {
        "README.md", "stability.json", "stability_sites.csv", "stability_tiers.csv",
    }  # fmt: skip
    assert [p.name for p in folder.parent.iterdir() if p.name.startswith(".")] == []
    said = json.loads((folder / "stability.json").read_text(encoding="utf-8"))
    assert said["cells"][0]["cell_m"] == 400
    table = pd.read_csv(folder / "stability_sites.csv")
    assert table["notice"].str.startswith("Pre-decisional").all()
    again = worlds.cli("stability", run.path, "--cells", "none")
    assert again.stdout.splitlines()[-1] == f"{folder}-2"
    assert "On other cells" not in again.stdout


def test_without_a_size_the_cells_are_twice_as_large(run):
    done = worlds.cli("stability", run.path, "--quiet")
    assert done.exit_code == 0, done.output
    assert "| 400 m |" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--cells=9 parsecs", "is not in m, km"),
        ("--cells=-5 m", "above zero"),
        ("--cells=180 m,,", "begin with a number|is not in m"),
        ("--cells=200 m", "those of the run itself"),
    ],
)
def test_cells_that_are_none_are_refused(run, words, said):
    done = worlds.cli("stability", run.path, words)
    assert done.exit_code != 0
    assert any(part in done.output for part in said.split("|"))


def test_a_folder_that_cannot_be_written_leaves_nothing(found, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RunError, match="could not be written"):
        saved(found, tmp_path / "file" / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
