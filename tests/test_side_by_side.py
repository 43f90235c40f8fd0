"""Two runs on one map: what is the same, what differs, and what cannot be compared."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import geopandas as gpd
import pytest
from shapely.geometry import box

from geosite.errors import RunError
from geosite.runs import open_run
from geosite.side_by_side import compared, comparison_map, write_comparison_map
from tests.browser.toycontent import ALBERS, toy_content
from tests.worlds import earlier_run, edited_criteria


@pytest.fixture
def two(hamlet):
    first = earlier_run(hamlet)
    hamlet.ask(title="Another question", criteria=edited_criteria("rail", weight=90))
    done = hamlet.cli("run", "--no-map")
    assert done.exit_code == 0, done.stderr
    (second,) = [p for p in first.parent.parent.glob("*/*") if p.is_dir() and p != first]
    return open_run(first), open_run(second)


def test_two_scenarios_of_one_aoi_become_one_page(two, tmp_path):
    left, right = two
    path = tmp_path / "both.html"
    assert write_comparison_map(left, right, path) == ()
    text = path.read_text(encoding="utf-8")
    assert "Another question" in text
    assert '"compare":' in text
    assert not list(tmp_path.glob(".*partial"))
    write_comparison_map(left, right, tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == path.read_bytes()
    assert "<iframe" in comparison_map(left, right)._repr_html_()


def test_the_same_run_twice_is_refused(two, tmp_path):
    left, _ = two
    again = open_run(left.path.parent / ".." / left.path.parent.name / left.path.name)
    with pytest.raises(RunError, match="the same run twice") as refused:
        write_comparison_map(left, again, tmp_path / "both.html")
    assert "two different runs" in str(refused.value)
    assert not (tmp_path / "both.html").exists()


def test_a_page_that_cannot_be_written_is_said(two, tmp_path):
    with pytest.raises(
        RunError, match=r"none/both.html: there is no folder .*none; make it.*--out"
    ):
        write_comparison_map(*two, tmp_path / "none" / "both.html")


def known(name):
    manifest = {"scenario": {}, "layers": [], "rules": [], "criteria": []}
    return SimpleNamespace(path=SimpleNamespace(name=name), manifest=manifest)


def said(one, other, monkeypatch):
    monkeypatch.setattr("geosite.side_by_side.since", lambda *_: [])
    return compared(known("a"), known("b"), one, other)


def test_sites_are_matched_by_id_then_by_land(monkeypatch):
    one = toy_content()
    ids = one.sites["site_id"].tolist()
    other = dataclasses.replace(one, sites=one.sites.assign(site_id=[*ids[:-1], "BLM-new"]))
    found = said(one, other, monkeypatch)
    assert found.same == {**{i: i for i in ids[:-1]}, ids[-1]: "BLM-new"}
    assert found.titles == ("a", "b")
    assert found.differs == ()


def test_runs_in_two_crs_are_brought_together(monkeypatch):
    one = toy_content()
    frames = {n: getattr(one, n).to_crs(3310) for n in ("sites", "aoi")}
    other = dataclasses.replace(one, aoi_name="Other basin", crs=frames["aoi"].crs, **frames)
    found = said(one, other, monkeypatch)
    assert found.titles == ("Toy basin", "Other basin")
    assert len(found.same) == len(one.sites)
    assert found.differs == ("the AOI was Toy basin and is Other basin",)


def test_aois_without_common_land_are_warned_of(monkeypatch):
    one = toy_content()
    far = gpd.GeoDataFrame(geometry=[box(0, 0, 1e5, 1e5)], crs=ALBERS)
    other = dataclasses.replace(one, title="Other", aoi=far, aoi_name="Far", as_of="2026-01-01")
    found = said(one, other, monkeypatch)
    assert "share no land (Toy basin; Far)" in found.differs[0]
    assert found.differs[2] == "the rules are those of 2025-11-21 and of 2026-01-01"
    assert found.titles[1] == "Other"
    empty = dataclasses.replace(one, aoi=one.aoi.iloc[:0])
    assert not any("share no land" in line for line in said(one, empty, monkeypatch).differs)
