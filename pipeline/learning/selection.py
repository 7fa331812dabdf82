"""Select the pictures of accepted feedback and their sides, and write the selection to a folder."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from digits.reader import Reader
from feedback.record import Kept
from pipeline.learning.groups import SAME, Gallery, Marks, grouped
from pipeline.learning.index import INDEX, AcceptedPicture, write_index
from pipeline.learning.marks import Unusable, marks_of
from pipeline.learning.sides import sides_of
from pipeline.mnist.accepted import SIDES, Accepted, Side
from pipeline.mnist.dataset import Digits
from pipeline.project.files import atomic_write

BETWEEN = "it is a near-duplicate of pictures for training and of pictures for validation"


@dataclass(frozen=True, slots=True)
class Selection:
    """The content of data/accepted/pictures, and the reasons why other accepted pictures are left out.

    `marks` are the marks of `pictures` by id; `left_out` maps the ids of other pictures to reasons. A picture
    of an earlier selection that can no longer be used is in `pictures` and `left_out`, but has no marks.
    """

    pictures: Mapping[str, AcceptedPicture]
    marks: Mapping[str, Digits]
    left_out: Mapping[str, str]


def select(
    kept: Collection[Kept],
    present: Mapping[str, AcceptedPicture],
    files: Mapping[str, Path],
    reader: Reader,
    mnist: Marks,
    validation: float,
    seed: int,
) -> Selection:
    """Select pictures of feedback.

    `kept` is the store's feedback, oldest first. `present` is the last selection, and `files` has the
    pictures of both. Dropped pictures are removed, new labels are used, and pictures that are no longer in
    the store stay. `mnist` are the validation and test digits of MNIST, which may not be learnt. For
    `validation` and `seed` see `sides_of`.
    """
    accepted = {one.id: one for one in kept if one.state == "accepted"}
    dropped = {one.id for one in kept if one.state == "dropped"}
    labels = {id: taken.label for id, taken in present.items() if id not in dropped}
    labels |= {id: one.label for id, one in accepted.items()}
    marks, left_out = _read(reader, labels, files)
    new = {id: marks[id].images for id in accepted if id in marks and id not in present}
    judges = Gallery({"": mnist})
    for id in [id for id, images in new.items() if judges.likeness(images).max() >= SAME]:
        left_out[id] = "it is one of MNIST's validation or test digits"
        del new[id], marks[id]
    stay = {id: replace(taken, label=labels[id]) for id, taken in present.items() if id in labels}
    gallery = Gallery({id: digits.images for id, digits in marks.items()})
    near = [(id, gallery.near_duplicates(images)) for id, images in new.items()]
    sides = {taken.group: taken.side for taken in present.values()}
    groups, between = grouped(near, {id: taken.group for id, taken in present.items()}, sides)
    for id in between:
        left_out[id] = BETWEEN
        del marks[id]
    sides |= sides_of({*groups.values()} - {*sides}, sides, validation, seed)
    taken = {
        id: AcceptedPicture(accepted[id].file, labels[id], group, sides[group])
        for id, group in groups.items()
    }
    for id in _crossing(stay, stay | taken, marks, gallery):
        left_out[id] = BETWEEN
        del marks[id]
    return Selection(stay | taken, marks, left_out)


def _crossing(
    known: Mapping[str, AcceptedPicture],
    pictures: Mapping[str, AcceptedPicture],
    marks: Mapping[str, Digits],
    gallery: Gallery,
) -> list[str]:
    """Return the known training pictures that show the same drawing as a validation picture.

    This can happen because the marks of a picture change with its label and with the model that reads it.
    """
    held = {id for id, one in pictures.items() if one.side == "validation" and id in marks}
    learnt = [id for id, one in known.items() if one.side == "train" and id in marks]
    return [id for id in learnt if not held.isdisjoint(gallery.near_duplicates(marks[id].images))]


def _read(
    reader: Reader, labels: Mapping[str, str], files: Mapping[str, Path]
) -> tuple[dict[str, Digits], dict[str, str]]:
    """Return the marks of each usable picture, and the reasons why others cannot be used."""
    marks, unusable = dict[str, Digits](), dict[str, str]()
    for id, label in labels.items():
        try:
            marks[id] = marks_of(reader, files[id], label)
        except Unusable as error:
            unusable[id] = str(error)
    return marks, unusable


def write(folder: Path, done: Selection, files: Mapping[str, Path]) -> None:
    """Write the selection to a folder; after an interruption the next call completes it.

    At any moment the folder is missing or has all files that `preprocess` reads. An empty selection removes
    it.
    """
    if not done.pictures:
        shutil.rmtree(folder, ignore_errors=True)
        return
    if folder.exists():
        _fill(folder, done, files)
        return
    beside = folder.parent.with_suffix(".new")  # outside the folder that is DVC's dependency
    shutil.rmtree(beside, ignore_errors=True)
    _fill(beside, done, files)
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside.rename(folder)


def _fill(folder: Path, done: Selection, files: Mapping[str, Path]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for id, taken in done.pictures.items():
        if not (folder / taken.file).exists():
            with atomic_write(folder / taken.file) as temporary:
                shutil.copyfile(files[id], temporary)
    for side in SIDES:
        _marks_of_side(done, side).save(folder, side)
    write_index(folder / INDEX, done.pictures.values())
    wanted = {taken.file for taken in done.pictures.values()}
    for path in folder.iterdir():
        if path.suffix not in (".json", ".npz") and path.name not in wanted:
            path.unlink()


def _marks_of_side(done: Selection, side: Side) -> Accepted:
    """Return the marks of a side in the order of the pictures' ids."""
    own = [id for id, taken in sorted(done.pictures.items()) if taken.side == side and id in done.marks]
    if not own:
        return Accepted.none()
    marks = [done.marks[id] for id in own]
    groups = [done.pictures[id].group for id, digits in zip(own, marks, strict=True) for _ in digits.labels]
    images, labels = (np.concatenate(arrays) for arrays in zip(*marks, strict=True))
    return Accepted(Digits(images, labels), np.array(groups, "U64"))
