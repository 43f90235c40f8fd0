"""A whole analysis in one file: layers, their entries and the scenario, for a machine offline."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from geosite.catalog import open_scenario
from geosite.errors import LayerDataError, MissingLayerError, faults
from geosite.needs import named_layers, wanted_layers
from geosite.sources import placed
from geosite.sources.holdings import holdings_root
from geosite.sources.lockfile import LOCK, lock_text
from geosite.sources.place import records
from geosite.sources.sealed import SEAL, Part, seal, unsealed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from geosite.model.lock import Held
    from geosite.planning import Plan

_SCENARIO, _README = "scenario.yaml", "README.md"


@dataclass(frozen=True, slots=True)
class Bundled:
    """A bundle that was written.

    Attributes
    ----------
    size : int
        [bytes]
    layers : tuple of str
        Those whose files are in it.
    missing : tuple of str
        Those that the scenario names and nobody has; a run from the bundle lacks them too.
    """

    path: Path
    size: int
    layers: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unpacked:
    """Folders of a bundle: what ``--layers``, ``--data`` and the cache are without one."""

    layers: Path
    data: Path
    fetched: Path
    scenario: Path

    def scenario_for(self, word: str) -> str:
        """The bundle's own scenario if a word is its name, or none; else the word."""
        own = str(self.scenario)
        return own if word in ("", open_scenario(own).name) else word


def bundle(plan: Plan, target: Path, *, allow_missing: bool = False) -> Bundled:
    """Write a plan with all that it reads to one zip file, in one step.

    The same plan over the same layers gives the same bytes.

    Parameters
    ----------
    plan : Plan
        Its AOI, resolution and day become those of the scenario in the bundle.
    target : Path
        A file that is there is replaced once the new one is whole.
    allow_missing : bool
        Also without layers that are not to be had.

    Raises
    ------
    MissingLayerError
        If layers are missing and that was not allowed.
    LayerDataError
        If a file has changed since it was fetched or while it was read.
    RunError
        If the file cannot be written.
    """
    if plan.missing and not allow_missing:
        lines = plan.missing_lines
        fix = "or bundle with --allow-missing: a run from the bundle lacks them too"
        raise MissingLayerError(faults("layers are missing:", [*lines, fix]))
    wanted = wanted_layers(plan.scenario, plan.catalog, plan.rulebook)
    there = tuple(i for i in wanted if placed(plan.catalog[i], plan.catalog, plan.data))
    missing = tuple(sorted({*wanted, *(u.layer for u in plan.missing)} - {*there}))
    missing = tuple(i for i in missing if not (i in plan.catalog and plan.catalog[i].union_of))
    parts = [*_question_parts(plan), *_entry_parts(plan), *_layer_parts(plan, there)]
    parts.append(Part(_README, text=_readme(plan, target.name, there, missing)))
    about = {
        "geosite": version("geosite"),
        "scenario": plan.scenario.name,
        "aoi": plan.aoi_name,
        "as_of": plan.as_of.isoformat(),
        "layers": there,
        "missing": missing,
    }
    seal(parts, about, target)
    return Bundled(target, target.stat().st_size, there, missing)


def _question_parts(plan: Plan) -> Iterator[Part]:
    changes: dict[str, object] = {"as_of": plan.as_of}
    path = Path(plan.scenario.aoi)
    if path.suffix and path.exists():
        if not path.is_file():
            msg = f"aoi {path}: is a folder, expected one file; save it as a GeoPackage"
            raise LayerDataError(msg)
        changes["aoi"] = f"aoi/{path.name}"
        shapefile = path.suffix.lower() == ".shp"
        beside = [p for p in sorted(path.parent.iterdir()) if p.stem == path.stem and p.is_file()]
        yield from (Part(f"aoi/{p.name}", p) for p in (beside if shapefile else [path]))
    scenario = plan.scenario.model_copy(update=changes)
    said = scenario.model_dump(mode="json", by_alias=True, exclude_none=True)
    yield Part(_SCENARIO, text=yaml.safe_dump(said, sort_keys=False, allow_unicode=True))


