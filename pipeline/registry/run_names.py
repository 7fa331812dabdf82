"""Names of runs: the nearest profile and the differences from it, as "default, epochs 3"."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ruamel.yaml import YAML

from pipeline.project.params import flat
from pipeline.project.paths import PROFILES

SHOWN = 4  # differences in a name; the others are counted
SEED = 1  # the seed in a fresh clone's params.yaml, since profiles have none
NOT_NAMED = ("resume",)  # does not affect the weights
PLAIN = "training"  # the name if there is no profile to compare with


def name_of(params: Mapping[str, Any], taken: Collection[str] = ()) -> str:
    """Return a name that describes these parameters, with a number if it is taken, as "default (2)"."""
    base = _described(flat(params))
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base} ({number})"
    return name


def differences(params: Mapping[str, Any], others: Mapping[str, Any]) -> list[str]:
    """Return the values of `params` that differ from `others`, each as "epochs 3"; both have dotted names.

    Only the last part of a dotted name is used if it is unique.
    """
    every = params.keys() | others.keys()
    names = {name: name.rpartition(".")[2] for name in every}
    ends = list(names.values())
    return [
        f"{names[name] if ends.count(names[name]) == 1 else name} {written(params.get(name, 'unset'))}"
        for name in sorted(every, key=lambda name: (name.count("."), name))
        if name not in NOT_NAMED and written(params.get(name, "unset")) != written(others.get(name, "unset"))
    ]


def listed(parts: list[str]) -> str:
    """Join the first few parts, and count the others."""
    more = [f"{len(parts) - SHOWN} more"] if len(parts) > SHOWN else []
    return ", ".join(parts[:SHOWN] + more)


def written(value: object) -> str:
    """Return a value as in params.yaml, without spaces and quotes."""
    text = str(value).replace(" ", "").replace("'", "")
    return text.lower() if text in ("True", "False") else text


def _described(params: Mapping[str, Any]) -> str:
    """Return the nearest profile and the differences from it; `default` wins a tie."""
    profiles = {
        path.stem: flat(YAML(typ="safe").load(path.read_text("utf-8"))) for path in PROFILES.glob("*.yaml")
    }
    found = {
        name: differences({"seed": SEED, **params}, {"seed": SEED, **values})
        for name, values in profiles.items()
    }
    if not found:
        return PLAIN
    nearest = min(found, key=lambda name: (len(found[name]), name != "default", name))
    return ", ".join([nearest, listed(found[nearest])]) if found[nearest] else nearest
