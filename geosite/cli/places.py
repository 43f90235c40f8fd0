"""Where a verb finds its scenario, its catalogue and its layers: in folders, or in a bundle."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

from geosite.errors import RunError

if TYPE_CHECKING:
    from geosite.planning import Plan
    from geosite.runs import Run


@dataclass(frozen=True, slots=True)
class Places:
    """A scenario by name or path, a catalogue, and the folders of its layers.

    Parameters
    ----------
    fetched : Path, optional
        Of what was fetched; None if the user wants no cache.
    """

    scenario: str
    layers: Path
    data: Path
    fetched: Path | None


def places(scenario: str, layers: Path | None, data: Path | None) -> Places:
    """What ``--layers`` and ``--data`` mean for a scenario.

    A bundle brings everything itself, its scenario too, which is meant by its name, or by none.
    """
    from geosite import catalog as c  # noqa: PLC0415

    if is_bundle(layers):
        from geosite.bundles import opened  # noqa: PLC0415

        found = opened(layers)
        named = found.scenario_for(scenario)
        return Places(named, found.layers, data or found.data, found.fetched)
    return Places(scenario, layers or c.official_layers(), data or Path("data"), _fetched())


def is_bundle(layers: Path | None) -> TypeGuard[Path]:
    """Whether ``--layers`` names a bundle and not a folder."""
    return layers is not None and layers.suffix.lower() == ".zip" and not layers.is_dir()


def planned_at(
    at: Places, aoi: str | None, resolution: float | None, today: date | None = None
) -> Plan:
    """The plan of a scenario whose layers are at some places."""
    from geosite import catalog as c  # noqa: PLC0415
    from geosite.pipeline import plan as planned  # noqa: PLC0415

    return planned(
        c.open_scenario(at.scenario),
        c.open_catalog(at.layers),
        c.open_rulebook(),
        at.data,
        aoi=aoi,
        resolution=resolution,
        today=today,
        fetched=at.fetched,
    )


def reviewed_at(at: Places, reviews: Path, aoi: str | None, resolution: float | None) -> Plan:
    """The plan that repeats a reviewed run with an overlay of decisions."""
    from geosite.reviews import open_overlay, reviewed  # noqa: PLC0415

    # Nothing but the decisions is to differ.
    written = open_overlay(reviews)
    found = planned_at(at, aoi or written.aoi, resolution or written.resolution, written.day)
    return reviewed(found, written)


def _fetched() -> Path | None:
    from geosite.sources import cache  # noqa: PLC0415
    from geosite.sources.holdings import holdings_root  # noqa: PLC0415

    return None if cache.folder() is None else holdings_root()


def places_of(
    run: Run | None, scenario: str | None, layers: Path | None, data: Path | None
) -> Places:
    """Where the layers of a run were, as its own folder says; options go before.

    Raises
    ------
    RunError
        If the catalogue of the run is not there any more.
    """
    if run is not None:
        said = run.manifest.get("places", {})
        root = run.path.resolve()
        for_layers, for_data = (
            # A path that nobody could write is no place.
            (root / said[key]).resolve() if key in said and said[key].isprintable() else None
            for key in ("layers", "data")
        )
        if layers is None and for_layers is not None:
            if not for_layers.is_dir():
                raise RunError(_gone(root, for_layers))
            layers = for_layers
        if data is None and for_data is not None and for_data.is_dir():
            data = for_data
    return places(scenario or "mine/open-pit", layers, data)


def _gone(run: Path, layers: Path) -> str:
    # Another catalogue would be another question, and nobody would see it.
    from geosite.catalog import official_layers  # noqa: PLC0415

    return (
        f"{run}: its catalogue was at {layers} as seen from this folder, and is not there; move "
        f"the run back, or name it with --layers and --data ({official_layers()} is the official "
        "catalogue)"
    )
