"""Which module speaks with which kind of service."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from pathlib import Path

    from geosite.model.source import ServiceKind
    from geosite.sources.asking import Ask, Estimate, Finding, Got, Told
    from geosite.sources.client import Client

_MODULES: dict[ServiceKind, str] = {
    "arcgis": "arcgis",
    "wfs": "wfs",
    "ogc-features": "ogc_features",
    "download": "download",
    "sciencebase": "sciencebase",
    "cog": "cog",
    "cog-tiles": "cog",
}


class Service(Protocol):
    """What a module for a kind of service gives."""

    def fetched(self, ask: Ask, client: Client, folder: Path, told: Told) -> Got:
        """What came, as one file in `folder`."""

    def estimated(self, ask: Ask, client: Client) -> Estimate:
        """What would come."""

    def probed(self, ask: Ask, client: Client) -> Finding:
        """How the source is, by its metadata alone."""


def service(kind: ServiceKind) -> Service:
    """The module for a kind of service, imported when it is first needed."""
    return cast("Service", import_module(f"geosite.sources.{_MODULES[kind]}"))
