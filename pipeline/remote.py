"""Tell DVC where a team's data is, so that `dvc pull` and `dvc push` find it: `make remote`.

DVC_REMOTE_URL says where (as s3://bucket/dvc, or the whole path of a folder that all reach), AWS_ENDPOINT_URL
which S3 where that is not Amazon's: in the environment or in .env. AWS_ACCESS_KEY_ID and
AWS_SECRET_ACCESS_KEY of .env go with them; those of the environment, and of ~/.aws, DVC finds by itself. All
of it is written into .dvc/config.local, which git ignores and other users of this machine cannot read.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from dvc.repo import Repo

from pipeline.project.env_file import env_file
from pipeline.project.errors import StoreError

NAME = "team"
S3 = {  # DVC's names of what else an S3 remote has
    "endpointurl": "AWS_ENDPOINT_URL",
    "region": "AWS_DEFAULT_REGION",
    "access_key_id": "AWS_ACCESS_KEY_ID",
    "secret_access_key": "AWS_SECRET_ACCESS_KEY",
}
OWN = ("AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION")  # taken from the environment too


def main() -> int:
    argparse.ArgumentParser(
        prog="python -m pipeline.remote",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args()
    try:
        told = settings()
    except StoreError as error:
        print(error, file=sys.stderr)
        return 1
    write(told)
    print(f"DVC's remote is {told['url']}: `dvc pull` gets what others made, `dvc push` gives yours.")
    return 0


def settings() -> dict[str, str]:
    """What DVC has to know of the remote, by its own names; raises `StoreError` without an address."""
    told = env_file()
    told |= {name: os.environ[name] for name in ("DVC_REMOTE_URL", *OWN) if os.environ.get(name)}
    url = told.get("DVC_REMOTE_URL", "")
    if "://" not in url and not Path(url).is_absolute():
        raise StoreError(
            f"DVC_REMOTE_URL is {url!r}: write into .env where the team's data is, as s3://bucket/dvc or"
            " /mnt/share/dvc."
        )
    others = S3 if url.startswith("s3://") else {}
    return {"url": url} | {name: told[ours] for name, ours in others.items() if ours in told}


def write(told: dict[str, str]) -> None:
    """Make it the remote that DVC uses by itself, in place of any other of this name."""
    with Repo() as repo:
        local = Path(repo.config.files["local"])
        local.touch(mode=0o600)
        local.chmod(0o600)
        with repo.config.edit("local") as config:
            config["remote"][NAME] = told
            config["core"]["remote"] = NAME


if __name__ == "__main__":
    sys.exit(main())
