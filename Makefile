# The commands of the project; `make` lists them. They work from any path, with or without git.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON := .venv/bin/python
SERVING := .venv/.serving
READY := .venv/.ready
TEAM := .venv/.team
MCP := .venv/.mcp
BENCH := build/bench/.ready
OTHER := build/rapidocr/.ready
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PYTHONPATH := $(CURDIR)

HOST ?= 127.0.0.1
SERVICE_PORT ?= 3000
PAGE_PORT ?= 7860
MLFLOW_PORT ?= 5000
export HOST SERVICE_PORT PAGE_PORT MLFLOW_PORT

.PHONY: help
help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' Makefile

.PHONY: run
run: serving ## start the service and the page, and train your own model in the background (TRAIN=0: do not train)
	@$(PYTHON) launch.py --train

.PHONY: test
test: team ## set up and run the tests
	$(PYTHON) -m pytest $(PYTEST_ARGS)

.PHONY: test-all
test-all: team ## set up and run all tests, including the slow ones
	$(PYTHON) -m pytest -m "heavy or not heavy" $(PYTEST_ARGS)

.PHONY: lint
lint: team ## check style, formatting and types
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	@$(MAKE) --no-print-directory lint-js

.PHONY: lint-js
lint-js: ## check only the page's JavaScript (skipped without npm)
	@sh ui/lint

.PHONY: setup
setup: $(READY) ## create .venv with the locked dependencies

$(READY): requirements/all.txt requirements/uv.txt requirements/venv | $(SERVING)
	@sh requirements/venv all
	@[ -e .git ] || $(PYTHON) -m dvc config --local core.no_scm true
	@$(PYTHON) -m pipeline.plots_page
	@touch $@ $(SERVING)

.PHONY: team
team: $(TEAM) ## install the packages for clusters and teams: Ray, S3, PostgreSQL (docs/team.md)

$(TEAM): requirements/team.txt | $(READY)
	@sh requirements/venv team
	@touch $@

.PHONY: mcp
mcp: $(MCP) ## install MCP support for the page, so that assistants can read digits (docs/clients.md)

$(MCP): requirements/mcp.txt | $(SERVING)
	@sh requirements/venv mcp
	@touch $@

.PHONY: space
space: ## assemble a Hugging Face Space in build/space (docs/space.md)
	@rm -rf build/space
	@mkdir -p build
	@sh space/assemble build/space

.PHONY: remote
remote: team ## configure the team's DVC remote (DVC_REMOTE_URL in .env); then run .venv/bin/dvc pull
	@$(PYTHON) -m pipeline.remote

.PHONY: serving
serving: $(SERVING)

$(SERVING): requirements/run.txt requirements/uv.txt requirements/venv
	@sh requirements/venv run
	@touch $@

.PHONY: repro
repro: setup ## run the pipeline: fetch, preprocess, train, evaluate
	@$(PYTHON) -m pipeline.repro

.PHONY: update
update: ## update the project without losing your own training runs
	@python3 -m pipeline.update

.PHONY: serve
serve: serving ## start only the service (MODEL_DIR=FOLDER: serve your own model)
	@$(PYTHON) launch.py service

.PHONY: ui
ui: serving ## start only the page (SERVICE_URL: address of the service)
	@$(PYTHON) launch.py page

.PHONY: desktop
desktop: serving ## open the desktop window (ARGS=--local: without a service)
	@$(PYTHON) -m ui.desktop $(ARGS)

.PHONY: mlflow
mlflow: setup ## open the MLflow UI in the browser (BROWSER=none: only print its address)
	@$(PYTHON) -m pipeline.mlflow_ui

.PHONY: compare
compare: setup ## print the last runs as a table (N=10)
	@$(PYTHON) -m pipeline.compare $(if $(N),-n $(N))

.PHONY: promote
promote: setup ## make VERSION=n of the registered model the champion (REASON="text" for the history)
	@$(PYTHON) -m pipeline.promote $(VERSION) $(if $(REASON),--reason "$$REASON")

.PHONY: rollback
rollback: setup ## make the previous champion the champion again (repeat to go further back)
	@$(PYTHON) -m pipeline.rollback

.PHONY: champion
champion: setup ## show the champion, when and why it was promoted, and its predecessors
	@$(PYTHON) -m pipeline.champion

.PHONY: feedback
feedback: setup ## review the pictures that people corrected (ARGS="--accept ID", --export F.zip, --delete-all)
	@$(PYTHON) -m pipeline.feedback $(ARGS)

.PHONY: drift
drift: setup ## check whether recent pictures have drifted from the model's reference data (WINDOW=24h AGAINST=before)
	@$(PYTHON) -m pipeline.drift $(if $(WINDOW),--window $(WINDOW)) $(if $(LEVEL),--level $(LEVEL)) \
		$(if $(AGAINST),--against $(AGAINST))

.PHONY: rebuild-registry
rebuild-registry: setup ## rebuild the MLflow registry if mlruns/mlflow.db is damaged or missing (FORCE=1: even if it is intact)
	@$(PYTHON) -m pipeline.rebuild_registry $(if $(FORCE),--force)

.PHONY: reproduce
reproduce: setup ## reproduce RUN=id|name at its commit with its data, and compare the results (KEEP=1: keep the worktree)
	@$(PYTHON) -m pipeline.reproduce $(if $(RUN),"$$RUN") $(if $(KEEP),--keep)

