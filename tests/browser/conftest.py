"""A browser page that reads maps from disk, with no network; one a module, blank for each test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from geosite import assets
from geosite.map import write_map
from tests.browser.toycontent import toy_content

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


@pytest.fixture(scope="session")
def toy(tmp_path_factory):
    """Address of the toy run's map; nobody writes to it."""
    path = tmp_path_factory.mktemp("toy") / "map.html"
    write_map(toy_content(), path)
    return path.as_uri()


@pytest.fixture(scope="module")
def page_of_module(browser):
    # A new page is a new process of the browser and takes longer than most tests.
    context = browser.new_context(accept_downloads=True)
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


@pytest.fixture
def tab(page_of_module):
    """A blank page: ``tab.faults`` holds every error and every request that left the machine."""
    page = page_of_module
    page.goto("about:blank")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.emulate_media(media="null", reduced_motion="null")
    page.mouse.move(0, 0)
    page.faults.clear()
    return page
