"""The whole table of misbehaviours through a fetch: each is said, and nothing of it is kept."""

import re

import pytest

from geosite.catalog import Catalog, open_rulebook
from geosite.errors import FetchError
from geosite.fetching import fetch
from geosite.progress import LayerSilence
from geosite.sources.client import Client, Patience
from geosite.sources.holdings import Holdings
from geosite.wants import Order, Stock
from tests.services.hostile import CASES, SERVICES, misbehaving
from tests.services.test_hostile import HASTE, asked

LAZY = Patience(connect=2, read=10, attempts=1)
"""What is packed far too much takes its time to be refused."""
BULKY = {"gzip-bomb", "gzip-bomb.csv", "bomb.zip", "bomb.xlsx", "for-ever"}
CALM = Patience(connect=10, read=20, attempts=3, first=0.01, longest=0.05)
"""On a busy machine no other misbehaviour may be taken for slowness."""
TABLE = (*CASES, *SERVICES)


def name(case):
    """Id of the layer that is the case."""
    return f"{case.kind}/{re.sub(r'[^a-z0-9]+', '-', case.path)}"


def layer(case, url):
    """The case as a layer of a catalogue; JSON is what an ArcGIS server sends."""
    if case.kind == "json":
        case = type(case)(case.path, "arcgis", case.words, {"layer": "Mines"})
    return asked(case, url).layer


def listing(folder):
    """Every file below a folder, with its size."""
    return {p: p.stat().st_size for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def met(tmp_path_factory):
    """What a fetch said of each case, by layer; its holdings; files that are out of place."""
    home = tmp_path_factory.mktemp("hostile")
    (home / "data").mkdir()
    (home / "mine.txt").write_text("mine", encoding="utf-8")
    holdings = Holdings(home / "cache/fetched")
    before, said = listing(home), {}
    with misbehaving() as server:
        for patience, cases in (
            (HASTE, [c for c in TABLE if c.path.startswith(("drip", "silent"))]),
            (CALM, [c for c in TABLE if not c.path.startswith(("drip", "silent", *BULKY))]),
            (LAZY, [c for c in TABLE if c.path in BULKY]),
        ):
            layers = {
                name(c): layer(c, server.url).model_copy(update={"id": name(c)}) for c in cases
            }
            catalog = Catalog(home, dict(sorted(layers.items())))
            stock = Stock(catalog, open_rulebook(), home / "data", holdings)
            with (
                Client(patience, per_host=16, downloads=holdings.downloads) as client,
                pytest.raises(FetchError) as error,
            ):
                fetch(Order(every=True), stock, client, LayerSilence(), jobs=16)
            said |= blocks(str(error.value))
        url = server.url
    out = {p for p in listing(home).keys() - before.keys() if home / "cache" not in p.parents}
    return url, said, holdings, out


def blocks(message):
    """A message's lines on each layer."""
    found = re.split(r"^  layer (\S+) could not be had", message, flags=re.MULTILINE)
    return dict(zip(found[1::2], found[2::2], strict=True))


def test_every_misbehaviour_was_met(met):
    _, said, _, _ = met
    assert set(said) == {name(case) for case in TABLE}
    assert len(said) >= 30


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.id)
def test_the_layer_the_address_and_the_servers_words_are_said(case, met):
    url, said, _, _ = met
    words = said[name(case)]
    first, what, fix, *more = words.splitlines()
    assert first.strip() == "from its one source:"
    # An item of ScienceBase leads to another address, which is the one that is said.
    assert (f"{url}/" if case.kind == "sciencebase" else f"{url}/{case.path}") in what
    assert [w for w in case.words if w not in what] == [], what
    assert fix.strip().startswith("what may help: ")
    assert not more, "one line for one source"
    assert words.replace("\n", "").isprintable()
    assert len(words) < 2500


def test_nothing_of_it_is_kept_and_nothing_lies_about(met):
    _, _, holdings, out = met
    assert holdings.entries() == ()
    assert holdings.verify() == []
    assert not list((holdings.root / "scratch").iterdir())
    assert not list((holdings.root / "objects").iterdir())
    assert out == set()
