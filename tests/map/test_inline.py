"""A map within a notebook: one frame, as text."""

from __future__ import annotations

from html import unescape

from geosite.map.inline import HEIGHT
from geosite.map.page import render_map
from tests.browser.toycontent import toy_content


def test_a_map_shows_itself_in_a_frame_of_its_own():
    page = render_map(toy_content())
    frame = page._repr_html_()
    assert frame.count("<iframe") == 1
    assert f'height="{HEIGHT}"' in frame
    assert "allowfullscreen" in frame
    assert 'title="Map"' in frame
    inner = unescape(frame.split('srcdoc="')[1].split('" title=')[0])
    assert inner == page.get_root().render()
    assert page._repr_html_() == frame
