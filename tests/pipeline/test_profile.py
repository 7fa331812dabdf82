"""Profiles fit params.yaml, and applying one keeps the rest of that file."""

from __future__ import annotations

from pathlib import Path

import pytest
from dvc.utils.hydra import apply_overrides
from ruamel.yaml import YAML

from pipeline import profile
from pipeline.project.errors import ParameterError
from pipeline.project.params import flat, read_params

ROOT = Path(__file__).resolve().parents[2]
PROFILES = ROOT / "profiles"


@pytest.fixture
def params(tmp_path: Path) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text((ROOT / "params.yaml").read_text())
    return path


def test_default_profile_is_what_params_yaml_says() -> None:
    own = read_params("train", ROOT / "params.yaml")
    default = profile.load("default", PROFILES)
    assert flat(own) == flat(default) | {"seed": own["seed"], "resume": True}


def test_classic_is_the_usual_recipe_to_the_letter() -> None:
    classic = flat(profile.load("classic", PROFILES))
    assert classic["network.blocks"] == [[32], [64]]
    assert classic["network.dense"] == [128]
    assert classic["optimizer.name"] == "adam"
    assert (classic["batch"], classic["epochs"]) == (64, 10)
    assert not any(value for name, value in classic.items() if name.startswith("augment."))


@pytest.mark.parametrize("name", profile.names(PROFILES))
def test_apply_every_profile_fits(name: str, params: Path) -> None:
    before = read_params("evaluate", params)
    profile.apply(profile.load(name, PROFILES), params)
    assert flat(read_params("train", params)).items() >= flat(profile.load(name, PROFILES)).items()
    assert read_params("evaluate", params) == before


def test_apply_keeps_comments_and_layout(params: Path) -> None:
    before = params.read_text()
    profile.apply(profile.load("classic", PROFILES), params)
    profile.apply(profile.load("default", PROFILES), params)
    squeezed = [" ".join(line.split()) for line in params.read_text().splitlines()]
    assert squeezed == [" ".join(line.split()) for line in before.splitlines()]


@pytest.mark.parametrize("name", profile.names(PROFILES))
def test_apply_after_an_experiment_that_has_written_each_list_on_lines_of_its_own(
    name: str, params: Path
) -> None:
    """`dvc exp run -S` leaves params.yaml in this state."""
    apply_overrides(str(params), ["train.epochs=3"])
    assert "    - valid\n" in params.read_text()
    for profile_name in ("classic", name):
        settings = profile.load(profile_name, PROFILES)
        profile.apply(settings, params)
        assert flat(read_params("train", params)).items() >= flat(settings).items()


def test_apply_unknown_name_writes_nothing(params: Path) -> None:
    before = params.read_text()
    with pytest.raises(ParameterError, match=r"train\.network\.dropuot"):
        profile.apply({"epochs": 3, "network": {"dropuot": 0.5}}, params)
    assert params.read_text() == before


def test_load_unknown_profile_names_those_there_are() -> None:
    with pytest.raises(ParameterError, match=r"classic, default"):
        profile.load("clasic", PROFILES)


def test_flags_are_what_hydra_reads() -> None:
    given = profile.flags({"epochs": 3, "network": {"blocks": [[8], [16, 16]], "batch_norm": True}})
    assert given[::2] == ["-S"] * 3
    assert given[1::2] == [
        "train.epochs=3",
        "train.network.blocks=[[8],[16,16]]",
        "train.network.batch_norm=true",
    ]
    assert YAML(typ="safe").load(given[3].partition("=")[2]) == [[8], [16, 16]]
