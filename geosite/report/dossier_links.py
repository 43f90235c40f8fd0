"""Pages of the dossier that lies beside a run: what they are called, and which sites have one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import pyogrio

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_ANOTHER = re.compile(r"(?:-(\d+))?")


def page_files(ids: Iterable[str]) -> dict[str, str]:
    """File name of the page of each site: letters, digits and dashes, each once.

    Examples
    --------
    >>> page_files(["BLM-W1", "BLM W1"])
    {'BLM-W1': 'BLM-W1.html', 'BLM W1': 'BLM-W1-2.html'}
    """
    names: dict[str, str] = {}
    for id_ in ids:
        stem = re.sub(r"[^A-Za-z0-9]+", "-", id_).strip("-")[:60] or "site"
        taken = {n.casefold() for n in names.values()} | {"index.html"}
        name, k = f"{stem}.html", 2
        while name.casefold() in taken:
            name, k = f"{stem}-{k}.html", k + 1
        names[id_] = name
    return names


def dossier_links(run: Path) -> dict[str, str]:
    """Site id → path of its page from the folder of a run, in the newest dossier that has one.

    ``geosite review RUN`` writes ``RUN.review`` beside a run, then ``RUN.review-2``; a dossier
    that was written elsewhere is not known here, and a damaged one is passed over.
    """
    home = run.resolve()
    found: dict[str, str] = {}
    for folder in _dossiers(home):
        try:
            table = pyogrio.read_dataframe(
                folder / "dossier.gpkg", layer="sites", columns=["site_id"], read_geometry=False
            )
        except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError):
            continue
        files = page_files(str(i) for i in table["site_id"])
        found |= {
            id_: f"../{quote(folder.name)}/{name}"
            for id_, name in files.items()
            if (folder / name).is_file()
        }
    return found


def _dossiers(run: Path) -> list[Path]:
    # The oldest first, so that a newer page takes the place of an older one.
    stem = f"{run.name}.review"
    numbered = [
        (int(told[1] or 1), path)
        for path in run.parent.iterdir()
        if path.name.startswith(stem)
        and (told := _ANOTHER.fullmatch(path.name[len(stem) :]))
        and (path / "dossier.gpkg").is_file()
    ]
    return [path for _, path in sorted(numbered)]