.PHONY: profile
profile: setup ## apply a profile of training parameters to params.yaml (NAME=quick|default|best|classic)
	@$(PYTHON) -m pipeline.profile $(NAME)

.PHONY: default-model
default-model: setup ## make the champion the default model that comes with the project (digits/default)
	@$(PYTHON) -m pipeline.default_model

.PHONY: learn
learn: setup ## train with accepted feedback, evaluate, and report what changed
	@$(PYTHON) -m pipeline.learn

.PHONY: search
search: $(if $(CLUSTER),team,setup) ## search for better training parameters: profiles/found.yaml (TRIALS=20 JOBS=1; CLUSTER=auto: on Ray)
	@$(PYTHON) -m dvc repro --quiet preprocess
	@$(PYTHON) -m pipeline.search $(if $(JOBS),--jobs $(JOBS)) $(if $(TRIALS),--trials $(TRIALS)) \
		$(if $(CLUSTER),--cluster $(CLUSTER))

.PHONY: bench
bench: bench-reader bench-serving ## benchmark the reader and the service (run bench-quality, bench-training, bench-page separately)

.PHONY: bench-reader
bench-reader: setup ## benchmark the reader, and profile its steps
	@$(PYTHON) -m benchmarks.reader

.PHONY: bench-quality
bench-quality: setup $(if $(RAPIDOCR),$(OTHER)) ## measure the accuracy on papers against minimum scores (RAPIDOCR=1: also compare with RapidOCR)
	@$(PYTHON) -m benchmarks.quality $(if $(RAPIDOCR),--rapidocr build/rapidocr/bin/python) $(ARGS)

.PHONY: bench-serving
bench-serving: $(BENCH) ## benchmark the service against bare Starlette and other servers (needs wrk)
	@$(PYTHON) -m benchmarks.serving --litserve build/bench/bin/python

.PHONY: bench-endurance
bench-endurance: setup ## send 200,000 requests and check memory, descriptors, threads and latency (20 minutes)
	@$(PYTHON) -m benchmarks.endurance --picture docs/images/endurance.png

.PHONY: bench-cluster
bench-cluster: team ## benchmark cluster reading on one node and on two against a single process
	@$(PYTHON) -m benchmarks.cluster $(ARGS)

.PHONY: bench-replicas
bench-replicas: setup ## measure 1, 2 and 4 replicas behind nginx (needs wrk and Docker, or with ARGS=--bare wrk and nginx)
	@$(PYTHON) -m benchmarks.replicas $(ARGS)

.PHONY: bench-costs
bench-costs: setup ## measure what a request costs, by kind of picture (needs wrk and nginx)
	@$(PYTHON) -m benchmarks.request_costs $(ARGS)

.PHONY: bench-curve
bench-curve: setup ## measure the service from 1 to 400 connections, and the simulation's inputs (needs wrk)
	@$(PYTHON) -m benchmarks.load_curve $(ARGS)

.PHONY: simulation
simulation: setup ## simulate the curve of bench-curve, and 50 replicas (ARGS=--picture: also draw the curve)
	@$(PYTHON) -m benchmarks.simulation $(ARGS)

.PHONY: scale
scale: setup ## calculate the replicas that a load needs (PICTURES_PER_SECOND=10000 or DIGITS_PER_DAY=1000000000)
	@$(PYTHON) -m benchmarks.scale --pictures-per-second $(or $(PICTURES_PER_SECOND),10000) \
		--digits-per-day $(or $(DIGITS_PER_DAY),1000000000)

.PHONY: bench-page
bench-page: setup ## benchmark the page in a browser while `make run` runs (needs chromium)
	@$(PYTHON) benchmarks/page.py

.PHONY: bench-training
bench-training: setup ## benchmark all profiles against the classic recipe (takes hours, resumes after an interruption)
	@$(PYTHON) -m dvc repro --quiet preprocess
	@$(PYTHON) benchmarks/training.py

.PHONY: fuzz
fuzz: $(BENCH) ## fuzz the image decoder (SECONDS=600)
	@build/bench/bin/python benchmarks/fuzz_decode.py $(or $(SECONDS),600) build/fuzz

$(BENCH): $(READY) requirements/bench.txt
	@build/bench/bin/python -m pip --version >/dev/null 2>&1 || python3 -m venv --clear build/bench
	@$(PYTHON) -m uv pip sync --python build/bench/bin/python --require-hashes requirements/bench.txt
	@touch $@

$(OTHER): $(READY) requirements/rapidocr.txt
	@build/rapidocr/bin/python -m pip --version >/dev/null 2>&1 || python3 -m venv --clear build/rapidocr
	@$(PYTHON) -m uv pip sync --python build/rapidocr/bin/python --require-hashes requirements/rapidocr.txt
	@touch $@

.PHONY: release
release: serving ## write VERSION=0.2.0 into the files that contain it, then commit and tag them (docs/releasing.md)
	@$(PYTHON) release/tag.py "$(VERSION)"

.PHONY: artifacts
artifacts: serving ## build wheel, Bento and images of a release from its tag, TAG=v0.2.0 (IMAGES=0: no images)
	@sh release/artifacts $(TAG)

.PHONY: sbom
sbom: serving ## write CycloneDX SBOMs of the container images: build/sbom/*.cdx.json
	@sh requirements/sbom

.PHONY: lock
lock: setup ## lock the dependencies again: requirements/*.txt
	@sh requirements/lock

.PHONY: clean
clean: ## remove .venv, build and test artefacts; data, runs and models are kept
	rm -rf .venv build ui/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis tests/artifacts
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
