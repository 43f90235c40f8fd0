"""Real servers on loopback, one of each for all tests of a worker."""

from __future__ import annotations

import pytest

from tests.services import koop as koop_server


@pytest.fixture(scope="session")
def koop(tmp_path_factory):
    """A running Koop."""
    with koop_server.running(tmp_path_factory.mktemp("koop")) as server:
        yield server
