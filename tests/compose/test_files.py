"""What the compose files say together, as Compose itself reads them: no container is started."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]


def merged(*files: str) -> dict[str, Any]:
    """The services of these files, with what Compose fills in."""
    named = [part for file in files for part in ("-f", file)]
    try:
        done = subprocess.run(
            ["docker", "compose", *named, "config"], cwd=ROOT, capture_output=True, text=True
        )
    except OSError:
        pytest.skip("NO DOCKER: `docker compose` does not work, so the compose files stay unread")
    if done.returncode:
        pytest.skip(f"NO COMPOSE: `docker compose config` does not work: {done.stderr[:200]}")
    return dict(YAML(typ="safe").load(done.stdout)["services"])


def test_feedback_is_off_in_compose_and_a_second_file_adds_one_folder() -> None:
    plain = merged("docker-compose.yml")
    kept = merged("docker-compose.yml", "docker-compose.feedback.yml")
    assert "FEEDBACK" not in str(plain)
    assert set(plain) == set(kept)
    before, after = plain["service"], kept["service"]
    (added,) = [volume for volume in after["volumes"] if volume not in before["volumes"]]
    assert (added["source"], added["target"]) == (str(ROOT / "data" / "feedback"), "/feedback")
    assert after["environment"]["FEEDBACK_DIR"] == "/feedback"
    for right in ("user", "read_only", "cap_drop", "security_opt", "tmpfs", "mem_limit", "pids_limit"):
        assert after[right] == before[right], right
