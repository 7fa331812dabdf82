"""The training of a trial: short, on a share of the images, in a process that trains nothing else.

It knows neither MLflow nor Optuna: a node of a cluster needs neither for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pipeline.mnist.dataset import Digits
from pipeline.project.paths import PROCESSED
from pipeline.project.runner import check_names, quiet_stderr
from pipeline.training.data import training_data

if TYPE_CHECKING:  # it imports Keras, which a process may do once it has its threads
    from pipeline.training.checkpoint import Checkpoint

SCORE = "val_accuracy"
"""Of the mixed validation images, as it chooses a training's best epoch. Not the loss: label smoothing, which
may be searched, is a part of that."""

Params = Mapping[str, Any]
"""The section `train` without what changes no weight."""
Log = Callable[[Mapping[str, float], int], None]
"""Gets the metrics of an epoch and its number, counted from 1; what it raises ends the training."""


class Images(NamedTuple):
    """What every trial of a search trains on and is judged on."""

    digits: Digits
    validation: Digits
    own: int  # of the digits, the first are MNIST's own


def images(settings: Mapping[str, Any], share: float) -> Images:
    """The images of the trials of a search with these settings; raises `DataError`."""
    every, validation, own = training_data(
        PROCESSED, settings["drawn"], settings["drawn_last"], settings["accepted"]
    )
    digits, own = subset(every, own, share, settings["seed"])
    return Images(digits, validation, own)


def subset(digits: Digits, own: int, share: float, seed: int) -> tuple[Digits, int]:
    """A random share of the first `own` digits and after them of the others, and how many are of the first.

    One at least; the same for the same seed.
    """
    random = np.random.default_rng(seed)
    first = random.permutation(own)[: max(1, round(share * own))]
    others = own + random.permutation(digits.total - own)[: round(share * (digits.total - own))]
    return digits.take(np.concatenate([first, others])), len(first)


def limit_threads(threads: int) -> None:
    """Let TensorFlow compute with so many threads: before anything else in the process has begun with it."""
    with quiet_stderr():
        import tensorflow as tf
    tf.config.threading.set_intra_op_parallelism_threads(threads)


def train(given: Images, params: Params, log: Log, checkpoint: Checkpoint | None = None) -> float:
    """Train and give the score of the best epoch; raises `ParameterError` for names that no training has."""
    from pipeline.training.loop import train

    training = partial(train, given.digits, given.validation, own=given.own)
    check_names("train", training, dict(params))
    return max(training(**params, log=log, checkpoint=checkpoint).history[SCORE])
