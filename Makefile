# One command each; `make help` lists them. Everything runs in .venv, which `make env` builds from uv.lock.

PYTHON3 ?= python3
PYTHON := .venv/bin/python
ENV := .venv/.env-stamp

# A program started without .pyc files needs three times as long (docs/contributing.md).
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help env gen check test bench demo up down chaos fmt clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

env: $(ENV) ## Make .venv with the locked packages

$(ENV): uv.lock pyproject.toml
	@uv=$$($(PYTHON3) deploy/build/bootstrap.py) && \
	  UV_PYTHON_PREFERENCE=only-system "$$uv" sync --locked --compile-bytecode $$([ -t 2 ] || echo --quiet)
	@touch $@

gen: $(ENV) ## Generate gen/ from proto/
	@$(PYTHON) -m deploy.build.generate
