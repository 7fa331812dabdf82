"""Get the newest version of the project: `make update`, or `python -m pipeline.update`.

It is `git pull` for a checkout in which models were trained. A training rewrites `dvc.lock` and `reports/`,
which git tracks, so a plain `git pull` refuses or ends in conflicts. Here the project's version of both wins.
Nothing is lost: the runs and their reports are in MLflow, and `dvc repro` takes what has not changed from
DVC's cache.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from pipeline.project.errors import UpdateError

GENERATED = ("dvc.lock", "reports")


def main() -> int:
    argparse.ArgumentParser(prog="python -m pipeline.update", description=__doc__).parse_args()
    try:
        print(f"update: {update()}")
    except UpdateError as error:
        print(f"update: {error}", file=sys.stderr)
        return 1
    return 0


def update() -> str:
    """Merge the upstream branch; gives a sentence on what came of it. Raises `UpdateError`."""
    if not succeeds("rev-parse", "--show-toplevel"):
        raise UpdateError("This is not a git checkout: unpack the new version into another folder.")
    if succeeds("rev-parse", "-q", "--verify", "MERGE_HEAD"):  # a `git pull` that ended in conflicts
        return conclude()
    states = ("rebase-merge", "rebase-apply")
    if any(Path(git("rev-parse", "--git-path", state)).exists() for state in states):
        raise UpdateError("A rebase has stopped half-way: `git rebase --abort`, then `make update` again.")
    if not succeeds("symbolic-ref", "-q", "HEAD"):
        raise UpdateError("No branch is checked out: `git switch main`, then `make update` again.")
    if not succeeds("rev-parse", "@{upstream}"):
        raise UpdateError("This branch has no upstream branch: `git branch --set-upstream-to=origin/main`.")
    git("fetch", "--quiet")
    if succeeds("merge-base", "--is-ancestor", "@{upstream}", "HEAD") and not conflicts():
        return "this is the newest version already."
    git("checkout", "--quiet", "HEAD", "--", *GENERATED)
    remove_reports_that_the_project_has_now()
    if succeeds(*identity(), "merge", "--quiet", "--no-edit", "@{upstream}"):
        return "done: `make run` goes on with it."
    if not succeeds("rev-parse", "-q", "--verify", "MERGE_HEAD"):
        raise UpdateError(
            "git cannot merge, for the reason above. Your own changes are as they were: commit or stash"
            " those of the files that it names."
        )
    return conclude()


def remove_reports_that_the_project_has_now() -> None:
    """Remove untracked reports that the merge brings, over which git would stumble; `evaluate` makes them."""
    theirs = set(git("ls-tree", "-r", "--name-only", "@{upstream}", "reports").splitlines())
    for path in git("ls-files", "--others", "reports").splitlines():
        if path in theirs:
            Path(path).unlink()


def identity() -> list[str]:
    """What a merge needs to be committed where git does not know who commits."""
    if succeeds("var", "GIT_COMMITTER_IDENT"):
        return []
    return ["-c", "user.name=make update", "-c", "user.email=update@localhost"]


def conclude() -> str:
    """Finish a merge whose only conflicts are in what trainings write; raises `UpdateError` for others."""
    others = sorted(path for path in conflicts() if path.split("/")[0] not in GENERATED)
    if others:
        raise UpdateError(
            f"You and the project have both changed {', '.join(others)}. Edit them, `git add` them and "
            "run `make update` again; `git merge --abort` leaves everything as it was."
        )
    for path in conflicts():
        if not succeeds("checkout", "--quiet", "--theirs", "--", path):  # the project has removed it
            git("rm", "--quiet", "--", path)
        else:
            git("add", "--", path)
    git(*identity(), "commit", "--quiet", "--no-edit")
    return "done: `make run` goes on with it."


def conflicts() -> list[str]:
    """The paths that git could not merge."""
    return git("diff", "--name-only", "--diff-filter=U").splitlines()


def git(*arguments: str) -> str:
    """What a command of git prints; raises `UpdateError` with git's own reason where it fails."""
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise UpdateError(f"`git {arguments[0]}` says: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout.strip()


def succeeds(*arguments: str) -> bool:
    """Whether a command of git succeeds; what a merge says is shown."""
    quiet = "merge" not in arguments
    return subprocess.run(["git", *arguments], capture_output=quiet, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
