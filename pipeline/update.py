"""Get the newest version of the project: `make update`, or `python -m pipeline.update`.

The command is a `git pull` for a checkout in which models were trained. A training rewrites `dvc.lock` and
`reports/`, which git tracks, so a plain `git pull` refuses or ends in conflicts. This command uses the
project's version of both. Nothing is lost, because the runs and their reports are in MLflow, and `dvc repro`
restores unchanged outputs from DVC's cache.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from pipeline.project.errors import UpdateError

GENERATED = ("dvc.lock", "reports")
DONE = "done; `make run` uses the new version."


def main() -> int:
    argparse.ArgumentParser(prog="python -m pipeline.update", description=__doc__).parse_args()
    try:
        print(f"update: {update()}")
    except UpdateError as error:
        print(f"update: {error}", file=sys.stderr)
        return 1
    return 0


def update() -> str:
    """Merge the upstream branch; returns a sentence with the result. Raises `UpdateError`."""
    if not succeeds("rev-parse", "--show-toplevel"):
        raise UpdateError("This is not a git checkout. Unpack the new version into another folder.")
    if succeeds("rev-parse", "-q", "--verify", "MERGE_HEAD"):  # a `git pull` that ended in conflicts
        return conclude()
    states = ("rebase-merge", "rebase-apply")
    if any(Path(git("rev-parse", "--git-path", state)).exists() for state in states):
        raise UpdateError("A rebase is in progress. Run `git rebase --abort`, then `make update` again.")
    if not succeeds("symbolic-ref", "-q", "HEAD"):
        raise UpdateError("No branch is checked out. Run `git switch main`, then `make update` again.")
    if not succeeds("rev-parse", "@{upstream}"):
        raise UpdateError(
            "This branch has no upstream branch. Set it with `git branch --set-upstream-to=origin/main`."
        )
    git("fetch", "--quiet")
    if succeeds("merge-base", "--is-ancestor", "@{upstream}", "HEAD") and not conflicts():
        return "this is already the newest version."
    git("checkout", "--quiet", "HEAD", "--", *GENERATED)
    remove_reports_that_the_project_has_now()
    if succeeds(*identity(), "merge", "--quiet", "--no-edit", "@{upstream}"):
        return DONE
    if not succeeds("rev-parse", "-q", "--verify", "MERGE_HEAD"):
        raise UpdateError(
            "git cannot merge, for the reason above. Your own changes are untouched. Commit or stash your"
            " changes of the files that it names, then run `make update` again."
        )
    return conclude()


def remove_reports_that_the_project_has_now() -> None:
    """Remove untracked reports that the merge would add, because git would refuse to overwrite them."""
    theirs = set(git("ls-tree", "-r", "--name-only", "@{upstream}", "reports").splitlines())
    for path in git("ls-files", "--others", "reports").splitlines():
        if path in theirs:
            Path(path).unlink()


def identity() -> list[str]:
    """Return git options with a committer for the merge, if the user has not configured one."""
    if succeeds("var", "GIT_COMMITTER_IDENT"):
        return []
    return ["-c", "user.name=make update", "-c", "user.email=update@localhost"]


def conclude() -> str:
    """Finish a merge with conflicts only in generated files; raises `UpdateError` for other conflicts."""
    others = sorted(path for path in conflicts() if path.split("/")[0] not in GENERATED)
    if others:
        raise UpdateError(
            f"You and the project have both changed {', '.join(others)}. Resolve the conflicts, `git add` the"
            " files, and run `make update` again. `git merge --abort` undoes the merge."
        )
    for path in conflicts():
        if not succeeds("checkout", "--quiet", "--theirs", "--", path):  # the project has removed it
            git("rm", "--quiet", "--", path)
        else:
            git("add", "--", path)
    git(*identity(), "commit", "--quiet", "--no-edit")
    return DONE


def conflicts() -> list[str]:
    """Return the paths with merge conflicts."""
    return git("diff", "--name-only", "--diff-filter=U").splitlines()


def git(*arguments: str) -> str:
    """Return the output of a git command; raises `UpdateError` with git's message if it fails."""
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise UpdateError(f"`git {arguments[0]}` failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout.strip()


def succeeds(*arguments: str) -> bool:
    """Whether a git command succeeds; the output of a merge is shown."""
    quiet = "merge" not in arguments
    return subprocess.run(["git", *arguments], capture_output=quiet, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
