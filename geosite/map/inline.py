"""A map that shows itself in a notebook: its whole page, in a frame of its own."""

from __future__ import annotations

from html import escape
from typing import Any

import folium

HEIGHT = 680
"""Height of the frame [pixels]: the panels and a map beside them in a notebook's column."""


class InlineMap(folium.Map):
    """A Folium map whose frame has a sensible height, a name, and leave to fill the screen."""

    def _repr_html_(self, **kwargs: Any) -> str:
        # A frame of its own keeps two maps of one notebook apart. It is given as text, so that
        # it needs no server and no network, and stays in an exported page.
        page = escape(self.get_root().render(**kwargs))
        return (
            f'<iframe srcdoc="{page}" title="Map" width="100%" height="{HEIGHT}" '
            'style="border: 1px solid #cfccc5" allowfullscreen></iframe>'
        )
