"""A browser page that reads maps from disk, with Leaflet served from a local copy."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
CDN = "https://cdn.jsdelivr.net/npm/leaflet@1.9.3/"


def missing(reason):
    """Skip where a browser test cannot run, or fail where it has to."""
    if os.environ.get("GEOSITE_REQUIRE_BROWSER") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def leaflet():
    """Folder of the Leaflet package, fetched once by npm into a cache of this machine."""
    wanted = (HERE / "package.json").read_bytes()
    default = Path(tempfile.gettempdir()) / "geosite-browser-assets"
    root = Path(os.environ.get("GEOSITE_BROWSER_CACHE", default))
    place = root / hashlib.sha256(wanted).hexdigest()[:16]
    package = place / "node_modules" / "leaflet"
    if not (package / "dist" / "leaflet.js").is_file():
        npm = shutil.which("npm")
        if npm is None:
            missing("npm is not on PATH, and Leaflet is not in the cache; apt-get install npm")
        # Installed aside and renamed when whole: two workers may be at it at once.
        root.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(dir=root))
        (aside / "package.json").write_bytes(wanted)
        run = subprocess.run(
            [npm, "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=aside, capture_output=True, text=True, check=False, timeout=180,
        )  # fmt: skip
        if run.returncode:
            shutil.rmtree(aside)
            missing(f"npm cannot install Leaflet: {run.stderr.strip()[-300:]}")
        try:
            aside.rename(place)
        except OSError:
            shutil.rmtree(aside)
    return package


@pytest.fixture
def tab(browser, leaflet):
    """A fresh page: ``tab.faults`` holds every error and every request that left the machine."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    made = context.new_page()
    made.faults = []
    made.on("pageerror", lambda error: made.faults.append(f"error: {error}"))
    made.on("console", lambda m: m.type in ("error", "warning") and made.faults.append(m.text))

    def answer(route):
        url = route.request.url
        if url.startswith(CDN):
            route.fulfill(path=leaflet / url.removeprefix(CDN))
        elif url.startswith(("file:", "data:", "blob:")):
            route.continue_()
        else:
            made.faults.append(f"asked for {url}")
            route.abort()

    context.route("**/*", answer)
    yield made
    context.close()
