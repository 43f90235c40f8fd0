"""Bring and pack the map's files: ``python -m geosite.assets``, with ``--dev`` for the tests."""

import sys

from geosite.assets.packing import AssetsError, install, pack

if __name__ == "__main__":
    try:
        install(dev="--dev" in sys.argv[1:])
        made = pack()
    except AssetsError as error:
        sys.exit(f"error: {error}")
    print(f"the map's files are packed: {len(made)} in {made[0].parent}")  # noqa: T201 -- a command
