"""The page: Folium's map, the files it is drawn with, our panels, data and scripts.

Folium makes the map and its base maps. What the layers hold is one block of JSON with
blocks of tiles and pictures beside it, which our own scripts (`static/`) draw and write as
text nodes: no attribute of any dataset is ever read as HTML, as JavaScript or as a template.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import folium
from branca.element import MacroElement

from geosite import assets
from geosite.map.content_block import Block, block_of
from geosite.map.inline import InlineMap
from geosite.map.shell import shell
from geosite.report.frame import Raw, add_bases, named, static
from geosite.report.text import markup, plain, script_json

if TYPE_CHECKING:
    from pathlib import Path

    from geosite.report.content import Content

SCRIPTS = (
    "dom.js",
    "app.js",
    "ranking.js",
    "state.js",
    "sites.js",
    "table.js",
    "card.js",
    "weights.js",
    "files.js",
    "exporting.js",
    "vectors.js",
    "tiles.js",
    "labels.js",
    "painting.js",
    "layers.js",
    "find.js",
    "tools.js",
    "swipe.js",
    "columns.js",
    "pins.js",
    "ordering.js",
    "shares.js",
    "combining.js",
    "banner.js",
    "picture.js",
    "view.js",
    "hash.js",
    "geodesy.js",
    "inside.js",
    "coordinates.js",
    "found.js",
    "compared.js",
    "legend.js",
    "pointing.js",
    "contributions.js",
    "bars.js",
    "copying.js",
    "pulling.js",
    "printing.js",
    "facts.js",
    "law.js",
    "start.js",
)
"""In the order in which they run."""
STYLES = (
    "map.css",
    "table.css",
    "card.css",
    "weights.css",
    "layers.css",
    "find.css",
    "print.css",
)


class _Page(MacroElement):
    """Our head, panels, data and scripts, around Folium's map."""

    def __init__(self, content: Content, block: Block, bases: dict[str, str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name, self._id = "GeositePage", "page"
        self._content, self._block, self._bases = content, block, bases

    def render(self, **_kwargs: Any) -> str:
        figure: Any = self.get_root()
        title = markup(f"{plain(self._content.title, 120)} · geosite")
        style = "\n".join(static("geosite.map", name) for name in STYLES)
        head = f"<title>{title}</title>\n{assets.markup(assets.MAP)}\n<style>\n{style}</style>"
        figure.header.add_child(Raw(head), name="geosite_head")
        figure.html.add_child(Raw(shell(self._content, self._block)), name="geosite_shell")
        blobs = "\n".join(
            f'<script type="text/plain" id="gs-blob-{name}">{text}</script>'
            for name, text in self._block.blobs.items()
        )
        data = script_json(self._block.data)
        held = f'<script type="application/json" id="gs-data">{data}</script>\n{blobs}'
        figure.html.add_child(Raw(held), name="geosite_data")
        bases = ", ".join(f"{id_}: {name}" for id_, name in self._bases.items())
        start = f"geosite.start(map_run, {{ {bases} }});"
        script = "\n".join([*(static("geosite.map", name) for name in SCRIPTS), start])
        figure.script.add_child(Raw(script), name="geosite_script")
        return ""


def render_map(content: Content, *, max_mb: float = 10.0, max_sites: int = 10_000) -> folium.Map:
    """The map of a run.

    Parameters
    ----------
    content : Content
        What the run found, in the grid CRS.
    max_mb : float
        Largest size of the page [MB of 10⁶ bytes]; outlines are simplified until it fits, and
        the page says what was.
    max_sites : int
        The best so many sites are drawn; the page says how many there are.

    Returns
    -------
    folium.Map
        The same content gives the same page, byte for byte.
    """
    return page_of(content, block_of(content, max_mb=max_mb, max_sites=max_sites))


def page_of(content: Content, block: Block) -> folium.Map:
    """The map of a run, from the data of its page."""
    page: folium.Map = named(
        InlineMap(tiles=None, zoom_control=False, control_scale=True, prefer_canvas=True), "run"
    )
    # Every file comes with our own head; nothing of jQuery, Bootstrap or icon fonts is used.
    page.default_js, page.default_css = [], []
    bases = add_bases(page)
    _Page(content, block, bases).add_to(page)
    return page


def write_map(
    content: Content, path: Path, *, max_mb: float = 10.0, max_sites: int = 10_000
) -> None:
    """Save the map of a run as one HTML file."""
    page = render_map(content, max_mb=max_mb, max_sites=max_sites)
    path.write_text(page.get_root().render(), encoding="utf-8", newline="\n")
