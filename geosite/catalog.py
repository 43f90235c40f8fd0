"""Read what people wrote down: layers, rules, commodities, scenarios."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from geosite.crs import parsed_crs
from geosite.errors import CatalogError, CRSMismatchError, faults
from geosite.grid import Grid
from geosite.model.base import Spec
from geosite.model.commodity import Commodities
from geosite.model.freight import Freight
from geosite.model.layer import Layer
from geosite.model.lock import Held
from geosite.model.permit import Permits
from geosite.model.potential import PotentialTable
from geosite.model.processing import Processing
from geosite.model.rule import LandAuthorities, LocalRules, Rule, RuleSet
from geosite.model.scenario import Scenario
from geosite.model.unseen import Unseen, UnseenTable

S = TypeVar("S", bound=Spec)
_UNFOLDED = 1_000_000
"""Most values of one file; the largest of ours has some thousands."""
_PACKAGE = Path(str(resources.files("geosite")))


@dataclass(frozen=True, slots=True)
class Catalog(Mapping[str, Layer]):
    """Every layer that is known, by id, and what was fetched of them.

    Parameters
    ----------
    held : mapping of layer to object
        What was fetched and does for the area in question.
    unfit : mapping of layer to reason
        Why what was fetched does not, in words; for an error message.
    """

    root: Path
    layers: Mapping[str, Layer]
    held: Mapping[str, Held] = field(default_factory=dict)
    unfit: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, id_: str) -> Layer:
        """One layer."""
        return self.layers[id_]

    def __iter__(self) -> Iterator[str]:
        """Ids, sorted."""
        return iter(self.layers)

    def __len__(self) -> int:
        """Number of layers."""
        return len(self.layers)


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The law as it is written down: rule sets, land authorities, commodities, AOI groups."""

    sets: Mapping[str, RuleSet]
    authorities: LandAuthorities
    commodities: Commodities
    groups: Mapping[str, tuple[str, ...]]
    """Names that stand for several states: ``west`` → its states."""
    permits: Permits
    local: LocalRules
    potential: PotentialTable = field(default_factory=PotentialTable)
    """How records propose a mineral potential."""

    def rules(self, scenario: Scenario) -> tuple[Rule, ...]:
        """Rules a scenario asks for, in order of rule id, so that naming order means nothing.

        The scenario's own rules take the place of those of the same id; rule sets
        that do not exist are left out here and reported by `dangling`.
        """
        chosen = self.generic(scenario) | {r.id: r for r in scenario.own_rules}
        return tuple(chosen[i] for i in sorted(chosen))

    def generic(self, scenario: Scenario) -> dict[str, Rule]:
        """Rules of the sets that a scenario names, by id, without its own."""
        named = [self.sets[name].rules for name in scenario.rules if name in self.sets]
        return {r.id: r for rules in named for r in rules}


class _Groups(Spec):
    groups: dict[str, tuple[str, ...]]


def official_layers() -> Path:
    """The official catalogue: packed with the wheel, or beside the package in a checkout."""
    packed = _PACKAGE / "layers"
    return packed if packed.is_dir() else _PACKAGE.parent / "layers"


def open_catalog(root: Path) -> Catalog:
    """Read every layer under a folder; the path of a file is its id.

    Raises
    ------
    CatalogError
        If the folder holds no layer, a file is not a valid layer, or a layer
        refers to one that does not exist. Every fault of every file at once.
    """
    files = sorted(root.rglob("*.yaml")) if root.is_dir() else []
    if not files:
        msg = (
            f"{root}: no catalogue here (expected a folder of layer files such as "
            "land/blm.yaml); give its path with --layers"
        )
        raise CatalogError(msg)
    layers: dict[str, Layer] = {}
    found: list[str] = []
    for file in files:
        id_ = file.relative_to(root).with_suffix("").as_posix()
        try:
            layers[id_] = _read(file, Layer, id=id_)
        except CatalogError as error:
            found += str(error).splitlines()
    for id_, layer in layers.items():
        needed = [("union_of", i) for i in layer.union_of]
        if layer.coverage.kind == "inside":
            needed.append(("coverage.layer", layer.coverage.layer))
        if layer.coverage.kind in ("states", "except_states"):
            needed.append(("coverage.names", "aoi/states"))
        found += [
            f"{id_}.yaml: {key}: there is no layer {other!r} in {root}"
            for key, other in needed
            if other not in layers
        ]
        found += [
            f"{id_}.yaml: union_of: {other} is a union itself; name its parts"
            for other in layer.union_of
            if other in layers and layers[other].union_of
        ]
    if found:
        raise CatalogError(faults(f"the catalogue {root} is not valid:", found))
    return Catalog(root, layers)


