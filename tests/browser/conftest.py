"""A browser page that reads maps from disk, with no network."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from geosite import assets

HERE = Path(__file__).resolve().parent
LOCAL = ("file:", "data:", "blob:", "http://127.0.0.1:", "about:")


@pytest.fixture(scope="session", autouse=True)
def built():
    """The map's third-party files; `make assets` brings them."""
    if not assets.are_built():
        reason = "the map's files are not built; run: make assets"
        if os.environ.get("GEOSITE_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture
def tab(browser):
    """A fresh page: ``tab.faults`` holds every error and every request that left the machine."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    made = context.new_page()
    made.faults = []
    made.on("pageerror", lambda error: made.faults.append(f"error: {error}"))
    made.on("console", lambda m: m.type in ("error", "warning") and made.faults.append(m.text))

    def answer(route):
        url = route.request.url
        if url.startswith(LOCAL):
            route.continue_()
        else:
            made.faults.append(f"asked for {url}")
            route.abort()

    context.route("**/*", answer)
    yield made
    context.close()
