"""Real servers on loopback, one of each for all tests of a worker, and one that lies."""

from __future__ import annotations

import pytest

from tests.services import koop as koop_server
from tests.services.hostile import hostile
from tests.services.mapserver import mapserver
from tests.services.nginx import nginx
from tests.services.ogcapi import pygeoapi
from tests.services.postgis import postgis

__all__ = ["hostile", "koop", "mapserver", "nginx", "postgis", "pygeoapi"]


@pytest.fixture(scope="session")
def koop(tmp_path_factory):
    """A running Koop."""
    with koop_server.running(tmp_path_factory.mktemp("koop")) as server:
        yield server
