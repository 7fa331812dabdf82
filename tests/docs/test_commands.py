"""Every command of the pages is understood by its program, and is tried somewhere or said not to be."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import yaml

from service.app import endpoints
from service.openapi import document
from service.runtime.champion import Champion
from service.runtime.worker import Worker
from tests.docs import ways
from tests.docs.commands import (
    Command,
    all_commands,
    arguments,
    commands_in,
    inline_code,
    pages,
    program,
    settings,
    simple_commands,
)
from tests.sources import ROOT

UNDERSTOOD = ("bentoml", "digits", "dvc", "gto", "hf", "mlflow", "python", "python3", "ray")
"""The programs whose own parsers are asked."""
OWN = ("pipeline.", "benchmarks.", "ui.", "digits", "dvc", "launch.py", "benchmarks/")
"""Prefixes of what a recipe runs with Python, if it is the project's own or DVC."""
READ_FROM_THE_ENVIRONMENT = ("launch.py", "pipeline", "service", "ui", "release", ".env.example", "Makefile")
MADE = (
    "answers",
    "build",
    "data",
    "digits/window.json",
    "dvc_plots",
    "evaluation",
    "models",
    "mlruns",
    "profiles/found",
    "reports",
)
"""Prefixes of paths that the project creates when it runs, so that no checkout has them."""

_PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)*/(?:[\w.-]+\.(?:py|js|css|html|conf|json|txt|toml|ya?ml|md)|)")


def typed() -> list[Command]:
    """All simple commands; a line of a page that joins several counts as several."""
    return [Command(one.page, part) for one in all_commands() for part in simple_commands(one.text)]


def of_program(*names: str) -> list[Command]:
    return list({one.text: one for one in typed() if program(one.text) in names}.values())


# Which are tried


def test_every_command_is_tried_or_said_not_to_be() -> None:
    tried = {
        text for way in (ways.HERE, ways.ELSEWHERE, ways.NOT_RUN) for many in way.values() for text in many
    }
    missing = [f"{one.page}: {one.text}" for one in all_commands() if one.text not in tried]
    assert not missing, "they need an entry in tests/docs/ways.py"
    gone = tried - {one.text for one in all_commands()}
    assert not gone, "no page has them any more: they can leave tests/docs/ways.py"


def test_each_command_is_tried_in_one_way() -> None:
    sets = [
        {text for many in way.values() for text in many} for way in (ways.HERE, ways.ELSEWHERE, ways.NOT_RUN)
    ]
    assert not (sets[0] & sets[1]) | (sets[0] & sets[2]) | (sets[1] & sets[2])


def test_tests_that_try_a_command_exist() -> None:
    named = [*ways.ELSEWHERE, *(f"tests/docs/test_typed.py::{name}" for name in ways.HERE)]
    missing = [name for name in named if name.partition("::")[2] not in functions(name.partition("::")[0])]
    assert not missing


@cache
def functions(file: str) -> frozenset[str]:
    """The functions of a file of tests; none where there is no such file."""
    if not (ROOT / file).is_file():
        return frozenset()
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def test_commands_are_found_in_blocks_and_sentences() -> None:
    page = (
        "Type `make run` or `HOST=0.0.0.0 make\nrun`, not `digits` nor `make.py`; `make` lists them.\n\n"
        "  ```sh\n  dvc exp run -S a=1   # why\n  curl -F a=@b \\\n     http://x\n  A=1\n  ```\n\n"
        "```\nbentoml build   # and this\nsome text\n```\n\n```python\nmake = 1\n```\n"
    )
    blocks = ["dvc exp run -S a=1", "curl -F a=@b http://x", "bentoml build"]
    assert list(commands_in(page)) == [*blocks, "make run", "HOST=0.0.0.0 make run", "make"]
    assert simple_commands("make a && dvc b > c") == ["make a", "dvc b"]
    assert simple_commands("dvc a $(python -m b)") == ["dvc a", "python -m b"]


# Whether they are understood


@pytest.fixture(scope="module")
def recipes() -> dict[str, list[str]]:
    """What `make` would do for each of the commands that start with it, line by line."""
    return {one.text: recipe(tuple(arguments(one.text)[1:])) for one in of_program("make")}


