"""The machine and the libraries that a result belongs to."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
_PACKAGES = (
    "atlite",
    "dask",
    "distributed",
    "edt",
    "geopandas",
    "geosite",
    "numba",
    "numpy",
    "opencv-python-headless",
    "pandas",
    "rasterio",
    "scipy",
    "shapely",
    "xarray-spatial",
    "zarr",
)


def machine() -> dict[str, Any]:
    """Cores, model, memory and system."""
    found = re.search(r"^model name\s*:\s*(.+)$", _text("/proc/cpuinfo"), re.MULTILINE)
    return {
        "processor": found[1] if found else platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": platform.system(),
    }


def versions() -> dict[str, str]:
    """What the numbers were measured with."""
    import pyproj  # noqa: PLC0415
    import rasterio  # noqa: PLC0415

    found = {"python": platform.python_version(), "commit": _commit()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found | {"gdal": rasterio.__gdal_version__, "proj": pyproj.proj_version_str}


def stamp() -> str:
    """Now, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _commit() -> str:
    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=ROOT, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", "geosite", "layers")
    return (git("rev-parse", "--short", "HEAD") or "unknown") + (" (changed)" if changed else "")


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""
