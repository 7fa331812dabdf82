"""Apply a profile of training parameters to params.yaml: `python -m pipeline.profile NAME`.

Profiles are in profiles/NAME.yaml. With `--flags` the parameters are printed as flags for `dvc exp run`, and
nothing is written.
"""

from __future__ import annotations

import argparse
import io
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq

from pipeline.project.errors import ParameterError
from pipeline.project.files import write_text
from pipeline.project.params import flat
from pipeline.project.paths import PARAMS, PROFILES

SECTION = "train"


def names(folder: Path = PROFILES) -> list[str]:
    """Return the names of all profiles."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def load(name: str, folder: Path = PROFILES) -> dict[str, Any]:
    """Return the settings of a profile; raises `ParameterError` for an unknown name."""
    if name not in names(folder):
        raise ParameterError(f"There is no profile {name!r}. Choose one of {', '.join(names(folder))}.")
    return dict(YAML(typ="safe").load((folder / f"{name}.yaml").read_text(encoding="utf-8")))


def apply(settings: Mapping[str, Any], path: Path = PARAMS) -> None:
    """Set values in the section `train` of a parameter file, keeping its comments and other values.

    Raises `ParameterError` and writes nothing if the file does not have one of the names.
    """
    yaml = YAML()
    yaml.width = 110
    yaml.indent(mapping=2, sequence=4, offset=2)
    values = yaml.load(path.read_text(encoding="utf-8"))
    for name, value in flat(settings).items():
        _set(values[SECTION], name, value)
    text = io.StringIO()
    yaml.dump(values, text)
    write_text(path, text.getvalue())


def _set(values: Any, name: str, value: Any) -> None:
    *groups, last = name.split(".")
    for group in groups:
        values = values.get(group, {})
    if last not in values:
        raise ParameterError(f"{PARAMS} has no {SECTION}.{name}, but the profile sets it.")
    if not isinstance(value, list):
        values[last] = value
        return
    values[last] = _on_one_line(value)
    if comment := values.ca.items.get(last):
        # `dvc exp run -S` writes a list on several lines. A token left over from that would join two lines.
        comment[3] = None


def _on_one_line(values: list[Any]) -> CommentedSeq:
    listed = CommentedSeq(values)
    listed.fa.set_flow_style()
    return listed


def flags(settings: Mapping[str, Any]) -> list[str]:
    """Return the settings as arguments of `dvc exp run`: pairs of `-S` and `train.name=value`."""
    pairs = (f"{SECTION}.{name}={_plain(value)}" for name, value in flat(settings).items())
    return [word for pair in pairs for word in ("-S", pair)]


def _plain(value: Any) -> str:
    """Return a value in Hydra's command-line syntax."""
    if isinstance(value, list):
        return f"[{','.join(_plain(entry) for entry in value)}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m pipeline.profile", description=__doc__)
    parser.add_argument("name", metavar="NAME", help=", ".join(names()))
    parser.add_argument("--flags", action="store_true", help="only print flags for `dvc exp run`")
    options = parser.parse_args()
    try:
        settings = load(options.name)
        if options.flags:
            print(shlex.join(flags(settings)))
        else:
            apply(settings)
            print(f"{PARAMS}: section {SECTION!r} is now {options.name!r}; `make repro` trains with it")
    except ParameterError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
