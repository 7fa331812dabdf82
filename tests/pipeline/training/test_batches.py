from __future__ import annotations

from typing import TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from pipeline.training.batches import batches
from pipeline.training.sampling import Epochs


class Changes(TypedDict, total=False):
    rotation: float
    shift: float


CHANGES: Changes = {"rotation": 10.0, "shift": 2.0}


def some_digits(count: int = 10) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (count, 28, 28), dtype=np.uint8)
    return images, (np.arange(count) % 10).astype(np.uint8)


def all_batches(
    first_epoch: int = 0, epochs: int = 2, **changes: Unpack[Changes]
) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    plan = Epochs(10, 10, epochs, drawn=1.0, drawn_last=1.0, seed=5)
    made = batches(*some_digits(), classes=11, batch=4, epochs=plan, first_epoch=first_epoch, **changes)
    return [(x.numpy(), y.numpy()) for x, y in made]


def test_batches_have_the_shapes_of_the_input_contract() -> None:
    made = all_batches(**CHANGES)
    assert len(made) == 4  # two full batches of four from ten digits, in two epochs
    assert all(x.shape == (4, 28, 28, 1) and y.shape == (4, 11) for x, y in made)
    assert all(x.dtype == np.float32 and x.min() >= 0 and x.max() <= 255 for x, _ in made)


def test_batches_keep_each_digit_with_its_answer() -> None:
    images, labels = some_digits()
    for x, y in all_batches():
        for image, answer in zip(x[..., 0], y.argmax(axis=1), strict=True):
            assert np.array_equal(image, images[labels == answer][0])


def test_batches_repeat_for_the_same_seed_and_change_with_the_epoch() -> None:
    first, again = all_batches(**CHANGES), all_batches(**CHANGES)
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0][0], first[2][0])


def test_batches_after_a_restart_are_those_of_an_unbroken_training() -> None:
    whole, rest = all_batches(**CHANGES), all_batches(first_epoch=1, **CHANGES)
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(whole[2:], rest, strict=True))


def test_batches_of_fewer_digits_than_a_batch_hold_them_all() -> None:
    plan = Epochs(3, 3, 1, drawn=1.0, drawn_last=1.0, seed=1)
    made = batches(*some_digits(3), classes=10, batch=128, epochs=plan)
    assert [x.shape[0] for x, _ in made] == [3]


def test_batches_are_no_larger_than_an_epoch() -> None:
    plan = Epochs(20, 10, 1, drawn=0.2, drawn_last=0.2, seed=1)
    made = batches(*some_digits(20), classes=10, batch=16, epochs=plan)
    assert [x.shape[0] for x, _ in made] == [12]


def test_batches_hold_what_the_order_says() -> None:
    images, labels = some_digits(20)
    plan = Epochs(20, 10, 4, drawn=0.5, drawn_last=0.2, seed=3)
    made = batches(images, labels, classes=10, batch=5, epochs=plan)
    answers = np.concatenate([y.numpy().argmax(axis=1) for _, y in made])
    chosen = np.concatenate([plan.order(epoch) for epoch in range(4)])
    assert np.array_equal(answers, labels[chosen])
