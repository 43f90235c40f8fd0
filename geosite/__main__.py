"""Run the command line as ``python -m geosite``."""

from geosite.cli import main

main()
