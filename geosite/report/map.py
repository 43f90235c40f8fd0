"""The map of a run: one page that a planner opens in a browser.

Folium makes the map, its groups, its pictures and the layer control. What the
groups hold is one block of JSON that our own script (`static/map.js`) draws and
writes as text nodes: no attribute of any dataset is ever read as HTML, as
JavaScript or as a template.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import folium
from branca.element import Element, MacroElement
from folium.map import CustomPane
from folium.raster_layers import ImageOverlay

from geosite.crs import WGS84, projected_bounds
from geosite.report import palette
from geosite.report.drawings import Drawing, drawings
from geosite.report.pictures import likelihood_picture, status_pictures, suitability_picture
from geosite.report.sidebar import sidebar
from geosite.report.text import markup, plain, script_json

if TYPE_CHECKING:
    from pathlib import Path

    from geosite.report.content import Content
    from geosite.report.pictures import Picture

LEAFLET = "https://cdn.jsdelivr.net/npm/leaflet@1.9.3/dist/leaflet"
LIKELIHOOD = "Mineral likelihood (evidence surface)"
_OSM = '&copy; <a href="https://www.openstreetmap.org/copyright">OpenStreetMap</a> contributors'
_TOPO = "https://basemap.nationalmap.gov/arcgis/rest/services/USGSTopo/MapServer/tile/{z}/{y}/{x}"


class Raw(Element):
    """Text that goes into the page as it is: Folium would run it through a template."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def render(self, **_kwargs: Any) -> str:
        """The text."""
        return self.text


