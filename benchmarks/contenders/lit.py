"""LitServe in its fastest configuration: as many API servers as workers, the fast queue, the same reader."""

from __future__ import annotations

import os
import sys
from base64 import b64decode
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import litserve

from digits import Reader
from digits.ink.pixels import Picture
from service.pictures.decode import decode


class Digits(litserve.LitAPI):  # type: ignore[misc]  # LitServe is in an environment of its own
    """Decodes, reads and answers in the worker processes."""

    def setup(self, _device: str) -> None:
        cv2.setNumThreads(1)
        self.reader = Reader.load(Path(os.environ["MODEL_DIR"]))

    def decode_request(self, request: dict[str, str]) -> Picture:
        """LitServe passes requests to its workers through a queue, which cannot carry uploaded files."""
        return decode(b64decode(request["image"]))

    def predict(self, picture: Picture) -> dict[str, Any]:
        return asdict(self.reader.predict(picture))

    def encode_response(self, answer: dict[str, Any]) -> dict[str, Any]:
        return answer


if __name__ == "__main__":
    workers = int(os.environ["WORKERS"])
    server = litserve.LitServer(Digits(), accelerator="cpu", workers_per_device=workers, fast_queue=True)
    server.run(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        num_api_servers=workers,
        generate_client_file=False,
        log_level="warning",
    )
