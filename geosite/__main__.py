"""Run the command line as ``python -m geosite``."""

from geosite.cli import main

# A worker process imports the program that started it, and must not start it again.
if __name__ == "__main__":
    main()
