"""Maps in one notebook, of toys and of a run: executed, exported, opened without a network."""

from __future__ import annotations

from html import escape

import nbclient
import nbformat
import pytest

from tests.conftest import ROOT
from tests.worlds import earlier_run, shared_hamlet

CELL = """
import sys
sys.path.insert(0, {root!r})
from geosite.map.page import render_map
from tests.browser.toycontent import toy_content
render_map(toy_content(title="{title}"))
"""


RUN = """
from pathlib import Path

import geosite as gs

gs.open_run(Path({path!r})).map()
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A notebook with three maps, as a page: what a notebook's exporter does with HTML output."""
    folder = tmp_path_factory.mktemp("notebook")
    code = [CELL.format(root=str(ROOT), title=t) for t in ("First <map>", "Second map")]
    code.append(RUN.format(path=str(earlier_run(shared_hamlet(tmp_path_factory)))))
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in code])
    client = nbclient.NotebookClient(book, timeout=300, resources={"metadata": {"path": folder}})
    client.execute()
    parts = []
    for cell in book.cells:
        (output,) = [o for o in cell.outputs if o.output_type == "execute_result"]
        parts.append(f"<pre>{escape(cell.source)}</pre>\n<div>{output.data['text/html']}</div>")
    path = folder / "book.html"
    style = "<style>body { width: 960px; margin: 0 auto }</style>"
    page = f"<!doctype html><html><head><title>Book</title>{style}</head><body>"
    path.write_text(page + "\n".join(parts) + "</body></html>", encoding="utf-8")
    return path.as_uri()


@pytest.mark.browser
@pytest.mark.filterwarnings("default")  # the kernel's own libraries are not ours to mend
def test_two_maps_of_one_notebook_leave_each_other_alone(tab, exported):
    tab.goto(exported)
    one, other = (tab.frame_locator(f"iframe >> nth={i}") for i in range(2))
    frames = []
    for locator, title in ((one, "First <map>"), (other, "Second map")):
        locator.locator("html[data-geosite=ready]").wait_for(state="attached")
        assert locator.locator("h1").inner_text() == title
        frames.append(locator.locator("html"))
    before = frames[1].evaluate("() => geosite.current.state.weights.join()")
    frames[0].evaluate("() => geosite.current.choose([100, 200, 300, 400])")
    assert frames[0].evaluate("() => geosite.current.state.weights.join()") == "100,200,300,400"
    assert frames[1].evaluate("() => geosite.current.state.weights.join()") == before
    one.locator("#gs-search").fill("nowhere")
    assert one.locator("#gs-count").inner_text() == "0 of 14 sites"
    assert other.locator("#gs-count").inner_text() == "14 of 14 sites"
    one.locator("#gs-tab-layers-tab").click()
    assert other.locator("#gs-tab-sites").is_visible()
    for locator in (one, other):
        box = locator.locator(".folium-map").bounding_box()
        assert box["height"] > 500
        assert box["width"] > 450
    assert tab.faults == []


@pytest.mark.browser
@pytest.mark.filterwarnings("default")  # the kernel's own libraries are not ours to mend
def test_the_map_of_a_real_run_shows_inline_and_is_that_of_its_folder(
    tab, exported, tmp_path_factory
):
    tab.goto(exported)
    inline = tab.frame_locator("iframe >> nth=2")
    inline.locator("html[data-geosite=ready]").wait_for(state="attached")
    said = "() => [geosite.current.data, [...geosite.current.state.ranking.rank]]"
    data, ranks = inline.locator("html").evaluate(said)
    assert data["sites"]["n"] > 0
    assert ranks[0] == 1
    assert inline.locator(".gs-row").count() > 0
    assert tab.faults == []
    tab.goto((earlier_run(shared_hamlet(tmp_path_factory)) / "map.html").as_uri())
    tab.wait_for_selector("html[data-geosite=ready]", state="attached")
    whole, same = tab.evaluate(said)
    assert (whole["sites"], whole["criteria"], same) == (data["sites"], data["criteria"], ranks)
