"""What the map is drawn with: files of other projects, put into the page or linked from a CDN.

``make assets`` installs the packages that ``package.json`` names and packs what a page needs
into ``built/`` (see `packing`). That folder goes into the wheel and is not committed. Without
it a page links the same releases from a CDN, and says so.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

HERE = Path(__file__).resolve().parent
BUILT = HERE / "built"
CDN = "https://cdn.jsdelivr.net/npm"
LICENCES = "LICENSES.txt"
"""Built file with the licence of every package."""
LINKED = (
    "This page loads what it is drawn with from cdn.jsdelivr.net, because those files were not "
    "packed where it was made (make assets); without a network it stays empty."
)
"""What a page says that does not hold every file itself."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of an npm package."""

    package: str
    path: str
    kind: Literal["js", "css"]

    @property
    def name(self) -> str:
        """Name of the built file."""
        return f"{self.package.replace('@', '').replace('/', '-')}.{self.kind}"

    @property
    def link(self) -> str:
        """Address of the same release on a CDN."""
        return f"{CDN}/{self.package}@{versions()[self.package]}/{self.path}"


LEAFLET = (
    Asset("leaflet", "dist/leaflet.js", "js"),
    Asset("leaflet", "dist/leaflet.css", "css"),
)
MAP = (
    *LEAFLET,
    Asset("@geoman-io/leaflet-geoman-free", "dist/leaflet-geoman.min.js", "js"),
    Asset("@geoman-io/leaflet-geoman-free", "dist/leaflet-geoman.css", "css"),
    Asset("leaflet.fullscreen", "dist/Control.FullScreen.umd.js", "js"),
    Asset("leaflet.fullscreen", "dist/Control.FullScreen.css", "css"),
    Asset("pmtiles", "dist/pmtiles.js", "js"),
    Asset("pbf", "dist/pbf.js", "js"),
    Asset("html-to-image", "dist/html-to-image.js", "js"),
)


@lru_cache(maxsize=1)
def versions() -> dict[str, str]:
    """Release of each package."""
    said = json.loads((HERE / "package.json").read_text(encoding="utf-8"))
    return dict(said["dependencies"])


def are_built() -> bool:
    """Whether a page can hold every file itself."""
    return all((BUILT / name).is_file() for name in (LICENCES, *(a.name for a in MAP)))


def note() -> str:
    """What a page made now has to say of its files; nothing if it holds them all."""
    return "" if are_built() else LINKED


def markup(assets: tuple[Asset, ...]) -> str:
    """The elements of a page's head that bring these files: their text, or links to a CDN."""
    if not are_built():
        return "\n".join(_linked(a) for a in assets)
    # Their licences ask to go wherever they go.
    held = f'<script type="text/plain">\n{(BUILT / LICENCES).read_text(encoding="utf-8")}</script>'
    return "\n".join([held, *(_inlined(a) for a in assets)])


def _inlined(asset: Asset) -> str:
    text = (BUILT / asset.name).read_text(encoding="utf-8")
    tag = "script" if asset.kind == "js" else "style"
    return f"<{tag}>/* {asset.package} {versions()[asset.package]} */\n{text}\n</{tag}>"


def _linked(asset: Asset) -> str:
    if asset.kind == "js":
        return f'<script src="{asset.link}"></script>'
    return f'<link rel="stylesheet" href="{asset.link}">'
