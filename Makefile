# One command each; `make help` lists them. Everything runs in .venv, which `make env` builds from uv.lock.

PYTHON3 ?= python3
PYTHON := .venv/bin/python
BIFROST := .venv/bin/bifrost
ENV := .venv/.env-stamp
# Lines of services/ that tests must run, in per cent.
COVERAGE_MIN ?= 90
WORKERS ?= 2
SEEDS ?= 20

# A program started without .pyc files needs three times as long (docs/contributing.md).
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help env gen check test bench demo up down chaos fmt clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

env: $(ENV) ## Make .venv with the locked packages

# The machine's own certificates serve a network with its own authority; PIP_CERT is where such a network often names them.
$(ENV): uv.lock pyproject.toml
	@[ -n "$$SSL_CERT_FILE" ] || [ -z "$$PIP_CERT" ] || export SSL_CERT_FILE="$$PIP_CERT"; \
	  echo "Making .venv from uv.lock" >&2; \
	  uv=$$($(PYTHON3) deploy/build/bootstrap.py) && \
	  UV_SYSTEM_CERTS=1 UV_PYTHON_PREFERENCE=only-system "$$uv" sync --locked --compile-bytecode $$([ -t 2 ] || echo --quiet)
	@touch $@

gen: $(ENV) ## Generate gen/ from proto/
	@$(PYTHON) -m deploy.build.generate

check: $(ENV) ## Everything before a commit but the tests: contracts, generated code, format, lint, types, imports
	@$(PYTHON) -m deploy.build.check

# Tests run in two processes, a file in one of them. Coverage counts in-process tests only: started services are not measured.
test: check ## Check, then run every test that takes seconds
	@$(PYTHON) -m pytest tests --ignore=tests/bench -m "not slow" -n $(WORKERS) --dist loadfile \
	  --cov --cov-report= --cov-fail-under=$(COVERAGE_MIN)

bench: $(ENV) ## Measure into build/bench.json; a part with ONLY=name,name
	@$(PYTHON) -m tests.bench $(if $(ONLY),--only $(ONLY))

chaos: $(ENV) ## Kill, cut and delay: every crash point, those of the mesh with SEEDS seeds
	@SEEDS=$(SEEDS) $(PYTHON) -m pytest tests/chaos -m "slow or not slow"
	@$(PYTHON) -m pytest tests --ignore=tests/chaos --ignore=tests/bench -m slow

demo: $(ENV) ## Trade for two minutes through crashes, then prove every cent
	@$(BIFROST) demo

up: $(ENV) $(if $(shell command -v go),build/tools/grpcurl) ## Start everything; Ctrl-C stops it
	@$(BIFROST) up

# Only where Go is: elsewhere the first calls are printed for bifrost's own `call`.
build/tools/grpcurl:
	@mkdir -p $(@D)
	@echo "Building grpcurl (once; about a minute)" >&2; \
	  CGO_ENABLED=0 GOBIN=$(abspath $(@D)) GOFLAGS=-mod=mod go install github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3 2>$(@D)/grpcurl.log \
	  || { tail -3 $(@D)/grpcurl.log; echo "grpcurl could not be built; bifrost call does the same"; } >&2

down: $(ENV) ## Stop what make up started
	@$(BIFROST) down

fmt: $(ENV) ## Format contracts and code, and mend what the linter can
	@.venv/bin/buf format --write
	@.venv/bin/ruff check --quiet --fix-only $(wildcard services sdk tests envoy deploy deploy/build)
	@.venv/bin/ruff format --quiet $(wildcard services sdk tests envoy deploy deploy/build)

clean: ## Remove what the build and the tests made; .venv stays
	@rm -rf build .mypy_cache .ruff_cache .hypothesis .coverage .coverage.*
	@find services sdk tests deploy envoy gen -name __pycache__ -type d -prune -exec rm -rf {} +