@cache
def recipe(given: tuple[str, ...]) -> list[str]:
    done = subprocess.run(
        ["make", "--dry-run", *given], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"make {given}: {done.stderr}"
    return done.stdout.replace("\\\n", " ").splitlines()


def test_make_uses_every_variable_that_it_is_given(recipes: dict[str, list[str]]) -> None:
    assert recipes["make run"]
    unused = []
    for one in of_program("make"):
        words = arguments(one.text)[1:]
        targets = [word for word in words if "=" not in word]
        for word in words:
            name, given, _ = word.partition("=")
            if given and not any(
                re.search(rf"\$(\({name}\)|\${name}\b)", rule(target)) for target in targets
            ):
                unused.append(f"{one.page}: {one.text}")
    assert not unused


def rule(target: str) -> str:
    """The rule of a target in the Makefile."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    found = re.search(rf"^{re.escape(target)}:.*\n(?:\t.*\n)*", makefile, re.MULTILINE)
    return found.group() if found else ""


def test_settings_before_a_command_are_read_by_some_program() -> None:
    code = "\n".join(read_from_the_environment())
    names = {(one.page, name) for one in typed() for name in settings(one.text)}
    assert [
        named for named in names if not re.search(rf"\b{named[1]}\b", code) and named[1] != "PYTHONPATH"
    ] == []


def read_from_the_environment() -> list[str]:
    paths = [ROOT / name for name in READ_FROM_THE_ENVIRONMENT]
    files = [file for path in paths for file in (path.rglob("*") if path.is_dir() else [path])]
    kinds = ("", ".py", ".example")
    chosen = (file for file in files if file.is_file() and file.suffix in kinds)
    return [file.read_text(encoding="utf-8", errors="replace") for file in chosen]


def test_programs_understand_every_command(recipes: dict[str, list[str]]) -> None:
    """DVC, MLflow, BentoML, Ray and the project's own commands, also those that `make` types."""
    asked = {one.text: [program(one.text), *arguments(one.text)[1:]] for one in of_program(*UNDERSTOOD)}
    for text, lines in recipes.items():
        for line in lines:
            words = arguments(re.sub(r"^\[.*\|\| ", "", line)) if "python" in line else []
            if words and words[0].endswith("python") and words[1 + (words[1] == "-m")].startswith(OWN):
                asked[f"{text}: {line}"] = words
    for one in of_program("docker"):
        if " python -m " in one.text:
            asked[one.text] = ["python", *one.text.partition(" python ")[2].split()]
    assert len(asked) > 100
    done = subprocess.run(
        [sys.executable, "-m", "tests.docs.accepting"],
        cwd=ROOT,
        input=json.dumps(list(asked.values())),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    problems = dict(zip(asked, json.loads(done.stdout), strict=True))
    assert {text: problem for text, problem in problems.items() if problem} == {}


def test_services_and_profiles_of_compose_exist() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    profiles = {profile for service in compose.values() for profile in service.get("profiles", [])}
    checked = 0
    for one in of_program("docker"):
        words = arguments(one.text)[1:]
        if words[:1] != ["compose"] or len(words) == 1:
            continue
        words = words[1:]
        if words[0] == "--profile":
            assert words[1] in profiles, one
            words = words[2:]
        assert words[0] in ("up", "down", "run", "exec", "logs", "build", "ps"), one
        named = [word.partition("=")[0] for word in words[1:] if not word.startswith("-")]
        assert set(named[:1] if words[0] in ("run", "exec") else named) <= set(compose), one
        checked += 1
    assert checked > 5


def test_curl_asks_addresses_that_the_service_has_for_fields_that_it_takes() -> None:
    paths = document(endpoints(Worker(Champion(Path("none")))))["paths"]
    checked = 0
    for one in of_program("curl"):
        found = re.search(r"http://127\.0\.0\.1:3000(/\S*)", one.text)
        if found is None:
            continue
        fields = re.findall(r"-F (\w+)=", one.text)
        operation = paths[found.group(1)]["post" if fields else "get"]
        if fields:
            form = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
            assert set(form["required"]) <= set(fields) <= set(form["properties"]), one
        checked += 1
    assert checked > 3


def test_files_that_commands_name_exist() -> None:
    missing = [
        f"{one.page}: {name}"
        for one in of_program("kubectl", "helm", "docker")
        for name in re.findall(r"-[fk] (\S+/\S+)", one.text)
        if not (ROOT / name.removesuffix("...")).exists()
    ]
    assert not missing


def test_files_that_sentences_name_exist() -> None:
    """Code within a sentence that is a path of the project, unless it is made as the project runs."""
    folders = {path.name for path in ROOT.iterdir() if path.is_dir()}
    missing = []
    for page in pages():
        for text in inline_code(page.read_text(encoding="utf-8")):
            mine = _PATH.fullmatch(text) and text.split("/")[0] in folders and not text.startswith(MADE)
            if mine and "NAME" not in text and not (ROOT / text).exists():
                missing.append(f"{page.relative_to(ROOT)}: {text}")
    assert not missing
