"""The drawing of readiness against supply impact, and what the pages say of pathways."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd

from geosite.catalog import open_rulebook
from geosite.report import citations_text, readme_text, write_front
from geosite.report.front import LABELLED, front_svg
from geosite.report.pathways import pathway_labels, permit_labels, reliance_labels
from tests.browser.hostile import PAYLOADS
from tests.browser.toycontent import sites, toy_content

BOOK = open_rulebook()
SAID = {
    "permits": [p.model_dump(mode="json") for p in BOOK.permits.permits if "mine" in p.projects],
    "pathways": [p.model_dump(mode="json") for p in BOOK.permits.pathways if "mine" in p.projects],
    "import_reliance": {
        c.id: c.import_reliance.model_dump(mode="json")
        for c in BOOK.commodities.commodities
        if c.import_reliance
    },
}


def content(points=((0.5, 0.45), (0.2, 1.0), (0.2, 1.0), (0.1, 0.2), (np.nan, 0.5)), **more):
    table = sites(len(points))
    table["readiness"] = [p[0] for p in points]
    table["supply_impact"] = [p[1] for p in points]
    front = [True, True, True, False, False]
    table["readiness_front"] = front[: len(points)] if len(points) > 1 else False
    table["supply_unknown"] = ["", "", "", "", "gold"][: len(points)]
    table["commodities"] = "tungsten"
    table["permits"] = "plan-of-operations-3809; nepa-mine"
    table["consultations"] = "section-106"
    table["permits_possible"] = "section-404"
    table["pathways"] = "ordinary; emergency (tungsten)"
    table["pathways_not_open"] = "lease: for leasable minerals only"
    if "name" in more:
        table["name"] = pd.Series([more.pop("name")] * len(table), dtype=object)
    return toy_content(
        sites=table,
        permits=permit_labels(SAID),
        pathways=pathway_labels(SAID),
        reliances=reliance_labels(SAID),
        **more,
    )


def texts(svg):
    root = ET.fromstring(svg)  # noqa: S314 -- our own
    return [" ".join(e.itertext()).strip() for e in root.iter() if e.tag.endswith("text")]


def test_the_drawing_says_what_it_is_and_what_it_is_not():
    said = " ".join(texts(front_svg(content())))
    for words in (
        "SYNTHETIC WORLD", "Readiness, 0–1", "Supply impact, 0–1", "4 sites drawn, 1 not",
        "Neither axis enters suitability", "title plats and case files control",
        "public data only", "rules as of 2025-11-21", "(2024)",
    ):  # fmt: skip
        assert words in said
    assert "approvable" not in said.lower()


def test_the_fronts_sites_are_named_and_the_others_are_not():
    drawn = content()
    said = " ".join(texts(front_svg(drawn)))
    ids = drawn.sites["site_id"].tolist()
    assert [i in said for i in ids] == [True, True, True, False, False]


def test_a_long_front_names_some_and_counts_the_others():
    points = [(0.1 + k / 40, 1 - k / 40) for k in range(LABELLED + 3)]
    long = content()
    table = sites(len(points))
    table["readiness"], table["supply_impact"] = zip(*points, strict=True)
    table["readiness_front"] = True
    said = texts(front_svg(replace(long, sites=table)))
    assert sum(text.startswith("BLM-") for text in said) == LABELLED
    assert any("3 places on the front are not named here" in text for text in said)


def test_the_same_content_gives_the_same_bytes(tmp_path):
    assert write_front(content(), tmp_path / "a.svg")
    assert write_front(content(), tmp_path / "b.svg")
    one = (tmp_path / "a.svg").read_bytes()
    assert one == (tmp_path / "b.svg").read_bytes()
    assert date.today().isoformat().encode() not in one.replace(b"2025-11-21", b"")  # noqa: DTZ011


def test_without_a_site_of_which_both_are_known_nothing_is_drawn(tmp_path):
    assert not write_front(content(points=((np.nan, 0.5),)), tmp_path / "a.svg")
    assert not write_front(toy_content(), tmp_path / "a.svg")
    assert not (tmp_path / "a.svg").exists()


def test_names_from_strangers_stay_text():
    for payload in (*PAYLOADS, "$x^2$ \\frac", "銅山 ⛏"):
        root = ET.fromstring(front_svg(content(name=payload)))  # noqa: S314 -- our own
        tags = {e.tag.rpartition("}")[2] for e in root.iter()}
        assert not tags & {"script", "img", "iframe", "foreignObject", "a", "image"}


def test_the_page_of_a_run_tells_permits_and_pathways():
    page = readme_text(content())
    section = page.partition("## Permits and pathways")[2].partition("\n## ")[0]
    for words in (
        "never notice-level", "nothing is summed", "| 5 of 5 | 1 | 24 | 132 | observed |",
        "GAO-16-165", "0 of 5 | unknown | unknown | unknown", "36 CFR 800",
        "[readiness.svg](readiness.svg)", "3 sites are on the front", "1 of 5", "for gold",
        "do not enter it",
    ):  # fmt: skip
        assert words in section
    assert "approvable" not in page.lower()


def test_every_permit_and_pathway_and_figure_has_its_line_among_the_citations():
    page = citations_text(content())
    for entry in (*SAID["permits"], *SAID["pathways"]):
        assert f"| {entry['id']} |" in page
    assert "USGS data release P13XCP3R" in page
    assert "\\>50 %" in page or "&gt;50 %" in page


def test_a_run_that_is_older_than_permits_says_nothing_of_them():
    page = readme_text(toy_content())
    assert "Permits and pathways" not in page
    assert "Pathways" not in citations_text(toy_content())
    assert permit_labels({}) == pathway_labels({}) == reliance_labels({}) == ()


def test_what_readiness_rests_on_is_told_with_how_it_is_known():
    asked = content()
    asked.sites["readiness_rests_on"] = ["emergency", "emergency", "emergency", "ordinary", None]
    text = readme_text(asked)
    assert "Interior's emergency procedures (stated, to be confirmed) of 3" in text
    assert "Ordinary procedure, plan of operations (observed, confirmed) of 1" in text
    asked.sites["readiness_rests_on"] = ""
    assert "rests on the quickest" not in readme_text(asked)
