"""The panels: words escaped, every box that a script fills, what is not known."""

from __future__ import annotations

import re
from dataclasses import replace

from geosite import assets
from geosite.map.content_block import block_of
from geosite.map.shell import shell
from tests.browser.hostile import PAYLOADS
from tests.browser.toycontent import toy_content

BOXES = ("gs-find", "gs-table", "gs-export", "gs-weights", "gs-layers", "gs-card", "gs-status")


def panels(content):
    return shell(content, block_of(content, max_mb=10.0, max_sites=100))


def test_every_box_is_there_once_and_every_tab_has_its_panel():
    text = panels(toy_content())
    ids = re.findall(r'id="([^"]+)"', text)
    assert len(ids) == len({*ids})
    assert {*BOXES} <= {*ids}
    tabs = re.findall(r'aria-controls="([^"]+)"', text)
    assert len(tabs) == 4
    assert {*tabs} <= {*ids}
    assert text.count('aria-selected="true"') == 1


def test_what_the_ranking_does_not_know_is_listed_up_to_a_dozen():
    few = panels(toy_content(warnings=("one", "two")))
    assert "<li>one</li><li>two</li>" in few
    assert "more in README.md" not in few
    many = panels(toy_content(warnings=tuple(f"warning {i}" for i in range(40))))
    assert re.search(r"and \d+ more in README.md", many)
    nothing = toy_content(warnings=(), unknown_rules=())
    assert "Could not be asked" not in panels(nothing)


def test_what_the_page_simplifies_is_told_to_the_last_line():
    content = toy_content(warnings=tuple(f"warning {i}" for i in range(40)))
    block = replace(block_of(content, max_mb=10.0, max_sites=100), notes=("Parcels: to zoom 9",))
    text = shell(content, block)
    assert "What this page simplifies" in text
    assert "<li>Parcels: to zoom 9</li>" in text
    assert "What this page simplifies" not in shell(content, replace(block, notes=()))


def test_strangers_words_are_escaped():
    hostile = " ".join(PAYLOADS[:8])
    text = panels(toy_content(title=hostile, aoi_name=hostile, marking=hostile, warnings=PAYLOADS))
    assert "<img" not in text
    assert "<script" not in text
    assert "{{" not in text


def test_a_page_that_links_its_files_says_so_and_another_does_not(tmp_path, monkeypatch):
    monkeypatch.setattr(assets, "BUILT", tmp_path)
    assert "make assets" in panels(toy_content())
    for name in (assets.LICENCES, *(a.name for a in assets.MAP)):
        (tmp_path / name).touch()
    assert "make assets" not in panels(toy_content())
