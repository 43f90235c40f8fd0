"""Pack the map's third-party files: ``python -m geosite.assets`` after ``npm ci``."""

from geosite.assets import build

if __name__ == "__main__":
    for path in build():
        print(path)  # noqa: T201 -- a command of the build
