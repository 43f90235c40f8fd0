"""A synthetic basin, seeded, of any size: the embedded default and the load test."""

from geosite.demo.world import AOI, World, make_world

__all__ = ["AOI", "World", "make_world"]
