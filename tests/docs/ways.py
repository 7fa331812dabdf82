"""How each command of the pages is tried: here, by another test, or not at all and why.

A command stands here as it does on the page, in one line and without its comment. tests/docs/test_commands.py
fails for one that is missing here, and for one that no page has any more.
"""

from __future__ import annotations

HERE: dict[str, tuple[str, ...]] = {
    "test_results_are_compared": (
        "make",
        "make setup && source .venv/bin/activate",
        "make setup",
        "make serving",
        "make team",
        "make repro",
        "dvc metrics diff",
        "dvc exp show --only-changed --drop '/|^digits$|^traffic$'",
        "dvc plots diff",
        "make compare",
        "make profile NAME=classic",
        "make profile NAME=quick",
        "make space",
        "python3 -m pipeline.relocate",
        "cp .env.example .env",
        "mkdir -p -m 700 data/feedback",
        "openssl rand -hex 24",
    ),
    "test_an_experiment_is_run_and_compared": (
        "git switch -c softer-labels",
        "dvc exp run -S train.epochs=3",
        "dvc exp show",
        "dvc exp show --only-changed",
        "dvc metrics diff main",
        "dvc repro",
        "dvc repro fetch",
        "dvc repro preprocess",
        "dvc checkout",
        "git switch softer-labels",
    ),
    "test_version_is_promoted_and_rolled_back": (
        "make champion",
        'make promote VERSION=7 REASON="reads forms better"',
        "make rollback",
    ),
    "test_registry_is_looked_after": (
        "make promote VERSION=3",
        "make promote VERSION=n",
        "python -m pipeline.promote --sync",
        ".venv/bin/mlflow db upgrade sqlite:///mlruns/mlflow.db",
        "make rebuild-registry",
        "make rebuild-registry FORCE=1",
    ),
    "test_service_is_asked": (
        "make serve",
        "curl http://127.0.0.1:3000/readyz",
        "curl -F image=@photo.jpg http://127.0.0.1:3000/predict",
        "curl -F image=@photo.jpg http://127.0.0.1:3000/read",
        "curl -F image=@drawing.png -F label=7 http://127.0.0.1:3000/feedback",
        "curl http://127.0.0.1:3000/feedback",
        "make drift",
        "make drift WINDOW=7d LEVEL=0.001",
        "python -m pipeline.drift",
    ),
    "test_own_model_is_served": (
        "python -m pipeline.export my_model.keras my_model",
        "MODEL_DIR=my_model make serve",
    ),
    "test_feedback_is_reviewed": (
        "make feedback",
        'make feedback ARGS="--accept --label 7 --answer 1"',
        'make feedback ARGS="--drop 3fa29c01 77b0"',
        'make feedback ARGS="--relabel 2047 3fa29c01"',
        'make feedback ARGS="--relabel=-3,5 3fa29c01"',
        'make feedback ARGS="--accept --state new"',
        'make feedback ARGS="--export mine.zip"',
        'make feedback ARGS="--delete 3fa29c01"',
        "make feedback ARGS=--delete-all",
    ),
    "test_files_are_read": (
        "python -m digits FILE ...",
        "python -m digits --table sheet.jpg > sheet.csv",
        "digits --table sheet.jpg",
        "digits FOLDER --format csv",
        "digits --help",
    ),
    "test_data_goes_through_a_remote": (
        "make remote",
        "dvc push",
        ".venv/bin/dvc push --run-cache",
        ".venv/bin/dvc pull --run-cache",
        ".venv/bin/dvc pull",
        "dvc pull",
        "dvc gc --workspace",
    ),
    "test_clean_leaves_data_and_runs": ("make clean",),
}
"""The commands that tests/docs/test_typed.py types in a checkout, in this order, by its tests."""

