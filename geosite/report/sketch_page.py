"""A small map of places and lines with words beside it, as one HTML page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import folium
from branca.element import MacroElement

from geosite import assets
from geosite.report.frame import Raw, add_bases, named
from geosite.report.text import markup, script_json

if TYPE_CHECKING:
    from pathlib import Path

    from geosite.report.sketch import Sketch

_STYLE = """
html, body { margin: 0; height: 100%; font: 13px/1.45 system-ui, sans-serif; color: #222; }
#gs-words { position: absolute; z-index: 1000; top: 0; left: 0; bottom: 0; width: 380px;
  overflow: auto; padding: 12px 14px; background: #fff; box-sizing: border-box; }
#gs-words pre { white-space: pre-wrap; font: inherit; }
#gs-words i { display: inline-block; width: 11px; height: 11px; border-radius: 6px; }
.folium-map { left: 380px !important; width: calc(100% - 380px) !important; }
@media (max-width: 700px) {
  #gs-words { width: 100%; top: 55%; }
  .folium-map { left: 0 !important; width: 100% !important; height: 55% !important; }
}
"""
_SCRIPT = """
(function (map) {
  "use strict";
  const data = JSON.parse(document.getElementById("gs-sketch").textContent);
  document.getElementById("gs-waiting").remove();
  const words = (texts) => {
    const box = document.createElement("div");
    for (const text of texts) {
      const line = document.createElement("div");
      line.textContent = text;
      box.appendChild(line);
    }
    return box;
  };
  const all = L.featureGroup().addTo(map);
  for (const [path, colour, dash, texts] of data.lines) {
    L.polyline(path, { color: colour, weight: 2, opacity: 0.7, dashArray: dash })
      .bindTooltip(() => words(texts), { sticky: true }).addTo(all);
  }
  for (const [at, colour, size, texts] of data.marks) {
    const look = { radius: size, color: "#fff", weight: 1, fillColor: colour, fillOpacity: 0.9 };
    L.circleMarker(at, look).bindTooltip(() => words(texts)).addTo(all);
  }
  const bounds = all.getBounds();
  if (bounds.isValid()) map.fitBounds(bounds.pad(0.1), { animate: false });
  document.documentElement.dataset.geosite = "ready";
})(map_sketch);
"""
_DECIMALS = 5


class _Words(MacroElement):
    """Our style, words, data and script, around Folium's map."""

    def __init__(self, sketch: Sketch) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name, self._id = "GeositeSketch", "sketch"
        self._sketch = sketch

    def render(self, **_kwargs: Any) -> str:
        sketch = self._sketch
        figure: Any = self.get_root()
        figure.header.add_child(Raw(f"<title>{markup(sketch.title, 200)}</title>"), name="title")
        style = f"{assets.markup(assets.LEAFLET)}\n<style>{_STYLE}</style>"
        figure.header.add_child(Raw(style), name="style")
        block = f'<script type="application/json" id="gs-sketch">{_data(sketch)}</script>'
        figure.html.add_child(Raw(_aside(sketch) + block), name="words")
        figure.script.add_child(Raw(_SCRIPT), name="script")
        return ""


def write_sketch(sketch: Sketch, path: Path) -> None:
    """Save a small map as one HTML file; the same sketch gives the same bytes."""
    page = named(folium.Map(tiles=None, control_scale=True, zoom_snap=0.25), "sketch")
    page.default_js, page.default_css = [], []
    add_bases(page)
    named(folium.LayerControl(collapsed=True), "layers").add_to(page)
    _Words(sketch).add_to(page)
    path.write_text(page.get_root().render(), encoding="utf-8", newline="\n")


def _aside(sketch: Sketch) -> str:
    legend = "".join(
        f'<p><i style="background:{markup(colour)}"></i> {markup(words)}</p>'
        for colour, words in sketch.legend
    )
    lines = "\n".join(markup(line) for line in sketch.text.split("\n"))
    return (
        f'<aside id="gs-words"><h1>{markup(sketch.title, 200)}</h1>'
        '<p id="gs-waiting">The map is drawn by a script. If you can read '
        "this, it could not be run or could not be loaded.</p>"
        f"{legend}<pre>{lines}</pre><p>{markup(sketch.notice)}</p></aside>"
    )


def _data(sketch: Sketch) -> str:
    def place(at: tuple[float, float]) -> list[float]:
        return [round(at[1], _DECIMALS), round(at[0], _DECIMALS)]

    return script_json(
        {
            "lines": [
                [[place(p) for p in x.path], x.colour, "6 6" if x.dashed else None, list(x.words)]
                for x in sketch.lines
            ],
            "marks": [[place(x.at), x.colour, x.size, list(x.words)] for x in sketch.marks],
        }
    )
