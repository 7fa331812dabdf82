"""Start the service and the page in a Hugging Face Space, which runs `python app.py`.

Outside a Space it is the same as `python launch.py`.
"""

from __future__ import annotations

import os
import sys

if "SPACE_ID" in os.environ:
    in_space = {
        "HOST": "0.0.0.0",
        "ALLOWED_HOSTS": os.environ.get("SPACE_HOST", ""),
        "EMBED_ORIGINS": "https://huggingface.co",  # shows the page in a frame
        "FORWARDED_ALLOW_IPS": "*",  # only Hugging Face's proxy can reach the container
    }
    os.environ |= in_space | os.environ  # the Space's own settings take precedence

import launch  # reads HOST when imported

if __name__ == "__main__":
    sys.exit(launch.main())
