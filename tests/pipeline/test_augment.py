from __future__ import annotations

import numpy as np

from pipeline.augment import batches, epoch_size, order

CHANGES = {"rotation": 10.0, "shift": 2.0}


def some_digits(count: int = 10) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (count, 28, 28), dtype=np.uint8)
    return images, (np.arange(count) % 10).astype(np.uint8)


def all_batches(
    first_epoch: int = 0, epochs: int = 2, **changes: float
) -> list[tuple[np.ndarray, np.ndarray]]:
    made = batches(
        *some_digits(), classes=11, batch=4, epochs=epochs, seed=5, first_epoch=first_epoch, **changes
    )
    return [(x.numpy(), y.numpy()) for x, y in made]


def test_batches_have_the_shapes_of_the_input_contract() -> None:
    made = all_batches(**CHANGES)
    assert len(made) == 4  # two whole batches of four in ten, two epochs
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
    made = batches(*some_digits(3), classes=10, batch=128, epochs=1, seed=1)
    assert [x.shape[0] for x, _ in made] == [3]


def test_order_holds_all_own_digits_and_every_drawn_one_in_its_turn() -> None:
    epochs = [order(100, 60, 0.25, 7, epoch) for epoch in range(8)]
    assert all(sorted(seen)[:60] == list(range(60)) for seen in epochs)
    assert {len(seen) for seen in epochs} == {70}
    drawn = [sorted(seen[seen >= 60].tolist()) for seen in epochs]
    for four in (drawn[:4], drawn[4:]):
        assert sorted(number for epoch in four for number in epoch) == list(range(60, 100))
    assert drawn[:4] != drawn[4:]  # in another order


def test_order_goes_on_where_a_share_does_not_divide_the_whole() -> None:
    seen = np.concatenate([order(13, 3, 0.7, 1, epoch) for epoch in range(10)])
    counts = np.bincount(seen)
    assert set(counts[:3]) == {10}
    assert set(counts[3:]) == {7}


def test_order_shuffles_anew_in_every_epoch() -> None:
    first, second = (order(50, 50, 1.0, 1, epoch) for epoch in (0, 1))
    assert sorted(first) == sorted(second)
    assert list(first) != list(second)


def test_order_may_leave_out_all_that_is_drawn() -> None:
    assert sorted(order(9, 5, 0.0, 1, 3)) == [0, 1, 2, 3, 4]


def test_epoch_size_counts_own_digits_and_a_share_of_the_others() -> None:
    assert epoch_size(100, 60, 0.25) == 70
    assert epoch_size(100, 100, 0.25) == 100


def test_batches_are_no_larger_than_an_epoch() -> None:
    made = batches(*some_digits(20), classes=10, batch=16, epochs=1, seed=1, own=10, drawn=0.2)
    assert [x.shape[0] for x, _ in made] == [12]


def test_batches_of_a_share_hold_what_the_order_says() -> None:
    images, labels = some_digits(20)
    made = batches(images, labels, classes=10, batch=5, epochs=2, seed=3, own=10, drawn=0.5)
    answers = np.concatenate([y.numpy().argmax(axis=1) for _, y in made])
    chosen = np.concatenate([order(20, 10, 0.5, 3, epoch) for epoch in range(2)])
    assert np.array_equal(answers, labels[chosen])
