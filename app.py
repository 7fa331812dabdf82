"""Starts service and page where nobody types a command: a Hugging Face Space runs `python app.py`.

Elsewhere it does what `python launch.py` does.
"""

from __future__ import annotations

import os
import sys

if "SPACE_ID" in os.environ:
    in_space = {
        "HOST": "0.0.0.0",
        "ALLOWED_HOSTS": os.environ.get("SPACE_HOST", ""),
        "EMBED_ORIGINS": "https://huggingface.co",  # shows the page in a frame
        "FORWARDED_ALLOW_IPS": "*",  # only Hugging Face's proxy reaches the container
    }
    os.environ |= in_space | os.environ  # what the Space's settings say comes first

import launch  # reads HOST

if __name__ == "__main__":
    sys.exit(launch.main())
