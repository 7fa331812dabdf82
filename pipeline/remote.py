"""Configure the DVC remote with a team's data for `dvc pull` and `dvc push`: `make remote`.

DVC_REMOTE_URL is its address (s3://bucket/dvc, or the absolute path of a shared folder), and AWS_ENDPOINT_URL
is the endpoint of an S3 service other than Amazon's. Both are read from the environment or .env.
AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are read from .env; DVC itself reads them from the environment and
~/.aws. The settings are written to .dvc/config.local, which git ignores and other users of this machine
cannot read.
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
S3 = {  # DVC's names of an S3 remote's other settings
    "endpointurl": "AWS_ENDPOINT_URL",
    "region": "AWS_DEFAULT_REGION",
    "access_key_id": "AWS_ACCESS_KEY_ID",
    "secret_access_key": "AWS_SECRET_ACCESS_KEY",
}
OWN = ("AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION")  # also read from the environment


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
    print(f"DVC's remote is {told['url']}. `dvc pull` gets the team's data, and `dvc push` uploads yours.")
    return 0


def settings() -> dict[str, str]:
    """Return the remote's settings with DVC's names; raises `StoreError` without a valid address."""
    told = env_file()
    told |= {name: os.environ[name] for name in ("DVC_REMOTE_URL", *OWN) if os.environ.get(name)}
    url = told.get("DVC_REMOTE_URL", "")
    if "://" not in url and not Path(url).is_absolute():
        raise StoreError(
            f"DVC_REMOTE_URL is {url!r}. Set it in .env to the address of the team's data, such as"
            " s3://bucket/dvc or /mnt/share/dvc."
        )
    others = S3 if url.startswith("s3://") else {}
    return {"url": url} | {name: told[ours] for name, ours in others.items() if ours in told}


def write(told: dict[str, str]) -> None:
    """Make this DVC's default remote, replacing an earlier one of the same name."""
    with Repo() as repo:
        local = Path(repo.config.files["local"])
        local.touch(mode=0o600)
        local.chmod(0o600)
        with repo.config.edit("local") as config:
            config["remote"][NAME] = told
            config["core"]["remote"] = NAME


if __name__ == "__main__":
    sys.exit(main())