def open_rulebook(root: Path | None = None) -> Rulebook:
    """Read the rulebook that comes with the package, or one in another folder.

    Raises
    ------
    CatalogError
        If a file is not valid, or two rules share an id.
    """
    root = root or _PACKAGE / "rulebook"
    sets: dict[str, RuleSet] = {}
    owner: dict[str, str] = {}
    found: list[str] = []
    for file in sorted((root / "rules").glob("*.yaml")):
        chosen = _tried(file, RuleSet, found, id=file.stem)
        if chosen is None:
            continue
        sets[chosen.id] = chosen
        for rule in chosen.rules:
            if rule.id in owner:
                found.append(f"{file.name}: rule {rule.id} is already in {owner[rule.id]}")
            owner[rule.id] = file.name
    permits = _tried(root / "permits.yaml", Permits, found)
    local = _tried(root / "local.yaml", LocalRules, found)
    known = {p.id for p in permits.permits} if permits else set()
    found += [
        f"{owner[rule.id]}: rule {rule.id}: there is no permit {id_!r} in permits.yaml"
        for chosen in sets.values()
        for rule in chosen.rules
        for id_ in rule.permits
        if permits and id_ not in known
    ]
    found += [
        f"local.yaml: there is no rule {entry.rule!r}"
        for entry in (local.local if local else ())
        if entry.rule not in owner
    ]
    authorities = _tried(root / "authorities.yaml", LandAuthorities, found)
    commodities = _tried(root / "commodities.yaml", Commodities, found)
    groups = _tried(root / "aoi_groups.yaml", _Groups, found)
    potential: PotentialTable | None = PotentialTable()
    if (root / "potential.yaml").is_file():
        potential = _tried(root / "potential.yaml", PotentialTable, found)
    if found or not (permits and local and authorities and commodities and groups and potential):
        raise CatalogError(faults(f"the rulebook {root} is not valid:", found))
    return Rulebook(sets, authorities, commodities, groups.groups, permits, local, potential)


def open_unseen() -> tuple[Unseen, ...]:
    """What no layer shows, from the rulebook that comes with the package."""
    return _read(_PACKAGE / "rulebook" / "unseen.yaml", UnseenTable).unseen


def open_freight() -> Freight:
    """Rates of freight, from the rulebook that comes with the package."""
    return _read(_PACKAGE / "rulebook" / "freight.yaml", Freight)


def open_processing() -> Processing:
    """Which kind of plant takes the ore of which commodity, from the package's rulebook."""
    return _read(_PACKAGE / "rulebook" / "processing.yaml", Processing)


def preset_names() -> list[str]:
    """Presets that come with the package, such as ``mine/open-pit``."""
    root = _PACKAGE / "scenarios"
    return sorted(f.relative_to(root).with_suffix("").as_posix() for f in root.rglob("*.yaml"))


def open_scenario(name_or_path: str) -> Scenario:
    """Read a preset by its name, or a scenario file by its path.

    An AOI that is a file is looked for beside the scenario first.

    Raises
    ------
    CatalogError
        If there is neither, or the file is not a valid scenario.
    CRSMismatchError
        If the CRS of its grid is none, or is not projected in metres.
    """
    preset = name_or_path in preset_names()
    path = _PACKAGE / "scenarios" / f"{name_or_path}.yaml" if preset else Path(name_or_path)
    if not path.is_file():
        msg = (
            f"{name_or_path}: there is no such scenario file, and no preset of that name; "
            f"presets are {', '.join(preset_names())}"
        )
        raise CatalogError(msg)
    scenario = _read(path, Scenario)
    try:
        Grid(parsed_crs(scenario.grid.crs, "grid.crs"), scenario.grid.resolution, 0, 0, (1, 1))
    except CRSMismatchError as error:
        title = f"{path} is not a valid scenario:"
        raise CRSMismatchError(faults(title, [str(error)])) from None
    beside = path.parent / scenario.aoi
    if not preset and Path(scenario.aoi).suffix and beside.is_file():
        return scenario.model_copy(update={"aoi": str(beside)})
    return scenario


