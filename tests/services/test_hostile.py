"""What no honest server does ends in a clear error, little memory and no file out of place."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from geosite.errors import GeositeError
from geosite.model.layer import Layer
from geosite.model.source import ServiceSource
from geosite.sources import download, sciencebase
from geosite.sources.asking import Ask
from geosite.sources.client import Client, Patience, RefusedError
from tests.services.hostile import CASES, GOOD, SERVICES

HASTE = Patience(
    connect=2, read=0.7, whole=0.5, slowest=1000, window=0.3, attempts=3, first=0.01, longest=0.05
)
KINDS = {"download": download, "sciencebase": sciencebase}


def asked(case, url):
    below = "/FeatureServer" if case.kind == "arcgis" else ""
    source = ServiceSource(kind=case.kind, url=f"{url}/{case.path}{below}", **case.source)
    raster = case.geometry == "raster"
    layer = Layer(
        id="toy/layer", title="Toy", agency="Nobody", purpose="Tests", geometry=case.geometry,
        crs="EPSG:4326", sources=(source,), fields={} if raster else {"name": {"from": "name"}},
        coverage={"kind": "valid_cells" if raster else "everywhere"}, absence="informative",
        vintage="2026", status="synthetic", licence="none", citation="none",
    )  # fmt: skip
    return Ask(layer, source)


def met(case, url, folder, client):
    """Ask as a fetch would."""
    if case.kind == "json":
        # Enough for any page; what is larger is not read to its end.
        most = 2**20 if case.path == "for-ever" else 256 * 2**20
        client.json(f"{url}/{case.path}", most=most)
    else:
        KINDS[case.kind].fetched(asked(case, url), client, folder, lambda *_: None)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_what_it_did_is_said_and_nothing_is_left(case, hostile, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    # What is packed far too much takes its time to be refused.
    haste = HASTE if "bomb" not in case.path else Patience(read=5, attempts=1)
    with Client(haste) as client, pytest.raises((RefusedError, GeositeError)) as error:
        met(case, hostile.url, folder, client)
    said = str(error.value)
    assert hostile.url in said or "file://" in said
    assert [words for words in case.words if words not in said] == [], said
    assert "\n" not in said
    assert "Traceback" not in said
    assert len(said) < 1500
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine"]
    left = {p.name for p in folder.rglob("*")}
    assert not {name for name in left if name.startswith("layer")}
    if not case.path.endswith((".zip", ".csv", ".kml", ".gpkg", ".tif", ".parquet", ".xlsx")):
        assert not {name for name in left if not name.endswith((".part", ".part.json"))}


@pytest.mark.parametrize("case", SERVICES, ids=lambda case: case.id)
def test_what_a_service_of_features_did_is_said(case, hostile, tmp_path):
    service = pytest.importorskip("geosite.sources.arcgis", reason="no client for ArcGIS yet")
    with Client(HASTE) as client, pytest.raises(RefusedError) as error:
        service.fetched(asked(case, hostile.url), client, tmp_path, lambda *_: None)
    assert [words for words in case.words if words not in str(error.value)] == []
    assert not list(tmp_path.iterdir())


def test_there_are_more_than_thirty_of_them():
    assert len(CASES) >= 30
    assert len({case.id for case in CASES}) == len(CASES)


def test_what_is_busy_at_first_is_had_at_last(hostile):
    with Client(HASTE) as client:
        assert client.json(f"{hostile.url}/503-then-good") == json.loads(GOOD)


def test_headers_in_no_known_letters_do_not_matter(hostile):
    with Client(HASTE) as client:
        assert client.json(f"{hostile.url}/latin1-header") == json.loads(GOOD)


@pytest.mark.parametrize(
    ("path", "times"), [("404", 1), ("token", 1), ("500", 3), ("error-200", 3), ("429", 3)]
)
def test_only_what_may_pass_is_asked_again(path, times, hostile):
    before = hostile.asked[path]
    with Client(HASTE) as client, pytest.raises(RefusedError):
        client.json(f"{hostile.url}/{path}")
    assert hostile.asked[path] - before == times


_MEASURED = """
import sys, types
from pathlib import Path
# Others leave a package of this name beside the libraries.
sys.modules["tests"] = types.ModuleType("tests")
sys.modules["tests"].__path__ = ["tests"]
from tests.services.hostile import CASES
from tests.services.test_hostile import met
from geosite.errors import GeositeError
from geosite.sources.client import Client, Patience, RefusedError
url, folder, *paths = sys.argv[1:]
def most():
    # What getrusage says begins with the size of who started this process.
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
for case in CASES:
    if case.path in paths:
        try:
            with Client(Patience(attempts=1, read=20)) as client:
                met(case, url, Path(folder), client)
        except (RefusedError, GeositeError):
            print(case.path, most())
"""


def test_bombs_take_less_than_a_gigabyte(hostile, tmp_path, root):
    bombs = [
        "gzip-bomb", "gzip-bomb.csv", "bomb.zip", "bomb.xlsx", "laughs.kml", "nested",
        "nested-objects", "long-header", "redirect-for-ever",
    ]  # fmt: skip
    ran = subprocess.run(
        [sys.executable, "-c", _MEASURED, hostile.url, str(tmp_path), *bombs],
        cwd=root, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    used = dict(line.split() for line in ran.stdout.splitlines())
    assert set(used) == set(bombs)
    assert max(map(int, used.values())) < 10**9, used
    assert not [p for p in Path(tmp_path).rglob("*") if p.name.startswith("layer")]