def _entry_parts(plan: Plan) -> Iterator[Part]:
    """Entries of the catalogue, and all that they refer to."""
    queue, found = [*named_layers(plan.scenario, plan.catalog, plan.rulebook)], set()
    while queue:
        id_ = queue.pop()
        if id_ in found:
            continue
        found.add(id_)
        layer = plan.catalog[id_]
        queue += layer.union_of
        queue += [layer.coverage.layer] if layer.coverage.kind == "inside" else []
    for id_ in sorted(found):
        # The schema that an editor looks for is not there; the entry itself is as it was.
        said = plan.catalog[id_].model_dump(
            mode="json", by_alias=True, exclude={"id"}, exclude_none=True
        )
        text = yaml.safe_dump(said, sort_keys=False, allow_unicode=True)
        yield Part(f"layers/{id_}.yaml", text=text)


def _layer_parts(plan: Plan, layers: Iterable[str]) -> Iterator[Part]:
    entries, seen = [], set()
    for id_ in layers:
        found = placed(plan.catalog[id_], plan.catalog, plan.data)
        if found is None:
            continue
        if found.held:
            entries.append(found.held.entry)
            name, held = _object(found.held), found.held
            parts = [Part(name, held.path, sha256=held.entry.sha256)]
        else:
            parts = [
                Part(f"data/{f.path}", plan.data / f.path, sha256=f.sha256)
                for f in records(found, plan.data)
            ]
        # Two layers may lie in one file.
        yield from (p for p in parts if p.name not in seen)
        seen |= {p.name for p in parts}
    if entries:
        yield Part(f"fetched/{LOCK}", text=lock_text(entries))


def _object(held: Held) -> str:
    return f"fetched/objects/{held.path.parent.name}/{held.path.name}"


def _readme(plan: Plan, name: str, there: Iterable[str], missing: Iterable[str]) -> str:
    scenario = plan.scenario
    lines = [
        f"# {scenario.title}",
        "",
        f"Area: {plan.aoi_name}. Rules are read as of {plan.as_of}. Marking: {scenario.marking}.",
        "",
        f"This file holds all that geosite {version('geosite')} needs for this analysis: the",
        "scenario, the catalogue entries and the data. No network is needed:",
        "",
        f"    geosite plan {scenario.name} --layers {name}",
        f"    geosite run {scenario.name} --layers {name}",
        "",
        "The same version of geosite gives the same answer as where the file was made. The SHA-256",
        f"of every file stands in `{SEAL}` and is checked when the bundle is opened.",
        "",
        "## Layers",
        "",
    ]
    for id_ in there:
        layer = plan.catalog[id_]
        held = plan.catalog.held.get(id_)
        lines += [
            f"* **{id_}**: {layer.title} ({layer.agency}, {layer.vintage})",
            f"  Licence: {' '.join(layer.licence.split())}",
            f"  Citation: {' '.join(layer.citation.split())}",
            *([f"  Retrieved {held.entry.retrieved} from {held.entry.url}"] if held else []),
        ]
    lost = [*missing]
    lines += ["", "## Not to be had", "", *(f"* {i}" for i in lost)] if lost else []
    return "\n".join(lines) + "\n"


def opened(path: Path, cache: Path | None = None) -> Unpacked:
    """Folders of a bundle, unpacked below the cache; the next time they are there already.

    Parameters
    ----------
    path : Path
        Of the zip file.
    cache : Path, optional
        The user's own if none is named.

    Raises
    ------
    LayerDataError
        If it is no bundle, is damaged, or would write outside of its folder.
    RunError
        If the cache cannot be written.
    FetchError
        If the user wants no cache and names none.
    """
    folder = unsealed(path, holdings_root(cache).parent / "bundles")
    found = Unpacked(folder / "layers", folder / "data", folder / "fetched", folder / _SCENARIO)
    if not (found.layers.is_dir() and found.scenario.is_file()):
        msg = f"{path}: holds no scenario or no layers, expected a file of geosite bundle"
        raise LayerDataError(msg)
    for place in (found.data, found.fetched):
        place.mkdir(exist_ok=True)
    return found