class _TextLoader(yaml.BaseLoader):
    """Scalars as text; keeps which keys a mapping has twice, where YAML would take the last."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.twice: list[str] = []
        self.sizes: dict[int, int] = {}

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """A node, refused where aliases of aliases unfold it to more than anyone wrote down."""
        node = super().compose_node(parent, index)
        if isinstance(node, yaml.CollectionNode) and id(node) not in self.sizes:
            inner = [n for v in node.value for n in (v if isinstance(v, tuple) else (v,))]
            size = 1 + sum(self.sizes.get(id(n), 1) for n in inner)
            self.sizes[id(node)] = size
            if size > _UNFOLDED:
                msg = f"its aliases unfold to more than {_UNFOLDED:,} values; write them out"
                raise yaml.YAMLError(msg)
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        """A mapping, and its repeated keys on record."""
        first: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if isinstance(key, yaml.ScalarNode) and key.value in first:
                before = first[key.value]
                self.twice.append(
                    f"line {line}: {key.value}: already on line {before}; keep one of the two"
                )
            elif isinstance(key, yaml.ScalarNode):
                first[key.value] = line
        return super().construct_mapping(node, deep)


def load_yaml(path: Path) -> dict[str, Any]:
    """A YAML mapping whose scalars are all text.

    Scalars stay text until a spec types them: YAML must not guess that NO is
    false, or that version 1.10 is 1.1.

    Raises
    ------
    CatalogError
        If the file is no YAML mapping, or a key is written twice.
    """
    try:
        loader = _TextLoader(path.read_text(encoding="utf-8"))
        try:
            found = loader.get_single_data()
        finally:
            loader.dispose()
    except FileNotFoundError:
        msg = f"{path}: cannot be read as YAML: there is no such file"
        raise CatalogError(msg) from None
    except RecursionError:
        msg = f"{path}: cannot be read as YAML: its values are nested too deeply"
        raise CatalogError(msg) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        msg = f"{path}: cannot be read as YAML: {' '.join(str(error).split())}"
        raise CatalogError(msg) from None
    if loader.twice:
        raise CatalogError(faults(f"{path}: keys are written twice:", loader.twice))
    if not isinstance(found, dict):
        msg = f"{path}: expected keys and values, found {type(found).__name__}"
        raise CatalogError(msg)
    return found


def _read(path: Path, spec: type[S], **known: str) -> S:
    try:
        return spec.model_validate({**load_yaml(path), **known})
    except ValidationError as error:
        kind = spec.__name__.lstrip("_").lower()
        raise CatalogError(faults(f"{path} is not a valid {kind}:", misfits(error))) from None


def _tried(path: Path, spec: type[S], found: list[str], **known: str) -> S | None:
    # A file among others: its faults are told with theirs.
    try:
        return _read(path, spec, **known)
    except CatalogError as error:
        found += str(error).splitlines()
        return None


def misfits(error: ValidationError) -> list[str]:
    """What is wrong with the content of a file, a line a fault: where, and what was found."""
    return [f"{'.'.join(map(str, e['loc'])) or 'whole file'}: {_said(e)}" for e in error.errors()]


def _said(error: Any) -> str:
    found = error.get("input")
    short = "" if isinstance(found, dict | list | tuple) else f" (found {str(found)[:60]!r})"
    if error["type"] == "extra_forbidden":
        return f"this key is not known here; check its spelling{short}"
    if error["type"] == "missing":
        return "this key is missing"
    if error["type"] in ("tuple_type", "list_type"):
        return f"expected a list{short}"
    if error["type"] in ("model_type", "model_attributes_type", "dict_type"):
        return f"expected keys and values{short}"
    if error["type"] == "too_short":
        least = error["ctx"]["min_length"]
        return f"expected at least {least}, found {error['ctx']['actual_length']}"
    return f"{error['msg'].removeprefix('Value error, ')}{short}"
