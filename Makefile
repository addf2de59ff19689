# Every target installs what it needs on first use. `make help` lists them.
#   ARGS="…"      is passed on to the command (make run ARGS="--port 9000", make test ARGS="-k locks")
#   PYTHON=PATH   makes the environment with that interpreter

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test check bench soak format clean tools test-ready
export PYTHON

BIN  := .venv/bin
ARGS :=

HUBD  := .venv/.installed-hubd
DEV   := .venv/.installed-dev
SEAM1 := .venv-seam1/.installed
SIM   := tests/sims/zwave/node_modules/.installed
SDK   := tests/sdk/js/node_modules/.installed

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "%-9s %s\n", $$1, $$2 }' Makefile

run: $(HUBD) ## start a demo site: virtual locks and thermostats, a page, the API
	@exec $(BIN)/hubd demo $(ARGS)

test: test-ready ## run the tests, with all that they need
	@$(BIN)/pytest $(ARGS)

check: $(DEV) ## format, lint, types, import contracts, house rules, systemd units
	$(BIN)/ruff format --check --output-format concise
	$(BIN)/ruff check --output-format concise
	$(BIN)/mypy
	$(BIN)/lint-imports
	scripts/check-units
	@$(BIN)/pytest --quiet tests/house

bench: $(DEV) ## measure the hub beside its floor
	@$(BIN)/python -m tests.bench $(ARGS)

soak: test-ready ## the long tests: crashes, churn, fuzzing
	@$(BIN)/pytest -m soak --timeout=3600 --hypothesis-profile=soak $(ARGS)

format: $(DEV) ## format the code and mend what ruff can mend
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

clean: ## remove environments, installed packages and caches
	rm -rf .venv .venv-seam1 tests/sims/zwave/node_modules tests/sdk/js/node_modules
	rm -rf build dist artifacts .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find hubd drivers tests -name __pycache__ -type d -prune -exec rm -rf {} +

tools:
	@scripts/test-tools

test-ready: $(DEV) $(SEAM1) $(SIM) $(SDK) tools

$(HUBD): pyproject.toml
	@scripts/venv .venv $(@F) -- --editable '.[zwave]'

$(DEV): pyproject.toml
	@scripts/venv .venv $(@F) $(notdir $(HUBD)) -- --editable '.[all,dev]'

$(SEAM1): tests/sdk/requirements-seam1.txt
	@scripts/venv .venv-seam1 $(@F) -- --requirement $<

$(SIM) $(SDK): %/node_modules/.installed: %/package-lock.json | tools
	@echo "installing $*/node_modules"
	@cd $* && npm ci --loglevel=error --no-audit --no-fund
	@touch $@
