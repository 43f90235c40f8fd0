"""What CONTRIBUTING.md promises about the shape of the code, held by machine."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import tomllib
from pathlib import Path

import nbclient
import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "geosite"
MODULES = sorted(p for p in PACKAGE.rglob("*.py") if "node_modules" not in p.parts)
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
TRANSFORMS = {
    "Transformer",
    "WarpedVRT",
    "calculate_default_transform",
    "reproject",
    "to_crs",
    "transform_geom",
}
MOST_LINES = 400

# Written in two pieces, so that this file does not contain what it looks for.
MACHINE_PATH = re.compile(
    "|".join(
        first + rest
        for first, rest in [
            (r"(?<![\w.~:/-])/ho", r"me/\w"),
            (r"(?<![\w.~:/-])/ro", r"ot/\w"),
            (r"(?<![\w.~:/-])/Us", r"ers/\w"),
            (r"(?<![\w.~:/-])/wo", r"rk/\w"),
            (r"(?<![\w.~:/-])/tm", r"p/\w"),
            (r"(?<![\w.~:/-])/mn", r"t/\w"),
            (r"\b[A-Z]:\\", r"\w"),
        ]
    )
)


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def names_in(tree):
    """Every name that is read, called, imported or reached through a dot."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
                yield name.rpartition(".")[2], getattr(node, "lineno", 0)


def defined_in(tree):
    """Every name that a module gives to a function, class, argument or variable."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name, node.lineno
            case ast.ClassDef(name=name) | ast.arg(arg=name):
                yield name, node.lineno
            case ast.Name(id=name, ctx=ast.Store()):
                yield name, node.lineno


def code_cells(notebook):
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


# ── transforms live in one place ────────────────────────────────────────────────────────────


@pytest.mark.parametrize("module", [m for m in MODULES if m != PACKAGE / "crs.py"], ids=name_of)
def test_only_crs_changes_coordinates(module):
    used = {
        f"line {line}: {name}" for name, line in names_in(tree_of(module)) if name in TRANSFORMS
    }
    assert not used, f"{name_of(module)} changes coordinates itself; use geosite.crs"


def test_the_guard_above_sees_every_spelling():
    spellings = """
from pyproj import Transformer as T
frame.to_crs(5070)
rasterio.warp.reproject(a, b)
import rasterio.warp.transform_geom
"""
    assert {n for n, _ in names_in(ast.parse(spellings))} >= {
        "Transformer",
        "to_crs",
        "reproject",
        "transform_geom",
    }


# ── rooms with one purpose ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_no_drawer_for_odds_and_ends(module):
    assert not re.search(r"util|helper|common|misc|manager", module.stem)


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_modules_say_what_they_are_for_and_stay_small(module):
    text = module.read_text(encoding="utf-8")
    if text.strip():
        assert ast.get_docstring(ast.parse(text)), f"{name_of(module)} has no docstring"
    assert text.count("\n") <= MOST_LINES, f"{name_of(module)}: is it one purpose?"


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_names_are_in_our_words(module):
    """A pure function is named for what it returns, not for the work it does."""
    foreign = re.compile(
        r"^_?((get|compute|process|do|handle|calc)_|(data\d|df\d?|arr\d?|tmp\d?)$)"
    )
    # The names by which the standard library's server calls a method.
    called = {"do_GET", "do_HEAD", "handle_error"} if module.name == "viewing.py" else set()
    wrong = {
        f"line {line}: {name}"
        for name, line in defined_in(tree_of(module))
        if foreign.search(name) and name not in called
    }
    assert not wrong


def test_every_module_is_a_room_of_the_contract():
    """The contract is exhaustive; this only says sooner, and by name, what is missing from it."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    rooms = set(re.findall(r"\w+", " ".join(layers)))
    built = {
        path.stem
        for path in PACKAGE.iterdir()
        if (path.suffix == ".py" and path.name != "__init__.py") or (path / "__init__.py").is_file()
    }
    assert built <= rooms


def test_every_module_has_a_test_file():
    tests = {path.stem for path in (ROOT / "tests").rglob("test_*.py")}
    missing = []
    for module in MODULES:
        *folders, stem = module.relative_to(PACKAGE).with_suffix("").parts
        if stem.startswith("__"):
            continue
        good = {f"test_{stem}", "_".join(["test", *folders, stem]), *(f"test_{f}" for f in folders)}
        if not good & tests:
            missing.append(f"{name_of(module)} → tests/test_{stem}.py")
    assert not missing


# ── what is tracked ─────────────────────────────────────────────────────────────────────────


def test_no_file_names_a_path_of_somebodys_machine(root):
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=root,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    found = []
    for name in filter(None, listed.split("\0")):
        path = root / name
        if not path.is_file() or path.stat().st_size > 1_000_000:
            continue
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        found += [
            f"{name}:{n}: {hit[0]}"
            for n, line in enumerate(lines, 1)
            if (hit := MACHINE_PATH.search(line))
        ]
    assert not found


def test_no_data_file_is_tracked(root):
    """Data has its own licences and does not belong here: fixtures are drawn in code."""
    data = {".gpkg", ".shp", ".dbf", ".tif", ".tiff", ".gdb", ".parquet", ".zip", ".gz", ".geojson"}
    data |= {".topojson", ".csv", ".jsonl", ".nc", ".zarr"}
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        check=False,
        capture_output=True,
        text=True,
    ).stdout.split("\n")
    # What the synthetic demo gave is no data: it is what a run is compared with; nor is a
    # square that was drawn for the benchmark.
    ours = ("tests/golden/", "benchmarks/nv90/aoi.geojson")
    tracked = [n for n in listed if Path(n).suffix.lower() in data]
    assert [n for n in tracked if not n.startswith(ours)] == []


# ── notebooks call, never define ────────────────────────────────────────────────────────────


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=name_of)
def test_notebooks_define_nothing_and_name_no_absolute_path(notebook):
    for cell in code_cells(notebook):
        tree = ast.parse(cell)
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
        assert not any(isinstance(node, kinds) for node in ast.walk(tree)), cell
        texts = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)]
        paths = [t for t in texts if isinstance(t, str) and re.match(r"/|~|[A-Za-z]:[\\/]", t)]
        assert not paths, cell


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=name_of)
def test_notebooks_are_kept_without_their_output(notebook):
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=name_of)
@pytest.mark.filterwarnings("default")  # the kernel's own libraries are not ours to mend
def test_notebooks_run(notebook, tmp_path):
    book = nbformat.read(notebook, as_version=4)
    client = nbclient.NotebookClient(book, timeout=300, resources={"metadata": {"path": tmp_path}})
    client.execute()
    assert list(tmp_path.rglob("map.html"))
