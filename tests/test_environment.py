"""environment.yml and pyproject.toml name the same libraries, with the same bounds."""

import re
import tomllib
from importlib.metadata import version

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

# What conda-forge calls them, where it differs.
CONDA_NAMES = {
    "dask": "dask-core",
    "geopandas": "geopandas-base",
    "matplotlib": "matplotlib-base",
}


@pytest.fixture(scope="module")
def project(root):
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def environment(root):
    return yaml.safe_load((root / "environment.yml").read_text(encoding="utf-8"))


def bounds(lines):
    found = {}
    for line in lines:
        name, bound = re.fullmatch(r"([A-Za-z0-9_.-]+)\s*(>=[0-9.]+)?", line).groups()
        assert name not in found, f"{name} is named twice"
        found[name.lower()] = bound
    return found


def test_both_lists_are_the_same(project, environment):
    ours = bounds(project["dependencies"])
    conda = bounds(environment["dependencies"])
    assert conda.pop("python") == project["requires-python"]
    assert "pip" in conda
    conda.pop("pip")
    assert conda == {CONDA_NAMES.get(name, name): bound for name, bound in ours.items()}


def test_everything_comes_from_conda_forge(environment, root):
    assert environment["channels"] == ["conda-forge", "nodefaults"]
    assert all(isinstance(line, str) for line in environment["dependencies"])
    text = (root / "environment.yml").read_text(encoding="utf-8")
    assert "pip install --no-deps --editable ." in text


def test_every_dependency_states_the_oldest_version_it_may_have(project):
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    assert all(">=" in line for lines in lists for line in lines)


def test_what_is_installed_is_not_older(project):
    for line in project["dependencies"]:
        wanted = Requirement(line)
        assert Version(version(wanted.name)) in wanted.specifier, line


def test_lists_are_sorted(project):
    for lines in (project["dependencies"], *project["optional-dependencies"].values()):
        names = [Requirement(line).name.lower() for line in lines]
        assert names == sorted(names)
