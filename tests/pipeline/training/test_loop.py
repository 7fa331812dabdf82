"""Training on a few digits: it learns, is reproducible, and keeps its best epoch."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.mnist.dataset import Digits
from pipeline.training import loop
from pipeline.training.checkpoint import Checkpoint
from pipeline.training.loop import Trained, train

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")

TINY: dict[str, Any] = {
    "seed": 1,
    "epochs": 3,
    "batch": 20,
    "bfloat16": False,
    "label_smoothing": 0.0,
    "network": {
        "blocks": [[4], [8]],
        "padding": ["same", "same"],
        "kernels": [3, 3],
        "halving": ["pool", "pool"],
        "dense": [16],
        "dense_dropout": 0.2,
    },
    "optimizer": {"name": "muon", "learning_rate": 0.01, "average": 0.9},
    "augment": {"rotation": 5.0, "shift": 1.0},
}


def drawn(count: int, seed: int) -> Digits:
    """Noise with a bright bar whose position is the digit."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(count) % 10).astype(np.uint8)
    images = rng.integers(0, 60, (count, 28, 28)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[4 + 2 * label : 6 + 2 * label, 4:24] = 255
    return Digits(images, labels)


def weights(trained: Trained) -> list[NDArray[np.float32]]:
    return [np.asarray(array) for array in trained.model.get_weights()]


@pytest.fixture(scope="module")
def once() -> Trained:
    return train(drawn(60, 0), drawn(20, 1), **TINY)


def test_train_in_bfloat16_gives_a_network_in_float32(once: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "processor_has_bfloat16", lambda: True)  # without support it is only slower
    trained, again = (train(drawn(60, 0), drawn(20, 1), **TINY | {"bfloat16": True}) for _ in range(2))
    assert {layer.compute_dtype for layer in trained.model.layers} == {"float32"}
    assert {type(layer).__module__.partition(".")[0] for layer in trained.model.layers} == {"keras"}
    assert all((a == b).all() for a, b in zip(weights(trained), weights(again), strict=True))
    assert any((a != b).any() for a, b in zip(weights(trained), weights(once), strict=True))


def test_train_takes_float32_where_the_processor_has_no_bfloat16(
    once: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "processor_has_bfloat16", lambda: False)
    same = train(drawn(60, 0), drawn(20, 1), **TINY | {"bfloat16": True})
    assert all((a == b).all() for a, b in zip(weights(same), weights(once), strict=True))


def test_train_gives_the_same_weights_again(once: Trained) -> None:
    again = train(drawn(60, 0), drawn(20, 1), **TINY)
    assert again.history == once.history
    assert all((a == b).all() for a, b in zip(weights(again), weights(once), strict=True))


def test_train_another_seed_gives_other_weights(once: Trained) -> None:
    other = train(drawn(60, 0), drawn(20, 1), **TINY | {"seed": 2})
    assert any((a != b).any() for a, b in zip(weights(other), weights(once), strict=True))


def test_train_judges_and_gives_averaged_weights_and_goes_on_from_its_own(once: Trained) -> None:
    plain = {"optimizer": TINY["optimizer"] | {"average": 0.0}}
    other = train(drawn(60, 0), drawn(20, 1), **TINY | plain)
    assert other.history["loss"] == pytest.approx(once.history["loss"], abs=1e-3)  # the swaps round weights
    assert all(a != b for a, b in zip(other.history["val_loss"], once.history["val_loss"], strict=True))
    assert any((a != b).any() for a, b in zip(weights(other), weights(once), strict=True))


def test_train_gives_a_network_that_keras_loads_without_this_project(once: Trained, tmp_path: Path) -> None:
    once.model.save(tmp_path / "digits.keras")
    with zipfile.ZipFile(tmp_path / "digits.keras") as file:
        assert "pipeline" not in file.read("config.json").decode()


def test_train_overfits_one_batch() -> None:
    few = drawn(20, 0)
    sure = {"augment": {}, "optimizer": {"name": "adam", "learning_rate": 0.01}, "epochs": 60}
    trained = train(few, few, **TINY | sure)
    assert max(trained.history["val_accuracy"]) == 1


def test_train_keeps_the_best_epoch() -> None:
    """All validation labels contradict the training data, so validation gets worse in every epoch."""
    right = drawn(20, 1)
    validation = Digits(right.images, (right.labels + 1) % 10)
    changes = {"augment": {}, "optimizer": {"name": "adam", "learning_rate": 0.003}, "epochs": 12}
    trained = train(drawn(60, 0), validation, **TINY | changes)
    losses, shares = trained.history["val_loss"], trained.history["val_accuracy"]
    assert losses[-1] > min(losses)
    assert losses[trained.best_epoch - 1] == min(losses)
    given = trained.model.predict(validation.images[..., None].astype(np.float32), verbose=0)
    right_of_it = (given.argmax(axis=1) == validation.labels).mean()
    assert right_of_it == pytest.approx(shares[trained.best_epoch - 1])


def test_train_history_holds_every_epoch(once: Trained) -> None:
    assert set(once.history) == {"loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"}
    assert all(len(values) == TINY["epochs"] for values in once.history.values())


def test_train_eleventh_output_where_there_are_negatives() -> None:
    digits = drawn(60, 0)
    labels = digits.labels.copy()
    labels[::7] = 10
    trained = train(Digits(digits.images, labels), drawn(20, 1), **TINY | {"epochs": 1})
    assert trained.model.output_shape == (None, 11)


def test_train_resumed_ends_at_the_same_weights(once: Trained, tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "checkpoint.npz")

    def interrupt(_: object, epoch: int) -> None:
        if epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(drawn(60, 0), drawn(20, 1), **TINY, log=interrupt, checkpoint=checkpoint)
    left = checkpoint.load()
    assert left is not None
    assert left.epochs == 1
    told: list[int] = []
    resumed = train(
        drawn(60, 0), drawn(20, 1), **TINY, log=lambda _, epoch: told.append(epoch), checkpoint=checkpoint
    )
    assert told == [1, 2, 3]
    assert resumed.history == once.history
    assert all((a == b).all() for a, b in zip(weights(resumed), weights(once), strict=True))
    assert checkpoint.path.exists()  # the stage removes it after writing the model