ELSEWHERE: dict[str, tuple[str, ...]] = {
    "tests/benchmarks/test_simulation.py::test_the_measured_curve_is_met": ("make simulation",),
    "tests/benchmarks/test_scale.py::test_the_page_shows_what_the_command_prints": (
        "make scale",
        "make scale PICTURES_PER_SECOND=500 DIGITS_PER_DAY=100000000",
    ),
    "tests/browser/test_first_minute.py::test_make_run_answers_first_and_trains_beside": (
        "make run",
        "SERVICE_PORT=3001 PAGE_PORT=7861 make run",
        "MNIST_DIR=/folder make run",
        "MNIST_DIR=~/mnist make run",
    ),
    "tests/browser/test_first_minute.py::test_make_run_without_training_only_serves": ("TRAIN=0 make run",),
    "tests/browser/test_dvc_plots.py::test_charts_are_drawn_without_any_request": ("dvc plots show",),
    "tests/test_launch.py::test_make_run_keeps_feedback_and_says_so_unless_told_not_to": (
        "FEEDBACK_DIR= make run",
    ),
    "tests/test_launch.py::test_launch_follows_the_registry_until_ctrl_c": ("python -m pipeline.follow",),
    "tests/test_wheel.py::test_command_reads_a_digit_in_any_folder": ("pip install /path/to/digits",),
    "tests/test_sbom.py::test_bill_of_materials_of_each_image": ("make sbom",),
    "tests/pipeline/test_export.py::test_export_probabilities_of_flat_pixels_0_to_1": (
        "python -m pipeline.export MODEL FOLDER",
    ),
    "tests/pipeline/test_mlflow_ui.py::test_command_prints_the_page_and_ends_within_seconds_of_ctrl_c": (
        "make mlflow",
    ),
    "tests/pipeline/test_learn.py::test_a_form_that_is_read_wrong_is_corrected_learnt_promoted_and_served": (
        "make learn",
    ),
    "tests/pipeline/test_search.py::test_search_tries_a_killed_trial_again": (
        "make search",
        "make search TRIALS=20 JOBS=2",
    ),
    "tests/pipeline/test_search.py::test_search_writes_the_best_as_a_profile": ("make profile NAME=found",),
    "tests/pipeline/test_reproduce.py::test_real_run_comes_out_the_same": (
        "make reproduce RUN=3f2a",
        "make reproduce RUN=...",
    ),
    "tests/pipeline/test_update.py::test_update_after_a_training": ("make update",),
    "tests/pipeline/test_repro.py::test_queued_experiment_keeps_its_run": (
        "dvc exp run --queue -S train.epochs=8",
        "dvc queue start",
    ),
    "tests/pipeline/learning/test_tracking.py"
    "::test_accepted_pictures_are_a_dependency_and_an_empty_folder_is_one_too": ("dvc add data/accepted",),
    "tests/pipeline/registry/test_logged_model.py"
    "::test_model_is_served_by_mlflow_in_the_environment_that_it_records": ("mlflow models serve",),
    "tests/service/test_drift.py::test_drift_over_http": ("make drift AGAINST=before",),
    "tests/service/test_bentoml.py::test_a_bento_holds_the_champion_and_serves_it_from_an_empty_folder": (
        "bentoml build",
        "bentoml get digits:latest",
        "bentoml serve digits:latest",
    ),
    "tests/service/test_bentoml.py::test_bentomls_client_calls_every_method": (
        "bentoml serve service.service:DigitsService --timeout-graceful-shutdown 8",
    ),
    "tests/clients/test_gradio.py::test_gradios_client_reads_a_file": (
        "pip install gradio_client",
        "python ask.py",
        "curl -H 'Content-Type: application/json' http://127.0.0.1:7860/gradio_api/run/read"
        r""" -d "{\"data\": [\"data:image/jpeg;base64,$(base64 <photo.jpg | tr -d '\n')\"]}" """.rstrip(),
    ),
    "tests/clients/test_gradio.py::test_guides_mcp_program_reads": ("make mcp", "pip install mcp"),
    "tests/clients/test_generated.py::test_openapi_python_client_generates_all_of_it_and_calls": (
        "pip install openapi-python-client",
        "openapi-python-client generate --url http://127.0.0.1:3000/docs.json --fail-on-warning",
        "PYTHONPATH=digits-client python ask.py",
    ),
    "tests/clients/test_generated.py::test_typescript_compiles_strictly_and_calls": (
        "npm install openapi-fetch openapi-typescript typescript@5 @types/node",
        "node generate.mjs",
        "npx tsc --strict --target es2022 --module nodenext --types node ask.mts",
        "node ask.mjs",
        "npm install orval typescript @types/node",
        "npx orval",
    ),
    "tests/clients/test_inference.py::test_client_reads_digits": (
        'pip install "tritonclient[http]"',
        "pip install kserve",
    ),
    "tests/cluster/test_cluster.py::test_two_nodes_answer_what_one_process_answers": (
        "digits scans --cluster local --output answers",
        "digits scans --cluster auto --output answers",
        "digits FOLDER --cluster",
        "export RAY_AUTH_MODE=token RAY_AUTH_TOKEN=...",
        "ray start --head --port=6379",
        "ray start --address=10.0.0.1:6379",
    ),
    "tests/cluster/test_cluster.py::test_s3_gives_and_takes_the_same": (
        "digits s3://bucket/scans --cluster 10.0.0.1:6379 --output s3://bucket/answers --format csv",
    ),
    "tests/digits/cluster/test_answers.py::test_tables_are_a_row_a_cell_and_every_file_has_one": (
        "digits forms --cluster auto --output cells --table --min-confidence 0.9",
    ),
    "tests/cluster/test_search.py::test_search_uses_both_nodes_and_trains_as_one_machine_does": (
        "make search CLUSTER=HOST:PORT",
        "make search CLUSTER=auto",
    ),
    "tests/compose/test_compose.py::test_up_in_a_fresh_clone_answers_before_the_pipeline_is_done": (
        "docker compose up --build",
        "docker compose up -d",
        "make update && docker compose up --build -d",
    ),
    "tests/compose/test_compose.py::test_load_spreads_over_replicas": (
        "docker compose up -d --scale service=3",
    ),
    "tests/compose/test_compose.py"
    "::test_down_leaves_data_and_runs_and_up_with_a_champion_is_healthy_in_thirty_seconds": (
        "docker compose down",
    ),
    "tests/compose/test_compose.py::test_promotion_in_a_container_reaches_every_replica_in_two_seconds": (
        "docker compose run --rm pipeline python -m pipeline.promote VERSION",
        "docker compose run --rm pipeline python -m pipeline.champion",
    ),
    "tests/compose/test_compose.py::test_containers_go_on_with_addresses_that_the_host_put_right": (
        "docker compose run --rm pipeline python -m pipeline.repro",
    ),
    "tests/compose/test_compose.py::test_image_says_what_it_is": (
        "docker image inspect -f '{{json .Config.Labels}}' digits-service",
    ),
    "tests/compose/test_team.py::test_a_training_goes_to_postgresql_and_s3_and_its_champion_comes_back": (
        "docker compose --profile team up --build -d",
    ),
    "tests/team/test_registry.py::test_own_store_is_used_where_the_environment_says_so": (
        "MLFLOW_TRACKING_URI= make repro",
    ),
    "tests/compose/test_monitoring.py::test_every_replica_is_a_target_and_all_rules_are_evaluated": (
        "docker compose --profile monitoring up",
        "docker compose --profile monitoring up -d",
    ),
    "tests/deploy/test_manifests.py::test_every_port_that_is_named_exists": (
        "kubectl apply -k deploy/kubernetes/...",
        "kubectl apply -k deploy/kserve",
    ),
    "tests/release/test_release.py::test_release_is_one_commit_with_a_tag": (
        "make release VERSION=0.2.0",
        "make release",
    ),
    "tests/release/test_release.py::test_artifacts_carry_the_version_and_their_sums": (
        "make artifacts TAG=v0.2.0",
        "make artifacts",
    ),
    "tests/ui/desktop/test_main.py::test_desktop_without_a_display_says_so": ("make desktop",),
    "tests/ui/desktop/test_main.py::test_local_read_gives_what_digits_gives": ("make desktop ARGS=--local",),
}
"""The commands that other tests run, if need be with other ports, folders and sizes, by the test."""

