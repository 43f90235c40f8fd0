"""The servers that tests of sources ask, one of each for all of them."""

from tests.services.hostile import hostile
from tests.services.nginx import nginx

__all__ = ["hostile", "nginx"]
