"""The SBOMs list the packages of the images, each with its licence."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.test_requirements import pins

ROOT = Path(__file__).resolve().parent.parent
TELL_NO_LICENCE = {"huey", "namex"}  # packages of the pipeline without any licence information


def test_locks_of_all_images_are_in_it() -> None:
    installed = {
        lock
        for path in ROOT.glob("*/Dockerfile")
        for lock in re.findall(r"pip sync .*/requirements/(\w+)\.txt", path.read_text(encoding="utf-8"))
    }
    script = (ROOT / "requirements" / "sbom").read_text(encoding="utf-8")
    (listed,) = re.findall(r"set -- (.*)", script)
    assert set(listed.split()) == installed


@pytest.mark.heavy  # installs each lock once more
def test_bill_of_materials_of_each_image() -> None:
    done = subprocess.run(["sh", "requirements/sbom"], cwd=ROOT, capture_output=True, text=True, check=False)
    if "error sending request" in done.stderr:
        pytest.skip("NO PACKAGE REGISTRY: the bill of materials needs the packages")
    assert done.returncode == 0, done.stderr[-3000:]
    for line in done.stdout.splitlines():
        path = ROOT / line
        told = json.loads(path.read_text(encoding="utf-8"))
        assert (told["bomFormat"], told["specVersion"]) == ("CycloneDX", "1.6")
        found = {_name(one["name"]): one for one in told["components"]}
        lock = pins(path.name.partition(".")[0])
        locked = {
            _name(pin.split("==")[0]) for pin in lock if ";" not in pin
        }  # packages with a marker are not on every machine
        assert locked <= set(found) <= {_name(pin.split("==")[0]) for pin in lock}
        assert {name for name, one in found.items() if not one.get("licenses")} <= TELL_NO_LICENCE


def _name(package: str) -> str:
    """Return the normalised name of a package (PEP 503), without extras."""
    return re.sub(r"[-_.]+", "-", package.partition("[")[0]).lower()