class _Page(MacroElement):
    """Our style, sidebar, data and script, around Folium's map."""

    def __init__(self, *, title: str, side: str, data: str, start: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "GeositePage"
        self._id = "page"
        self._parts = title, side, data, start

    def render(self, **_kwargs: Any) -> str:
        title, side, data, start = self._parts
        figure: Any = self.get_root()
        figure.header.add_child(Raw(f"<title>{title}</title>"), name="geosite_title")
        figure.header.add_child(Raw(f"<style>\n{_static('map.css')}</style>"), name="geosite_css")
        figure.html.add_child(Raw(side), name="geosite_side")
        block = f'<script type="application/json" id="geosite-data">{data}</script>'
        figure.html.add_child(Raw(block), name="geosite_data")
        figure.script.add_child(Raw(f"{_static('map.js')}\n{start}"), name="geosite_script")
        return ""


def render_map(content: Content, *, max_sites: int = 1000) -> folium.Map:
    """The map of a run, with a sidebar of what it means and what it does not.

    Parameters
    ----------
    content : Content
        What the run found, in the grid CRS.
    max_sites : int
        The best so many sites are drawn; the sidebar says how many there are.

    Returns
    -------
    folium.Map
        The same content gives the same page, byte for byte.
    """
    parts = drawings(content, max_sites=max_sites)
    page: folium.Map = named(
        folium.Map(tiles=None, zoom_control="bottomright", control_scale=True, zoom_snap=0.25),
        "run",
    )
    # Nothing of jQuery, Bootstrap or the icon fonts is used here, so nothing of them is loaded.
    page.default_js = [("leaflet", f"{LEAFLET}.js")]
    page.default_css = [("leaflet_css", f"{LEAFLET}.css")]
    named(CustomPane("gs-pictures", z_index=350, pointer_events=False), "pane").add_to(page)
    add_background(page)
    names = _Names()
    heads: list[list[Any]] = [["Background (needs a network)", 2]]
    heads.append(["Surfaces", _add_pictures(page, content, names)])
    for i, drawing in enumerate(parts):
        group = folium.FeatureGroup(name=names.of(drawing), show=drawing.shown)
        named(group, f"g{i}").add_to(page)
        if not heads or heads[-1][0] != drawing.head:
            heads.append([drawing.head, 0])
        heads[-1][1] += 1
    control = named(folium.LayerControl(collapsed=False, autoZIndex=False), "layers")
    control.add_to(page)
    west, south, east, north = projected_bounds(_extent(content), content.crs, WGS84)
    groups = ",".join(f"feature_group_g{i}" for i in range(len(parts)))
    start = f"geositeMap(map_run, [{groups}], layer_control_layers);"
    view = [[south, west], [north, east]]
    data = {"view": view, "heads": heads, "drawings": [d.data for d in parts]}
    side = sidebar(content, parts)
    title = markup(f"{plain(content.title, 120)} · geosite")
    _Page(title=title, side=side, data=script_json(data), start=start).add_to(page)
    return page


def write_map(content: Content, path: Path, *, max_sites: int = 1000) -> None:
    """Save the map of a run as one HTML file."""
    page = render_map(content, max_sites=max_sites)
    root = page.get_root()
    path.write_text(root.render(), encoding="utf-8", newline="\n")


class _Names:
    """Names for the layer control, each used once: Folium keeps one layer a name."""

    def __init__(self) -> None:
        self._used: dict[str, int] = {}

    def of(self, drawing: Drawing) -> str:
        """Swatch and words of a drawing, as HTML that holds no stranger's markup."""
        return self.swatch(drawing.title, drawing.swatch, drawing.colour)

    def swatch(self, title: str, kind: str, colour: str) -> str:
        """Swatch and words."""
        words = markup(title, 60)
        self._used[words] = self._used.get(words, 0) + 1
        again = f" ({self._used[words]})" if self._used[words] > 1 else ""
        return f'<i class="gs-swatch gs-{kind}" style="--c:{colour}"></i>{words}{again}'


def add_background(page: folium.Map) -> None:
    """Street and topographic maps to switch on; nothing is asked of a server before."""
    # Radio buttons, with "none" first: a planner's machine may have no network.
    street = folium.TileLayer(
        "https://tile.openstreetmap.org/{z}/{x}/{y}.png",
        attr=_OSM, name="OpenStreetMap", overlay=True, show=False,
    )  # fmt: skip
    topo = folium.TileLayer(
        _TOPO, attr="USGS The National Map", name="USGS Topo", overlay=True, show=False
    )
    named(street, "osm").add_to(page)
    named(topo, "topo").add_to(page)


def _add_pictures(page: folium.Map, content: Content, names: _Names) -> int:
    """Add the surfaces; gives how many there are."""
    suitability = suitability_picture(content)
    excluded, unknown = status_pictures(content)
    rows: list[tuple[str, str, str, str, Picture]] = [
        ("suitability", "Suitability", "ramp", palette.SUITABILITY[5], suitability),
        ("excluded", "Excluded by any rule", "fill", palette.EXCLUDED, excluded),
        ("unknown", "Unknown to a hard rule", "hatch", palette.UNKNOWN, unknown),
    ]
    likely = likelihood_picture(content)
    if likely is not None:
        colour = palette.LIKELIHOOD[-1][1]
        rows.append(("likelihood", LIKELIHOOD, "fill", colour, likely))
    shown = {"suitability", "excluded"} | (set() if content.is_mostly_unknown else {"unknown"})
    for id_, title, kind, colour, picture in rows:
        overlay = ImageOverlay(
            picture.url, picture.corners, name=names.swatch(title, kind, colour),
            class_name=f"gs-picture-{id_}", alt=title, pane="gs-pictures",
            show=id_ in shown,
        )  # fmt: skip
        named(overlay, id_).add_to(page)
    return len(rows)


def _extent(content: Content) -> tuple[float, float, float, float]:
    if not content.aoi.empty:
        left, bottom, right, top = (float(v) for v in content.aoi.total_bounds)
        return left, bottom, right, top
    rows, columns = content.status.shape
    step = content.transform
    return step.c, step.f + rows * step.e, step.c + columns * step.a, step.f


def named(element: Any, id_: str) -> Any:
    """An element of Folium with a name of its own, so that the page is the same every time."""
    # Folium draws random names.
    element._id = id_  # noqa: SLF001
    return element


@lru_cache(maxsize=4)
def _static(name: str) -> str:
    return (resources.files("geosite.report") / "static" / name).read_text(encoding="utf-8")
