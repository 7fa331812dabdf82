"""The clients of Triton and KServe get the model's metadata and readiness, and infer with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients.environments import python_programs
from tests.clients.guide import follow, run

HERE = Path(__file__).parent


@pytest.mark.parametrize(
    ("heading", "environment"),
    [("Triton", "tritonclient"), pytest.param("KServe", "kserve", marks=pytest.mark.heavy)],
)
def test_client_reads_digits(
    heading: str, environment: str, folder: Path, address: str, labels: list[int]
) -> None:
    programs = python_programs(environment)
    said = follow(heading, folder, address, programs)
    assert said.stdout == f"{labels} ({len(labels)}, 10)\n"


@pytest.mark.parametrize("environment", ["tritonclient", pytest.param("kserve", marks=pytest.mark.heavy)])
def test_client_finds_metadata_and_versions(
    environment: str, folder: Path, address: str, labels: list[int]
) -> None:
    programs = python_programs(environment)
    program = HERE / f"{environment}_program.py"
    run(folder, programs, "python", str(program), address, *map(str, labels))