NOT_RUN: dict[str, tuple[str, ...]] = {
    "it is the gate that runs this test": (
        "make test",
        "make test-all",
        "make lint test",
        "make lint test-all",
        "make lint",
    ),
    "it needs an address of this repository": (
        "git clone <this repository> digits && cd digits",
        "git push",
        "git push origin main v0.2.0",
        "dvc exp push origin NAME",
    ),
    "it needs an account at Hugging Face": (
        ".venv/bin/hf auth login",
        ".venv/bin/hf repos create NAME/digits --type space --space-sdk gradio",
        ".venv/bin/hf upload NAME/digits build/space . --type space",
    ),
    "it needs a Kubernetes cluster": (
        "helm install prometheus-adapter prometheus-community/prometheus-adapter"
        " -f deploy/kubernetes/prometheus-adapter.yaml",
        "kubectl -n digits apply -f deploy/kserve/onnx.yaml",
        "kubectl -n digits delete pod digits-filler",
        "kubectl -n digits exec digits-filler -- mkdir -p /models/model-repository/digits/1",
        "kubectl -n digits logs deploy/digits-service -c follower",
        "kubectl -n digits port-forward deploy/digits-page 7860",
        "kubectl -n digits rollout undo deploy/digits-service",
        "kubectl -n digits wait --for=condition=Ready pod/digits-filler",
        "kubectl apply -f deploy/kubernetes/filler.yaml",
        "kubectl cp deploy/kserve/model-repository/digits/config.pbtxt"
        " digits/digits-filler:/models/model-repository/digits/",
        "kubectl cp models/champion digits/digits-filler:/models",
        "kubectl cp models/champion/SHA256.onnx"
        " digits/digits-filler:/models/model-repository/digits/1/model.onnx",
        "kubectl describe pods",
        "kubectl get pods",
        "kubectl get pods -o wide",
    ),
    "it needs a registry of images or packages": (
        "docker push registry.example/digits-service:0.2.0",
        "docker tag digits-service:0.2.0 registry.example/digits-service:0.2.0",
        "uv publish build/release/v0.2.0/*.whl",
        "bentoml push",
        "bentoml import",
        "bentoml serve digits:0.2.0",
        "TAG=0.2.0 docker compose up",
    ),
    "it opens ports to the network": ("HOST=0.0.0.0 make run", "HOST=0.0.0.0 make mlflow"),
    "it needs another machine": (
        "SERVICE_URL=https://digits.example.org API_KEY=... make drift",
        "ssh -L 5000:127.0.0.1:5000 SERVER",
        "ssh -L 9090:127.0.0.1:9090 SERVER",
    ),
    "it installs or resolves packages over the network": (
        'pip install "tensorflow[and-cuda]"',
        "pip install 'digits[cluster]'",
        "make lock",
    ),
    "it changes what belongs to the whole project, or to a whole machine": (
        "make default-model",
        "docker image prune",
        "docker stats",
        "docker images",
    ),
    "it makes Docker build or show more than the tests' own images": (
        "docker compose build --pull",
        "docker compose logs -f pipeline",
        "docker compose ps",
        "docker compose ps -a",
        "docker compose up -d --scale service=N",
        "docker compose build service page pipeline",
        "docker build -f containers/follower/Dockerfile --build-arg BASE=digits-pipeline:0.1.0"
        " -t digits-follower:0.1.0 .",
        "docker compose exec alertmanager amtool --alertmanager.url=http://127.0.0.1:9093 alert",
        "docker compose exec alertmanager amtool --alertmanager.url=http://127.0.0.1:9093 silence add"
        ' alertname=DigitsReplicaMissing --comment "two replicas from now on" --duration 2h --author me',
        "docker run --rm digits-proxy dpkg-query -W",
        "docker compose exec -T database pg_dump -h 127.0.0.1 -U digits digits >mlflow.sql",
        "bentoml containerize digits:latest",
        "bentoml containerize",
    ),
    "it needs the command sqlite3, which no test needs": (
        'sqlite3 mlruns/mlflow.db ".backup mlflow-backup.db"',
    ),
    "it measures for minutes to hours, or needs a quiet machine": (
        "make bench-reader",
        "make bench-serving",
        "make bench-quality",
        "make bench-training",
        "make bench-page",
        "make bench-cluster",
        "make bench-cluster ARGS='--files 400 --rounds 2'",
        "make bench-costs",
        "make bench-costs ARGS='--rounds 4'",
        "make bench-curve",
        "make bench-endurance",
        "make bench-replicas",
        "make bench-replicas ARGS=--bare",
        "make fuzz",
        "make fuzz SECONDS=300",
        "python -m benchmarks.quality --model models/candidate",
        "python -m benchmarks.quality --only touching",
        "python -m benchmarks.quality --only form",
        "python -m benchmarks.quality --only table",
        "python -m benchmarks.quality --only WORD",
        "python -m benchmarks.printed_numbers --count 300",
        "python -m benchmarks.constants",
        "python -m benchmarks.reading_steps",
    ),
    "it trains for many minutes; `dvc exp run -S train.epochs=3` is tested instead": (
        "dvc exp run -S preprocess.drawn.spoilt=0.001",
        "dvc exp run -S preprocess.drawn.prototypes=0.001",
        "dvc exp run -S train.false_rejects=0.005",
        "dvc exp run -S preprocess.validation_images=10000 -S train.augment.elastic=0.9",
        "dvc exp run --queue $(python -m pipeline.profile --flags found)",
    ),
    "it settles a conflict that two trainings have made": (
        "git merge main",
        "git checkout --ours dvc.lock reports",
        "git checkout --theirs dvc.lock reports",
        "git add dvc.lock reports && git commit",
    ),
    "it deletes what a reader has accepted, and is not a command of this project": (
        "rm -r data/accepted/pictures data/accepted/pictures.dvc",
    ),
    "the page names it and says what it does or why it is not used; it is not to be typed": (
        "bentoml serve",
        "curl --http2",
        "digits --format csv",
        "digits --format json",
        "docker compose",
        "dvc add",
        "dvc artifacts get",
        "dvc exp run",
        "dvc exp run -S",
        "dvc exp run -S train.false_rejects=",
        "docker kill",
        "git pull",
        "git tag -d v0.2.0 && git reset --hard HEAD~",
        "kubectl --dry-run",
        "pip install",
        "uv pip install",
        "gto register digits",
        "make promote",
        "make promote VERSION=",
        "mkdir -p",
        "mlflow ui",
        "npm install",
        "npm pack",
        "python -m",
        "ray start",
        "source .venv/bin/activate",
    ),
}
"""The commands that no test runs, by the reason. Their words and options are checked all the same."""
