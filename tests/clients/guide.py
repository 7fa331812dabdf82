"""The examples of docs/clients.md: its programs and commands are extracted and run unchanged."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INSTALLS = re.compile(r"^(pip install|npm install|make) .*\n", re.MULTILINE)
_ADDRESS = re.compile(r"127\.0\.0\.1:(3000|7860)")


def follow(heading: str, folder: Path, address: str, programs: Path) -> subprocess.CompletedProcess[str]:
    """Write the programs below a heading into a folder and run the commands there.

    `address`: host and port of the service, or of the page if the section uses that. `programs`: the folder
    with the programs that the commands need, because the commands that install them are left out.
    """
    text = _ADDRESS.sub(address, (ROOT / "docs" / "clients.md").read_text(encoding="utf-8"))
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    commands = ""
    for language, block in _BLOCK.findall(section):
        if language == "sh":
            commands += _INSTALLS.sub("", block)
        else:
            first = block.partition("\n")[0]
            (folder / first.split()[-1]).write_text(block, encoding="utf-8")
    assert commands, f"docs/clients.md has no commands below {heading}"
    return run(folder, programs, "sh", "-eux", "-c", commands)


def run(folder: Path, programs: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder with these programs first in the PATH; fails with its output."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        "npm_config_offline": "true",  # npx uses the locked packages or fails
    }
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done
