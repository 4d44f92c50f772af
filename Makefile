# Everything is set up by the targets themselves; a second call finds it there and is quick.

PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(CURDIR)/node_modules/.bin:$(PATH)
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20

.DEFAULT_GOAL := help
.PHONY: help demo test judge lint bench docs deploy lock clean

help: ## show this list
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

demo: .venv/ready node_modules/ready local/.venv/ready ## the whole job, in a local AWS: deploy, collect, verify, report
	@$(BIN)/python -m local.demo

test: .venv/ready node_modules/ready local/.venv/ready lint ## lint, types and tests, with a real deploy into the local AWS
	@echo "== tests"
	@$(BIN)/python -m pytest -q -m "not judge"

judge: .venv/ready node_modules/ready local/.venv/ready ## the long suites
	@echo "== long suites"
	@$(BIN)/python -m pytest -q -m judge

lint: .venv/ready ## ruff and pyright
	@echo "== ruff"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@echo "== pyright"
	@$(BIN)/pyright --pythonpath $(BIN)/python

bench: .venv/ready node_modules/ready local/.venv/ready ## ratios: a run's round trips, synth, verify
	@for b in bench/bench_*.py; do echo "== $$b"; $(BIN)/python $$b || exit 1; done

docs: .venv/ready ## regenerate what is derived from the code
	@$(BIN)/python docs/generate.py

deploy: .venv/ready node_modules/ready ## cdk deploy with your own AWS credentials
	cdk deploy --all

lock: .venv/ready ## resolve the pinned requirements anew
	@$(BIN)/pip install -q uv
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --extra cdk pyproject.toml -o requirements.txt
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --extra cdk --group dev pyproject.toml -c requirements.txt -o requirements-dev.txt
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate local/requirements.in -o local/requirements.txt

clean: ## remove everything that make has made
	rm -rf .venv local/.venv node_modules cdk.out dist .pytest_cache .ruff_cache .hypothesis evidence
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/ready: requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; $(PYTHON) is " + sys.version.split()[0] + "; call: make PYTHON=python3.13 ...")'
	@echo "== setting up .venv: the library, the CDK for Python, the tests' tools (about a minute, once)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

node_modules/ready: package-lock.json
	@echo "== setting up node_modules: the CDK command"
	@npm ci --silent
	@touch $@

local/.venv/ready: local/requirements.txt
	@echo "== setting up local/.venv: the emulator (its pins differ from the library's)"
	@$(PYTHON) -m venv local/.venv
	@local/.venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r local/requirements.txt
	@touch $@
