"""Reads pictures with RapidOCR; `benchmarks.quality` runs it with a Python that has rapidocr-onnxruntime.

Standard input is a JSON object of lists of files; standard output is the same object with the texts instead.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from rapidocr_onnxruntime import RapidOCR

_KEPT = "0123456789-.,"


def main() -> None:
    """Read all pictures. RapidOCR's messages go to standard error, since standard output is the result."""
    asked: dict[str, list[str]] = json.load(sys.stdin)
    engine = RapidOCR(intra_op_num_threads=1, inter_op_num_threads=1)
    said = {name: [_text(engine(path)[0] or []) for path in paths] for name, paths in asked.items()}
    json.dump(said, sys.stdout)


def _text(found: list[Any]) -> str:
    """The digits and signs found, line by line; `found` is a list of (corners, text, confidence)."""
    boxes = [(*_box(corners), str(text)) for corners, text, _ in found]
    lines: list[list[tuple[float, float, float, str]]] = []
    for box in sorted(boxes, key=lambda one: one[1]):
        for line in lines:
            if abs(box[1] - line[0][1]) < 0.5 * max(box[2], line[0][2]):
                line.append(box)
                break
        else:
            lines.append([box])
    texts = [" ".join(_digits(one[3]) for one in sorted(line)) for line in lines]
    return "\n".join(" ".join(text.split()) for text in texts if text.strip())


def _digits(text: str) -> str:
    return "".join(
        character if character in _KEPT else " " if character.isspace() else "" for character in text
    )


def _box(corners: list[list[float]]) -> tuple[float, float, float]:
    """Left, vertical centre and height of a found text, in pixels."""
    xs, ys = zip(*corners, strict=True)
    return min(xs), sum(ys) / len(ys), max(ys) - min(ys)


if __name__ == "__main__":
    main()
