"""What the suite needs from the machine: the snapshot of real data, and a browser.

Both are optional on a stranger's machine: tests that need them are skipped with
the reason. The continuous check sets GEOSITE_REQUIRE_BROWSER, and itself
refuses to start without the snapshot.
"""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.toyservice import Toyservice
    from tests.worlds import Hamlet

ROOT = Path(__file__).resolve().parents[1]

# A shell that starts the suite in the background has it ignore Ctrl-C, and so would every
# command that a test starts and stops.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The suite gives one answer: same examples every time. GEOSITE_HYPOTHESIS=explore looks further.
hypothesis.settings.register_profile(
    "suite", max_examples=40, deadline=None, derandomize=True, database=None
)
hypothesis.settings.register_profile("explore", max_examples=1000, deadline=None)
hypothesis.settings.load_profile(os.environ.get("GEOSITE_HYPOTHESIS", "suite"))


def snapshot_root() -> Path | None:
    """Folder of the snapshot: GEOSITE_DATA, or shared/data beside the checkout."""
    named = os.environ.get("GEOSITE_DATA")
    root = Path(named) if named else ROOT.parent / "shared" / "data"
    return root if (root / "README.md").is_file() else None


def chromium_path() -> str | None:
    """The browser of the system, if it has one."""
    names = ("chromium", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


def pytest_report_header() -> list[str]:
    """Versions and helpers that explain a difference between two machines."""
    import pyproj  # noqa: PLC0415 -- only to be reported
    import rasterio  # noqa: PLC0415

    data = "in place" if snapshot_root() else "absent"
    return [
        f"GDAL {rasterio.__gdal_version__}, PROJ {pyproj.proj_version_str}",
        f"snapshot: {data}, browser: {chromium_path() or 'none on PATH'}",
    ]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs the snapshot where there is none, and say why."""
    if snapshot_root():
        return
    reason = "the snapshot of official data is absent; name its folder in GEOSITE_DATA"
    for item in items:
        if item.get_closest_marker("snapshot"):
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Layers read by the suite are kept in a folder of its own, and in nobody's home."""
    # Subprocesses of a test inherit it.
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GEOSITE_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def snapshot() -> Path:
    """Folder of the snapshot of official data."""
    found = snapshot_root()
    if found is None:
        pytest.skip("the snapshot of official data is absent; name its folder in GEOSITE_DATA")
    return found


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """Headless Chromium, driven by playwright; one a worker."""
    from playwright.sync_api import Error, sync_playwright  # noqa: PLC0415 -- slow to import

    with sync_playwright() as play:
        try:
            chromium = play.chromium.launch(
                executable_path=chromium_path(), args=["--no-sandbox", "--disable-gpu"]
            )
        except Error as error:
            reason = f"headless Chromium does not start: {str(error).splitlines()[0]}"
            if os.environ.get("GEOSITE_REQUIRE_BROWSER"):
                pytest.fail(reason)
            pytest.skip(f"{reason}; apt-get install chromium")
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def common(tmp_path_factory: pytest.TempPathFactory) -> Hamlet:
    """The hamlet made by hand, with an earlier run; one for all workers, not to be changed."""
    from tests.worlds import shared_hamlet  # noqa: PLC0415 -- imports the whole package

    return shared_hamlet(tmp_path_factory)


@pytest.fixture
def hamlet(common: Hamlet, tmp_path: Path) -> Hamlet:
    """A hamlet of the test's own, to spoil as it likes."""
    from tests.worlds import copied  # noqa: PLC0415

    return copied(common, tmp_path / "here")


@pytest.fixture
def served(hamlet: Hamlet) -> Iterator[tuple[Hamlet, Toyservice]]:
    """A hamlet whose layers are on a server; below its data root is the elevation alone."""
    from tests.toyservice import serving_hamlet  # noqa: PLC0415

    with serving_hamlet(hamlet) as service:
        yield hamlet, service


@pytest.fixture
def fresh_cache(tmp_path: Path) -> Path:
    """A cache folder in which nothing is, for --cache."""
    return tmp_path / "cache"
