"""A browser page that reads maps from disk, with Leaflet served from a local copy."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.npm import installed

HERE = Path(__file__).resolve().parent
CDN = "https://cdn.jsdelivr.net/npm/leaflet@1.9.3/"


@pytest.fixture(scope="session")
def leaflet():
    """Folder of the Leaflet package."""
    return installed(HERE / "package.json", "Leaflet") / "leaflet"


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
