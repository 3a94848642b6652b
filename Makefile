# What a person runs and what CI runs. `make` alone shows what there is.
#
# Needs make, a Python with venv, and a CPython 3.13 (on the PATH, or pyenv's, or one that uv may download). All that
# is installed lies below .local and .venv.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash -o pipefail

export SAM_CLI_TELEMETRY := 0
export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/.local/tools/sam/bin:$(PATH)

TOOLS := .local/tools
INSTALLED := .local/installed
UV := $(TOOLS)/uv/bin/uv
PYTHON := .venv/bin/python
PYTEST := $(PYTHON) -m pytest
OFFLINE := $(PYTEST) --disable-socket --allow-unix-socket
CODE := functions layers local tests

# a python3 that runs (pyenv's shim does not where pyenv lacks the version in .python-version), and a 3.13
ANY_PYTHON = $(shell for each in python3 /usr/bin/python3; do \
	$$each -c 'import venv, ensurepip' 2>/dev/null && { echo $$each; break; }; done)
PYTHON_313 = $(shell for each in python3.13 $(HOME)/.pyenv/versions/3.13*/bin/python3.13; do \
	$$each -c 'import sys; sys.version_info[:2] == (3, 13) and print(sys._base_executable)' 2>/dev/null | grep . && break; \
	done)

##@ Every day

.PHONY: help
help: ## Show this
	@awk 'BEGIN { FS = ":.*## " } /^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z][a-z0-9-]*:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: setup ## Install, build, deploy locally, and run a broadcast to 2,000 recipients
	@$(PYTHON) -m local.demo

.PHONY: up
up: setup ## Start the local stack (AWS and Twilio on this machine), or bring it up to date
	@$(PYTHON) -m local.stack up

.PHONY: down
down: setup ## Stop the local stack
	@$(PYTHON) -m local.stack down

.PHONY: status
status: setup ## Say what runs
	@$(PYTHON) -m local.stack status

.PHONY: logs
logs: setup ## Follow the logs of functions, emulator and simulator
	@$(PYTHON) -m local.stack logs

.PHONY: twilio
twilio: setup ## Run the simulated Twilio alone (PORT=8800)
	@$(PYTHON) -m local.twilio --port $(or $(PORT),8800)

##@ Build

.PHONY: setup
setup: $(INSTALLED)/venv $(INSTALLED)/sam $(INSTALLED)/runtime ## Install what is needed, below .venv and .local

.PHONY: build
build: setup ## sam build, where something has changed
	@$(PYTHON) -m local.stack build

.PHONY: smoke
smoke: build ## Import every built function against the built layer, as Lambda would
	@$(PYTHON) -m local.stack.smoke

.PHONY: lock
lock: setup ## Bring uv.lock and the layer's requirements up to date with pyproject.toml
	@$(UV) lock --quiet
	@$(UV) $(EXPORT) --output-file layers/sendpool/requirements.txt

.PHONY: openapi
openapi: setup ## Write docs/openapi.json and the queue's schema from the code
	@$(PYTHON) -m local.contracts

.PHONY: clean
clean: ## Stop the stack and remove everything that was built or installed
	@if [ -x $(PYTHON) ]; then $(PYTHON) -m local.stack down; fi
	@rm -rf .aws-sam .local .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage

##@ Check

.PHONY: check
check: lint types smoke test ## What CI runs: style, types, imports, all tests

.PHONY: lint
lint: validate ## Style, template, and that what is generated is up to date
	@ruff check $(CODE)
	@ruff format --check --quiet $(CODE)
	@$(PYTHON) -m local.contracts --check
	@$(UV) lock --check --quiet
	@$(UV) $(EXPORT) | diff layers/sendpool/requirements.txt - || { \
		echo "layers/sendpool/requirements.txt is not what uv.lock says: run make lock" >&2; exit 1; }

.PHONY: validate
validate: setup ## sam validate --lint
	@sam validate --lint

.PHONY: types
types: setup ## mypy --strict
	@mypy functions layers local

.PHONY: test
test: offline chaos test-twilio test-stack e2e ## All tests; the last of them on the local stack

.PHONY: offline
offline: setup ## Tests that need no other process and no network: all but the next four
	@$(OFFLINE) --numprocesses=auto --dist=worksteal --ignore=tests/stack --ignore=tests/e2e tests

.PHONY: unit
unit: setup ## Tests of the layer alone
	@$(OFFLINE) tests/unit

.PHONY: functional
functional: setup ## Tests of the handlers on a simulated AWS in this process
	@$(OFFLINE) tests/functional

.PHONY: chaos
chaos: setup ## Strike every call that leaves a function (PLANS=1100 SEED=1 JOBS=cores; PLAN=… replays one)
	@$(PYTHON) -m tests.chaos --plans $(or $(PLANS),1100) --seed $(or $(SEED),1) $(if $(JOBS),--jobs $(JOBS)) $(if $(PLAN),--plan "$(PLAN)")

.PHONY: template
template: validate ## Tests of template.yaml
	@$(OFFLINE) tests/template

.PHONY: test-twilio
test-twilio: setup ## Tests of the simulated Twilio
	@$(PYTEST) local/twilio/tests

.PHONY: test-stack
test-stack: build ## Tests of the local stack itself, and of the layer's build
	@$(PYTEST) tests/stack

.PHONY: e2e
e2e: up ## Tests of the whole path on the local stack
	@$(PYTEST) tests/e2e

.PHONY: sam-local
sam-local: build ## sam local invoke of every function with each of its events, in Docker
	@$(PYTHON) -m local.sam_local

# -------------------------------------------------------------------- installing

# the layer: what it needs at run time, with hashes; aiohttp only serves the SDK's asynchronous client
EXPORT := export --quiet --frozen --no-header --package sendpool --no-dev --no-emit-workspace \
	--prune aiohttp --prune aiohttp-retry

$(INSTALLED)/uv: local/tools/uv.txt
	@mkdir -p $(INSTALLED)
	@test -n "$(ANY_PYTHON)" || { \
		echo "There is no Python with venv here; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@echo "installing uv …"
	@$(ANY_PYTHON) -m venv --clear $(TOOLS)/uv
	@$(TOOLS)/uv/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@

$(INSTALLED)/venv: $(INSTALLED)/uv uv.lock pyproject.toml layers/sendpool/pyproject.toml
	@echo "installing what pyproject.toml names …"
	@$(UV) sync --quiet --frozen --python $(or $(PYTHON_313),3.13) || { \
		test -n "$(PYTHON_313)" || echo "There is no CPython 3.13 on the PATH or in pyenv, and uv got none." >&2; \
		exit 1; }
	@touch $@

$(INSTALLED)/sam: local/tools/sam-cli.txt
$(INSTALLED)/runtime: local/tools/lambda-runtime.txt
$(INSTALLED)/sam $(INSTALLED)/runtime: $(INSTALLED)/%: | $(INSTALLED)/venv
	@echo "installing $< …"
	@$(UV) venv --quiet --clear --python $(PYTHON) $(TOOLS)/$*
	@$(UV) pip sync --quiet --require-hashes --python $(TOOLS)/$*/bin/python $<
	@touch $@
