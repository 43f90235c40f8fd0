"""What the map is drawn with: files of other projects, put into the page or linked from a CDN.

``make assets`` installs the packages that ``package.json`` names and calls `build`, which
copies what a page needs to ``built/``. That folder is packed into the wheel and not
committed. Without it a page links the same releases from a CDN.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

HERE = Path(__file__).resolve().parent
BUILT = HERE / "built"
CDN = "https://cdn.jsdelivr.net/npm"
_IMAGE = re.compile(r"url\((images/[^)]+)\)")
_MAP = re.compile(r"\s*(//# sourceMappingURL=\S+|/\*# sourceMappingURL=\S+ \*/)\s*$")
_CLOSE = re.compile(r"</(?=script|style)", re.IGNORECASE)


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
    Asset("protomaps-leaflet", "dist/protomaps-leaflet.js", "js"),
    Asset("html-to-image", "dist/html-to-image.js", "js"),
)


@lru_cache(maxsize=1)
def versions() -> dict[str, str]:
    """Release of each package."""
    said = json.loads((HERE / "package.json").read_text(encoding="utf-8"))
    return dict(said["dependencies"])


def are_built() -> bool:
    """Whether a page can hold every file itself."""
    return all((BUILT / a.name).is_file() for a in MAP)


def markup(assets: tuple[Asset, ...]) -> str:
    """The elements of a page's head that bring these files: their text, or links to a CDN."""
    inside = are_built()
    return "\n".join(_inlined(a) if inside else _linked(a) for a in assets)


def _inlined(asset: Asset) -> str:
    text = (BUILT / asset.name).read_text(encoding="utf-8")
    tag = "script" if asset.kind == "js" else "style"
    return f"<{tag}>/* {asset.package} {versions()[asset.package]} */\n{text}\n</{tag}>"


def _linked(asset: Asset) -> str:
    if asset.kind == "js":
        return f'<script src="{asset.link}"></script>'
    return f'<link rel="stylesheet" href="{asset.link}">'


def build() -> list[Path]:
    """Copy what a page needs out of ``node_modules``; gives the files that were written."""
    BUILT.mkdir(exist_ok=True)
    made = []
    for asset in MAP:
        source = HERE / "node_modules" / asset.package / asset.path
        text = _MAP.sub("", source.read_text(encoding="utf-8"))
        if asset.kind == "css":
            text = _IMAGE.sub(lambda found, at=source: _data_url(at.parent / found[1]), text)
        # Within a script or a style element the end tag ends it, even inside a string.
        text = _CLOSE.sub(r"<\\/", text)
        target = BUILT / asset.name
        target.write_text(text, encoding="utf-8", newline="\n")
        made.append(target)
    licences = sorted({a.package for a in MAP})
    target = BUILT / "LICENSES.txt"
    target.write_text("\n\n".join(_licence(p) for p in licences), encoding="utf-8", newline="\n")
    return [*made, target]


def _licence(package: str) -> str:
    folder = HERE / "node_modules" / package
    files = sorted(folder.glob("LICEN[CS]E*"))
    said = json.loads((folder / "package.json").read_text(encoding="utf-8"))["license"]
    text = files[0].read_text(encoding="utf-8").strip() if files else ""
    return f"{package} {versions()[package]} ({said})\n\n{text}\n"


def _data_url(image: Path) -> str:
    return f"url(data:image/png;base64,{base64.b64encode(image.read_bytes()).decode('ascii')})"
