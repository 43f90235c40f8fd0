"""Real servers on loopback, one of each for all tests of a worker."""

from tests.services.mapserver import mapserver  # noqa: F401
from tests.services.ogcapi import pygeoapi  # noqa: F401
