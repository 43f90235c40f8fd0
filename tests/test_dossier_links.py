"""Which sites have a page in a dossier beside their run."""

from __future__ import annotations

import geopandas as gpd
import pyogrio
import pytest
from shapely.geometry import box

from geosite.report.dossier_links import dossier_links, page_files

IDS = ("BLM-W1N2", "BLM W1N2", "USFS-1")


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "20260101T120000Z-1a2b3c4d"
    folder.mkdir()
    return folder


def dossier(run, name, ids=IDS):
    folder = run.with_name(name)
    folder.mkdir()
    frame = gpd.GeoDataFrame(
        {"site_id": list(ids)}, geometry=[box(0, 0, 1, 1)] * len(ids), crs=5070
    )
    pyogrio.write_dataframe(frame, folder / "dossier.gpkg", layer="sites")
    for file in page_files(ids).values():
        (folder / file).write_text("a page")
    return folder


def test_a_run_without_a_dossier_links_none(run):
    assert dossier_links(run) == {}


def test_every_page_is_linked_from_the_folder_of_the_run(run):
    dossier(run, f"{run.name}.review")
    found = dossier_links(run)
    assert found == {
        "BLM-W1N2": f"../{run.name}.review/BLM-W1N2.html",
        "BLM W1N2": f"../{run.name}.review/BLM-W1N2-2.html",
        "USFS-1": f"../{run.name}.review/USFS-1.html",
    }
    assert all((run / path).is_file() for path in found.values())


def test_the_newest_page_of_a_site_is_linked(run):
    dossier(run, f"{run.name}.review")
    dossier(run, f"{run.name}.review-10", ["USFS-1"])
    dossier(run, f"{run.name}.review-9", ["USFS-1", "BLM-W1N2"])
    found = dossier_links(run)
    assert found["USFS-1"] == f"../{run.name}.review-10/USFS-1.html"
    assert found["BLM-W1N2"] == f"../{run.name}.review-9/BLM-W1N2.html"


def test_a_page_that_is_gone_a_damaged_dossier_and_that_of_another_run_are_not_linked(run):
    folder = dossier(run, f"{run.name}.review")
    (folder / "USFS-1.html").unlink()
    damaged = dossier(run, f"{run.name}.review-2")
    (damaged / "dossier.gpkg").write_bytes(b"no database")
    dossier(run, f"{run.name}.reviewed")
    dossier(run, "another.review")
    assert sorted(dossier_links(run)) == ["BLM W1N2", "BLM-W1N2"]
    assert all(f"{run.name}.review/" in path for path in dossier_links(run).values())
