"""Makes a release in the local git repository, without publishing it: `make release VERSION=0.2.0`.

The version is written into pyproject.toml, from which everything else reads it, into CITATION.cff, and into
the image tags in deploy/. The entries under "Unreleased" in CHANGELOG.md become the section of this version.
These files are committed, and the commit is tagged v0.2.0. Nothing is pushed.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path

TAGS = (
    "deploy/kubernetes/base/kustomization.yaml",
    "deploy/kubernetes/components/champion-from-registry/kustomization.yaml",
    "deploy/kubernetes/filler.yaml",
    "deploy/kserve/kustomization.yaml",
)
"""Files with the tags of our images."""
FILES = ("pyproject.toml", "CITATION.cff", "CHANGELOG.md", *TAGS)
_TAG = re.compile(r"(digits-\w+(?:, newTag: |:))\d+\.\d+\.\d+")
UNRELEASED = "## [Unreleased]\n"


def main() -> int:
    given = sys.argv[1] if len(sys.argv) > 1 else ""
    if not re.fullmatch(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}", given):
        raise SystemExit(
            f"`{given}` is not a version. Give three numbers, as in `make release VERSION=0.2.0`."
        )
    check(given)
    today = datetime.now(UTC).date().isoformat()
    write(given, today)
    try:
        git("commit", "--quiet", "--message", f"Release {given}", "--", *FILES)
    except subprocess.CalledProcessError as error:
        git("checkout", "--quiet", "HEAD", "--", *FILES)
        raise SystemExit(
            f"Nothing was released, because git could not commit: {error.stderr.strip()}"
        ) from None
    git("tag", "--annotate", f"v{given}", "--message", f"Release {given}")
    print(f"v{given} is tagged on this machine only. `make artifacts TAG=v{given}` builds its artifacts.")
    return 0


def check(version: str) -> None:
    """Exit with a message if this version cannot be released from this checkout."""
    present = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    if _numbers(version) < _numbers(present):
        raise SystemExit(
            f"{version} is older than {present}, the version in pyproject.toml. Give a later version."
        )
    if git("status", "--porcelain"):
        raise SystemExit(
            "There are changes that are not committed (see `git status`). Commit or stash them first."
        )
    if git("tag", "--list", f"v{version}"):
        raise SystemExit(f"The tag v{version} exists already. Give a later version.")
    _, _, after = Path("CHANGELOG.md").read_text(encoding="utf-8").partition(UNRELEASED)
    if not after.partition("\n## ")[0].strip():
        raise SystemExit(
            "CHANGELOG.md has nothing under `## [Unreleased]`. Describe the changes there first."
        )


def write(version: str, today: str) -> None:
    """Put the version into `FILES`."""
    _replace("pyproject.toml", r'^version = ".*"$', f'version = "{version}"')
    _replace(
        "CITATION.cff", r"^version: .*(\ndate-released: .*)?$", f"version: {version}\ndate-released: {today}"
    )
    _replace("CHANGELOG.md", rf"^{re.escape(UNRELEASED)}", f"{UNRELEASED}\n## [{version}] - {today}\n")
    for file in TAGS:
        path = Path(file)
        path.write_text(_TAG.sub(rf"\g<1>{version}", path.read_text(encoding="utf-8")), encoding="utf-8")


def git(*arguments: str) -> str:
    """The output of a git command."""
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True)
    return done.stdout


def _numbers(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]


def _replace(file: str, pattern: str, by: str) -> None:
    """Replace the only match of a pattern in a file; exits with a message unless there is exactly one."""
    path = Path(file)
    text, count = re.subn(pattern, lambda _: by, path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    if count != 1:
        raise SystemExit(
            f"{file} has {count} places for the version, not one. Restore it with `git checkout {file}`."
        )
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
