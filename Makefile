# Every command that a person types. `make` alone lists them. Works under any path and without git.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON := .venv/bin/python
SERVING := .venv/.serving
READY := .venv/.ready
TEAM := .venv/.team
MCP := .venv/.mcp
LANES := -n 2 --dist loadgroup # two tests at a time: tests/conftest.py says which
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
run: serving ## start service and page at once, train a model of your own beside them (TRAIN=0: only serve)
	@$(PYTHON) launch.py --train

.PHONY: test
test: team ## set up and run the tests
	$(PYTHON) -m pytest $(LANES) $(PYTEST_ARGS)

.PHONY: test-all
test-all: team ## set up and run all the tests, also those that take minutes each
	$(PYTHON) -m pytest $(LANES) -m "heavy or not heavy" $(PYTEST_ARGS)

.PHONY: lint
lint: team ## check style, formatting and types
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	@$(MAKE) --no-print-directory lint-js

.PHONY: lint-js
lint-js: ## check the page's JavaScript alone (skipped without npm)
	@sh ui/lint

.PHONY: setup
setup: $(READY) ## make .venv with the locked dependencies

$(READY): requirements/all.txt requirements/uv.txt requirements/venv | $(SERVING)
	@sh requirements/venv all
	@[ -e .git ] || $(PYTHON) -m dvc config --local core.no_scm true
	@$(PYTHON) -m pipeline.plots_page
	@touch $@ $(SERVING)

.PHONY: team
team: $(TEAM) ## add what goes past one machine: Ray, S3, PostgreSQL (docs/team.md)

$(TEAM): requirements/team.txt | $(READY)
	@sh requirements/venv team
	@touch $@

.PHONY: mcp
mcp: $(MCP) ## let the page speak MCP, so that assistants can read digits (docs/clients.md)

$(MCP): requirements/mcp.txt | $(SERVING)
	@sh requirements/venv mcp
	@touch $@

.PHONY: space
space: ## put together a Hugging Face Space in build/space (docs/space.md)
	@rm -rf build/space
	@mkdir -p build
	@sh space/assemble build/space

.PHONY: remote
remote: team ## tell DVC where the team's data is (DVC_REMOTE_URL in .env); then: .venv/bin/dvc pull
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
update: ## get the newest version of the project, also after trainings of your own
	@python3 -m pipeline.update

.PHONY: serve
serve: serving ## start the service alone (MODEL_DIR=FOLDER serves your own model)
	@$(PYTHON) launch.py service

.PHONY: ui
ui: serving ## start the page alone (SERVICE_URL names the service)
	@$(PYTHON) launch.py page

.PHONY: desktop
desktop: serving ## open the desktop window (ARGS=--local needs no service)
	@$(PYTHON) -m ui.desktop $(ARGS)

.PHONY: mlflow
mlflow: setup ## open MLflow's page of all runs in the browser (BROWSER=none: only print its address)
	@$(PYTHON) -m pipeline.mlflow_ui

.PHONY: compare
compare: setup ## print the last runs as a table (N=10)
	@$(PYTHON) -m pipeline.compare $(if $(N),-n $(N))

.PHONY: promote
promote: setup ## make VERSION=n of the registered model the champion (REASON="why", for the record)
	@$(PYTHON) -m pipeline.promote $(VERSION) $(if $(REASON),--reason "$$REASON")

.PHONY: rollback
rollback: setup ## make the version before the champion the champion again; once more: the one before that
	@$(PYTHON) -m pipeline.rollback

.PHONY: champion
champion: setup ## say which version is the champion, since when, why, and what was before it
	@$(PYTHON) -m pipeline.champion

.PHONY: feedback
feedback: setup ## look through the pictures that people corrected (ARGS="--accept ID", --export F.zip, --delete-all)
	@$(PYTHON) -m pipeline.feedback $(ARGS)

.PHONY: drift
drift: setup ## say whether pictures look other than the model was measured on (WINDOW=24h AGAINST=before)
	@$(PYTHON) -m pipeline.drift $(if $(WINDOW),--window $(WINDOW)) $(if $(LEVEL),--level $(LEVEL)) \
		$(if $(AGAINST),--against $(AGAINST))

.PHONY: rebuild-registry
rebuild-registry: setup ## make MLflow's registry anew where mlruns/mlflow.db is damaged or lost (FORCE=1: where it is whole)
	@$(PYTHON) -m pipeline.rebuild_registry $(if $(FORCE),--force)

.PHONY: reproduce
reproduce: setup ## make a run again, RUN=id|name, at its commit with its data, and compare (KEEP=1: keep the worktree)
	@$(PYTHON) -m pipeline.reproduce $(if $(RUN),"$$RUN") $(if $(KEEP),--keep)

