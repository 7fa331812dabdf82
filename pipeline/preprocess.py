"""Stage `preprocess`: check and split data/raw, add synthetic digits and marks, and write data/processed."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path

import numpy as np
from sklearn.model_selection import train_test_split

from digits.network.contract import CLASSES, FIELD
from pipeline.evaluation.contact_sheets import digit_contact_sheet, mark_contact_sheet
from pipeline.mnist.accepted import SIDES, Accepted, Side
from pipeline.mnist.dataset import SPLITS, SUMMARY, Digits
from pipeline.mnist.idx import read_idx
from pipeline.project.errors import DataError, ParameterError
from pipeline.project.files import atomic_write, write_text
from pipeline.project.paths import ACCEPTED, PROCESSED, RAW, REPORTS
from pipeline.project.runner import end_with_parent, main
from pipeline.synthesis.sets import drawn_sets

TRAIN_FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
TEST_FILES = ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def read_digits(images_path: Path, labels_path: Path) -> Digits:
    """Read the digits of two IDX files; raises `DataError` unless both are complete and match each other."""
    images, labels = read_idx(images_path, 3), read_idx(labels_path, 1)
    if images.shape[1:] != (FIELD, FIELD):
        raise DataError(
            f"{images_path} has images of {images.shape[1]} x {images.shape[2]}, not {FIELD} x {FIELD}."
        )
    if len(images) != len(labels):
        raise DataError(
            f"{images_path} has {len(images)} images, but {labels_path} has {len(labels)} labels."
        )
    wrong = np.flatnonzero(labels >= CLASSES)
    if len(wrong):
        raise DataError(
            f"{labels_path} has the label {labels[wrong[0]]} at index {wrong[0]}, but labels are 0 to 9."
        )
    digits = Digits(images, labels)
    absent = [digit for digit, count in enumerate(digits.per_class()) if count == 0]
    if absent:
        raise DataError(f"{labels_path} has no {absent[0]}, but must have every digit.")
    return digits


def without_repeats(digits: Digits) -> Digits:
    """Keep only the first of identical images, because two splits could otherwise share one."""
    first: dict[bytes, int] = {}
    for position, image in enumerate(digits.images):
        first.setdefault(image.tobytes(), position)
    return digits.take(np.array(list(first.values()), np.intp))


def split(digits: Digits, validation_images: int, seed: int) -> tuple[Digits, Digits]:
    """Split into train and validation, stratified by digit, each in the order of the file."""
    try:
        chosen = train_test_split(
            np.arange(digits.total), test_size=validation_images, stratify=digits.labels, random_state=seed
        )
    except ValueError as error:
        raise ParameterError(f"preprocess.validation_images = {validation_images}: {error}") from error
    train, validation = (digits.take(np.sort(positions)) for positions in chosen)
    return train, validation


def check_disjoint(parts: Mapping[str, Digits]) -> None:
    """Raise `DataError` if any two of the named parts share an image."""
    contents = {name: {image.tobytes() for image in digits.images} for name, digits in parts.items()}
    for one, other in combinations(parts, 2):
        shared = contents[one] & contents[other]
        if shared:
            place = next(i for i, image in enumerate(parts[other].images) if image.tobytes() in shared)
            raise DataError(
                f"{one} and {other} share {len(shared)} images (the first is number {place} of {other}),"
                " so results on one would not be independent of the other."
            )


def summary(splits: Mapping[str, Digits], repeats: int) -> str:
    """Return a summary of the splits as JSON: counts, hashes of the content, and dropped repeats."""
    hashes = {name: digits.sha256() for name, digits in splits.items()}
    content = {
        "sha256": hashlib.sha256("".join(hashes.values()).encode()).hexdigest(),
        "repeats_dropped": repeats,
        "splits": {
            name: {"images": digits.total, "per_class": digits.per_class(), "sha256": hashes[name]}
            for name, digits in splits.items()
        },
    }
    return json.dumps(content, indent=2) + "\n"


def run(validation_images: int, seed: int, drawn: Mapping[str, float]) -> None:
    """Write data/processed and contact sheets from data/raw; nothing is written before everything is checked.

    `drawn`: the relative sizes of the synthetic sets, see `pipeline.synthesis.sets.drawn_sets`.
    """
    end_with_parent()
    train_paths, test_paths = ([RAW / name for name in files] for files in (TRAIN_FILES, TEST_FILES))
    everything, test = read_digits(*train_paths), read_digits(*test_paths)
    check_disjoint({str(train_paths[0]): everything, str(test_paths[0]): test})
    distinct = without_repeats(everything)
    train, validation = split(distinct, validation_images, seed)
    splits = dict(zip(SPLITS, (train, validation, test), strict=True))
    check_disjoint(splits)
    accepted = {side: accepted_feedback(side) for side in SIDES}
    feedback = {f"{side}-accepted": marks.digits for side, marks in accepted.items() if marks.digits.total}
    check_disjoint({"test": test, **feedback})
    print("preprocess: drawing digits and other marks", flush=True)
    made = drawn_sets(splits, drawn, seed)
    for name, digits in (splits | made).items():
        digits.save(PROCESSED, name)
        print(f"preprocess: {digits.total} digits for {name}", flush=True)
    for side, marks in accepted.items():
        marks.save(PROCESSED, side)
    for name, digits in feedback.items():
        print(f"preprocess: {digits.total} digits for {name}", flush=True)
    write_text(PROCESSED / SUMMARY, summary(splits | made | feedback, everything.total - distinct.total))
    write_contact_sheets(train, made, seed)


def accepted_feedback(side: Side) -> Accepted:
    """Return a side of the accepted feedback from `make learn`, which is empty if there is none yet."""
    return Accepted.load(ACCEPTED, side) if ACCEPTED.exists() else Accepted.none()


def write_contact_sheets(train: Digits, made: Mapping[str, Digits], seed: int) -> None:
    """Write contact sheets of MNIST and of the synthetic sets."""
    pictures = {
        "samples.png": digit_contact_sheet(train, seed),
        "prototypes.png": digit_contact_sheet(made["train-prototypes"], seed),
        "negatives.png": mark_contact_sheet(made["train-negatives"].images),
        "spoilt.png": digit_contact_sheet(made["train-spoilt"], seed),
        "scans.png": digit_contact_sheet(made["train-scans"], seed),
    }
    for name, picture in pictures.items():
        with atomic_write(REPORTS / name) as temporary:
            picture.save(temporary, format="PNG", optimize=True)


if __name__ == "__main__":
    sys.exit(main("preprocess", run))
