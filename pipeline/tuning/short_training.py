"""The short training of a trial, on a share of the images, in a process of its own.

It imports neither MLflow nor Optuna, so the nodes of a cluster need neither.
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

if TYPE_CHECKING:  # it imports Keras, which must wait until the number of threads is set
    from pipeline.training.checkpoint import Checkpoint

SCORE = "val_accuracy"
"""The accuracy on the mixed validation images. The loss cannot be compared between trials, because it depends
on label smoothing, which may be searched."""

Params = Mapping[str, Any]
"""The section `train` without the entries of `NOT_TRAINING`, which do not affect the weights."""
Log = Callable[[Mapping[str, float], int], None]
"""A function that receives the metrics of an epoch and its number, counted from 1, and may raise to stop."""


class Images(NamedTuple):
    """The training and validation images of every trial of a search."""

    digits: Digits
    validation: Digits
    own: int  # the number of `digits`, at the start, that every epoch sees


def images(settings: Mapping[str, Any], share: float) -> Images:
    """Load the images for the trials of a search with these settings; raises `DataError`."""
    every, validation, own = training_data(
        PROCESSED, settings["drawn"], settings["drawn_last"], settings["accepted"]
    )
    digits, own = subset(every, own, share, settings["seed"])
    return Images(digits, validation, own)


def subset(digits: Digits, own: int, share: float, seed: int) -> tuple[Digits, int]:
    """Return a random share of the first `own` digits followed by the same share of the others.

    The second value is the number of own digits, at least 1. The same seed gives the same digits.
    """
    random = np.random.default_rng(seed)
    first = random.permutation(own)[: max(1, round(share * own))]
    others = own + random.permutation(digits.total - own)[: round(share * (digits.total - own))]
    return digits.take(np.concatenate([first, others])), len(first)


def limit_threads(threads: int) -> None:
    """Limit TensorFlow to this many threads. Call this before anything else in the process uses it."""
    with quiet_stderr():
        import tensorflow as tf
    tf.config.threading.set_intra_op_parallelism_threads(threads)


def train(given: Images, params: Params, log: Log, checkpoint: Checkpoint | None = None) -> float:
    """Train and return the highest score of all epochs; raises `ParameterError` for unknown parameters."""
    from pipeline.training.loop import train

    training = partial(train, given.digits, given.validation, own=given.own)
    check_names("train", training, dict(params))
    return max(training(**params, log=log, checkpoint=checkpoint).history[SCORE])
