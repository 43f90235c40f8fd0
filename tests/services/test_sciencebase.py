"""Files of ScienceBase items: nginx serves the item's JSON and what it lists."""

import hashlib
import json

import geopandas as gpd
import pytest

from geosite.errors import FetchError
from geosite.sources.client import RefusedError
from geosite.sources.sciencebase import estimated, fetched, probed
from tests.services.test_download import ask, client, shop

__all__ = ["client", "shop"]
TABLE = b"NAME,SIZE,LON,LAT\na,1,-117,38\nb,2,-116,39\n"


@pytest.fixture
def item(shop, nginx):
    """What an item says; put on nginx with changes, it gives what to ask for."""
    folder, url = shop
    (folder / "Points.csv").write_bytes(TABLE)
    file = {
        "name": "Points.csv",
        "url": f"{url}/Points.csv",
        "downloadUri": f"{url}/nowhere.csv",
        "size": len(TABLE),
        "checksum": {"type": "MD5", "value": hashlib.md5(TABLE).hexdigest()},  # noqa: S324
    }

    def put(wanted="points.csv", others=(), said=None, **changes):
        files = [file | changes, *others]
        whole = {"id": "x", "provenance": {"lastUpdated": "2024-04-01T00:00:00Z"}, "files": files}
        (folder / "item").write_text(json.dumps(whole if said is None else said))
        return ask(
            f"{url}/item", kind="sciencebase", file=wanted, xy=("LON", "LAT"), size=len(TABLE)
        )

    return put


def got(asked, client, tmp_path):
    return fetched(asked, client, tmp_path, lambda *_: None)


@pytest.mark.parametrize("wanted", ["Points.csv", "points.CSV", "poi*.csv"])
def test_a_file_of_an_item_is_a_layer(wanted, item, client, tmp_path):
    came = got(item(wanted), client, tmp_path)
    assert list(gpd.read_parquet(came.path)["NAME"]) == ["a", "b"]
    assert came.url.endswith("/Points.csv")
    assert came.edited == "2024-04-01T00:00:00Z"
    assert came.source_sha256 == hashlib.sha256(TABLE).hexdigest()
    assert came.count == 2


def test_the_other_address_does_where_the_first_is_missing(item, shop, client, tmp_path):
    asked = item(url=None, downloadUri=f"{shop[1]}/Points.csv")
    assert got(asked, client, tmp_path).count == 2


def test_an_item_without_addresses_is_refused(item, client, tmp_path):
    with pytest.raises(RefusedError, match=r"says no address of Points\.csv"):
        got(item(url=None, downloadUri=7), client, tmp_path)


@pytest.mark.parametrize("kind", ["SHA-1", "sha256", "SHA-512"])
def test_every_digest_that_is_said_is_checked(kind, item, client, tmp_path):
    true = hashlib.new(kind.replace("-", ""), TABLE).hexdigest()
    asked = item(checksum={"type": kind, "value": true.upper()})
    assert got(asked, client, tmp_path).count == 2
    asked = item(checksum={"type": kind, "value": true[::-1]})
    with pytest.raises(RefusedError, match="the item says"):
        got(asked, client, tmp_path)


@pytest.mark.parametrize("said", [None, "x", {}, {"type": "CRC", "value": "1"}, {"type": "MD5"}])
def test_a_digest_that_says_nothing_is_none(said, item, client, tmp_path):
    assert got(item(checksum=said), client, tmp_path).count == 2


def test_a_file_that_is_not_listed_is_answered_with_those_that_are(item, client, tmp_path):
    asked = item("Lines.csv", others=[{"name": "More.zip"}, {"no": "name"}, "nonsense"])
    with pytest.raises(FetchError, match=r"no single file 'Lines.csv'; it lists More.zip, Points"):
        got(asked, client, tmp_path)
    found = probed(asked, client)
    assert (found.health, "Points.csv" in found.words) == ("schema changed", True)


def test_a_name_that_means_several_files_is_refused(item, client, tmp_path):
    with pytest.raises(FetchError, match="no single file"):
        got(item("*", others=[{"name": "More.zip"}]), client, tmp_path)


def test_files_that_became_a_service_are_listed_too(item, shop, client, tmp_path):
    file = {"name": "Points.csv", "url": f"{shop[1]}/Points.csv"}
    asked = item(said={"facets": [{"files": [file]}, 7], "files": None})
    assert got(asked, client, tmp_path).count == 2


def test_size_and_health_are_what_the_item_says(item, client):
    assert estimated(item(), client).size == len(TABLE)
    assert probed(item(), client).health == "ok"
    assert probed(item(size=9_999), client).health == "count changed"
    assert probed(item(size="?"), client).health == "ok"


def test_an_item_that_is_gone_is_dead(shop, client):
    asked = ask(f"{shop[1]}/gone", kind="sciencebase", file="x.csv")
    assert probed(asked, client).health == "dead"


def test_an_item_that_has_moved_is_said(item, hostile, client):
    asked = item()
    target = asked.source.url.replace("127.0.0.1", "localhost")
    source = asked.source.model_copy(update={"url": f"{hostile.url}/moved-to?to={target}"})
    moved = ask(source.url, kind="sciencebase", file="points.csv")
    assert probed(moved, client).health == "moved"


def test_an_item_behind_a_login_is_dead_to_us(hostile, client, tmp_path):
    asked = ask(f"{hostile.url}/401", kind="sciencebase", file="x.csv")
    assert probed(asked, client).health == "dead"
    with pytest.raises(RefusedError, match=r"answered 401.*a person has to log in"):
        got(asked, client, tmp_path)
