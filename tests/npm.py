"""Packages of npm, fetched once into a cache of this machine."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from geosite.assets.packing import AssetsError, npm


def missing(reason):
    """Skip where a test cannot run, or fail where it has to."""
    import pytest  # noqa: PLC0415 -- the benchmark starts Koop, too, and needs none

    if os.environ.get("GEOSITE_REQUIRE_BROWSER") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def installed(manifest, name):
    """Folder ``node_modules`` with all that a package.json asks for; `name` is for messages."""
    wanted = manifest.read_bytes()
    default = Path(tempfile.gettempdir()) / "geosite-browser-assets"
    root = Path(os.environ.get("GEOSITE_BROWSER_CACHE", default))
    place = root / hashlib.sha256(wanted).hexdigest()[:16]
    if not (place / "node_modules").is_dir():
        try:
            command = npm()
        except AssetsError as error:
            missing(f"{name} is not in the cache: {error}")
        # Installed aside and renamed when whole: two workers may be at it at once.
        root.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(dir=root))
        (aside / "package.json").write_bytes(wanted)
        run = subprocess.run(
            [
                *command, "install", "--no-package-lock", "--ignore-scripts", "--no-audit",
                "--no-fund", "--omit=optional", "--legacy-peer-deps",
            ],
            cwd=aside, capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        if run.returncode:
            shutil.rmtree(aside)
            missing(f"npm cannot install {name}: {run.stderr.strip()[-300:]}")
        try:
            aside.rename(place)
        except OSError:
            shutil.rmtree(aside)
    return place / "node_modules"