.PHONY: profile
profile: setup ## write the ready settings NAME=quick|default|best|classic into params.yaml
	@$(PYTHON) -m pipeline.profile $(NAME)

.PHONY: default-model
default-model: setup ## make the model that comes with the project, digits/default, from the champion
	@$(PYTHON) -m pipeline.default_model

.PHONY: learn
learn: setup ## learn from the feedback that was accepted: train, judge, and say what changed
	@$(PYTHON) -m pipeline.learn

.PHONY: search
search: $(if $(CLUSTER),team,setup) ## look for better parameters (TRIALS=20 JOBS=1; CLUSTER=auto: on Ray): profiles/found.yaml
	@$(PYTHON) -m dvc repro --quiet preprocess
	@$(PYTHON) -m pipeline.search $(if $(JOBS),--jobs $(JOBS)) $(if $(TRIALS),--trials $(TRIALS)) \
		$(if $(CLUSTER),--cluster $(CLUSTER))

.PHONY: bench
bench: bench-reader bench-serving ## measure reader and service (bench-quality, bench-training, bench-page: apart)

.PHONY: bench-reader
bench-reader: setup ## measure the reader, and where its time goes
	@$(PYTHON) -m benchmarks.reader

.PHONY: bench-quality
bench-quality: setup $(if $(RAPIDOCR),$(OTHER)) ## measure how well papers are read, beside floors (RAPIDOCR=1: and RapidOCR)
	@$(PYTHON) -m benchmarks.quality $(if $(RAPIDOCR),--rapidocr build/rapidocr/bin/python) $(ARGS)

.PHONY: bench-serving
bench-serving: $(BENCH) ## measure the service beside its limit and its peers (needs wrk)
	@$(PYTHON) -m benchmarks.serving --litserve build/bench/bin/python

.PHONY: bench-endurance
bench-endurance: setup ## ask the service 200,000 times: memory, descriptors, threads, latencies (half an hour)
	@$(PYTHON) benchmarks/endurance.py --picture docs/images/endurance.png

.PHONY: bench-cluster
bench-cluster: team ## measure reading on a cluster of one node and of two, beside one process
	@$(PYTHON) -m benchmarks.cluster $(ARGS)

.PHONY: bench-replicas
bench-replicas: setup ## measure 1, 2 and 4 replicas behind nginx (needs wrk and Docker; ARGS=--bare: nginx)
	@$(PYTHON) -m benchmarks.replicas $(ARGS)

.PHONY: bench-costs
bench-costs: setup ## measure what a request costs, by kind of picture (needs wrk and nginx)
	@$(PYTHON) -m benchmarks.request_costs $(ARGS)

.PHONY: bench-curve
bench-curve: setup ## measure the service from 1 to 400 connections, and the simulation's inputs (needs wrk)
	@$(PYTHON) -m benchmarks.load_curve $(ARGS)

.PHONY: simulation
simulation: setup ## simulate that curve from its inputs, and 50 replicas (ARGS=--picture: draws the curve)
	@$(PYTHON) -m benchmarks.simulation $(ARGS)

.PHONY: scale
scale: setup ## calculate how many replicas PICTURES_PER_SECOND=10000 take, or DIGITS_PER_DAY=1000000000
	@$(PYTHON) -m benchmarks.scale --pictures-per-second $(or $(PICTURES_PER_SECOND),10000) \
		--digits-per-day $(or $(DIGITS_PER_DAY),1000000000)

.PHONY: bench-page
bench-page: setup ## measure the page in a browser, while `make run` runs (needs chromium)
	@$(PYTHON) benchmarks/page.py

.PHONY: bench-training
bench-training: setup ## measure all profiles beside the usual recipe: hours; goes on where it stopped
	@$(PYTHON) -m dvc repro --quiet preprocess
	@$(PYTHON) benchmarks/training.py

.PHONY: fuzz
fuzz: $(BENCH) ## look for bytes that decoding neither reads nor refuses, for SECONDS=600
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
release: serving ## write VERSION=0.2.0 where it belongs, commit and tag it (docs/releasing.md)
	@$(PYTHON) release/tag.py "$(VERSION)"

.PHONY: artifacts
artifacts: serving ## build wheel, Bento and images of a release, TAG=v0.2.0, from the tag alone (IMAGES=0: no images)
	@sh release/artifacts $(TAG)

.PHONY: sbom
sbom: serving ## list what the images install, with licences, as CycloneDX: build/sbom/*.cdx.json
	@sh requirements/sbom

.PHONY: lock
lock: setup ## resolve the dependencies anew and write requirements/*.txt
	@sh requirements/lock

.PHONY: clean
clean: ## remove what setup and tests made; data, runs and models stay
	rm -rf .venv build ui/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis tests/artifacts
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
