"""Two runs on one page, as data."""

from __future__ import annotations

import dataclasses
import json
import re

import pytest

from geosite.errors import RunError
from geosite.map.comparing import Compared, render_comparison, write_comparison
from tests.browser.toycontent import toy_content


def other():
    content = toy_content()
    sites = content.sites.iloc[::-1].assign(rank=range(1, 15)).iloc[:10]
    return dataclasses.replace(content, title="Refinery", sites=sites)


def block(page):
    html = page.get_root().render()
    data = re.search(
        r'<script type="application/json" id="gs-data">(.*?)</script>', html, re.DOTALL
    )
    return html, json.loads(data[1])


def both():
    left, right = toy_content(), other()
    same = {i: i for i in right.sites["site_id"]}
    said = Compared((left.title, right.title), same, ("the weight of rail was 1 and is 2",))
    return left, right, said


def test_the_page_is_that_of_the_left_run_with_the_right_one_beside_it():
    left, right, said = both()
    html, data = block(render_comparison(left, right, said))
    compare = data["compare"]
    assert compare["titles"] == [left.title, "Refinery"]
    assert compare["sites"]["n"] == 10
    assert (compare["gone"], compare["new"]) == (4, 0)
    ranks = dict(zip(right.sites["site_id"], right.sites["rank"], strict=True))
    assert compare["ranks"] == [ranks.get(i) for i in left.sites["site_id"]]
    assert compare["same"][0] in ("", left.sites["site_id"].iloc[0])
    assert compare["differs"] == ["the weight of rail was 1 and is 2"]
    for name in ("suitability", "excluded", "unknown"):
        assert f'id="gs-blob-picture-right-{name}"' in html
    assert f"<title>{left.title} | Refinery" in html


def test_one_title_is_said_once():
    left, right, said = both()
    said = dataclasses.replace(said, titles=("nevada", "west"))
    html, _ = block(render_comparison(left, dataclasses.replace(right, title=left.title), said))
    assert f"<title>{left.title}: nevada | west" in html


def test_the_view_holds_both_areas():
    left, right, said = both()
    moved = right.aoi.translate(2e5, 1e5)
    right = dataclasses.replace(right, aoi=right.aoi.set_geometry(moved))
    _, alone = block(render_comparison(left, left, said))
    _, data = block(render_comparison(left, right, said))
    (s0, w0), (n0, e0) = alone["view"]
    (s, w), (n, e) = data["view"]
    assert (s, w) <= (s0, w0)
    assert n > n0
    assert e > e0


def test_the_same_runs_give_the_same_bytes(tmp_path):
    left, right, said = both()
    for name in ("a", "b"):
        write_comparison(left, right, said, tmp_path / name, max_sites=5)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_page_larger_than_asked_is_refused_with_what_would_do(tmp_path):
    path = tmp_path / "both.html"
    with pytest.raises(RunError, match=r"ask for --max-mb (\S+) or more") as caught:
        write_comparison(*both(), path, max_mb=0.01)
    assert not list(tmp_path.iterdir())
    least = float(re.search(r"--max-mb (\S+) or more", str(caught.value))[1])
    write_comparison(*both(), path, max_mb=least)
    assert path.stat().st_size <= least * 1e6
