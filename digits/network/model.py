"""A model folder (`manifest.json` and the ONNX file that it names) as something that classifies."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from digits.errors import ModelError
from digits.network.contract import CLASSES, FIELD, INPUT_CONTRACT
from digits.network.probabilities import log_sum_exp, softmax
from digits.network.test_time_augmentation import averaged

MANIFEST = "manifest.json"
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a model folder says of itself.

    `version` is the MLflow registry version ("" for a candidate or a person's own model);
    `temperature` divides the logits before the softmax; a mark whose rejection score is above
    `rejection_threshold` is no digit (None: nothing is rejected); logits of a doubtful mark are averaged over
    it as it is and turned by each of `turns`, in degrees.
    """

    file: str
    sha256: str
    created: str
    version: str = ""
    run_id: str = ""
    git_commit: str = ""
    data_sha256: str = ""
    metrics: dict[str, float] = field(default_factory=dict)
    temperature: float = 1.0
    rejection_threshold: float | None = None
    turns: list[float] = field(default_factory=list)
    input: str = INPUT_CONTRACT

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read `folder/manifest.json`; raises `ModelError` if it is missing or malformed."""
        path = folder / MANIFEST
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ModelError(
                f"There is no model in {folder}: it needs a {MANIFEST} and the file that this names."
            ) from None
        except (OSError, ValueError) as error:
            raise ModelError(f"{path} cannot be read ({error}): promote the model again.") from error
        if not isinstance(values, dict):
            raise ModelError(f"{path} holds no JSON object: promote the model again.")
        known = {entry.name for entry in fields(cls)}
        try:
            manifest = cls(**{name: value for name, value in values.items() if name in known})
        except TypeError as error:
            raise ModelError(f"{path} lacks an entry ({error}): promote the model again.") from error
        manifest._check_numbers(path)
        return manifest

    def _check_numbers(self, path: Path) -> None:
        """Refuse what would fail, or answer nonsense, at the first doubtful mark only."""
        sound = {
            "temperature": _is_finite(self.temperature),
            "rejection_threshold": self.rejection_threshold is None or _is_finite(self.rejection_threshold),
            "turns": isinstance(self.turns, list) and all(map(_is_finite, self.turns)),
        }
        for name, is_sound in sound.items():
            if not is_sound:
                raise ModelError(
                    f"The entry `{name}` of {path} is no finite number: promote the model again."
                )

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def _is_finite(value: object) -> bool:
    """Whether something read from JSON is a number that the network's floats can hold."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST


@dataclass(frozen=True, slots=True)
class Classification:
    """What the network says of n marks: `probabilities` (n, 10), rows sum to 1, and `rejection` (n,).

    `rejection` is the log odds that a mark is no digit: 0 where the network has no eleventh output.
    """

    probabilities: NDArray[np.float32]
    rejection: NDArray[np.float32]


class Model:
    """An ONNX session and its manifest. Safe to call from several threads at once."""

    def __init__(self, session: onnxruntime.InferenceSession, manifest: Manifest) -> None:
        self.manifest = manifest
        self._session = session
        self._input = session.get_inputs()[0].name

    @classmethod
    def load(cls, folder: Path, threads: int = 1) -> Self:
        """Load a model folder, its file's SHA-256 and its shapes checked; raises `ModelError`."""
        manifest = Manifest.load(folder)
        path = folder / manifest.file
        if Path(manifest.file).name != manifest.file:
            raise ModelError(f"{folder / MANIFEST} names a file outside its folder: promote the model again.")
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ModelError(f"The model file {path} cannot be read: promote the model again.") from error
        if hashlib.sha256(content).hexdigest() != manifest.sha256:
            raise ModelError(f"{path} is not the file that its manifest describes: promote the model again.")
        return cls(_session(content, path, threads), manifest)

    def logits(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Outputs for float32 (n, 28, 28, 1) of 0..255: (n, 10) or (n, 11), averaged over `turns`."""
        return averaged(self._run, batch, self.manifest.turns)

    def _run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        (logits,) = self._session.run(None, {self._input: batch})
        return np.asarray(logits, np.float32)

    def classify(self, batch: NDArray[np.float32]) -> Classification:
        """Calibrated probabilities and rejection scores for float32 (n, 28, 28, 1), 0..255."""
        logits = self.logits(batch)
        probabilities = softmax(logits[:, :CLASSES] / np.float32(self.manifest.temperature))
        return Classification(probabilities, rejection_scores(logits))

    def is_rejected(self, score: float) -> bool:
        """Whether a mark with this rejection score is no digit."""
        threshold = self.manifest.rejection_threshold
        return threshold is not None and score > threshold


def rejection_scores(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log odds of "not a digit" against all ten digits, from logits (n, 11); zeros for (n, 10)."""
    if logits.shape[1] == CLASSES:
        return np.zeros(len(logits), np.float32)
    return np.asarray(logits[:, CLASSES] - log_sum_exp(logits[:, :CLASSES]), np.float32)


def _session(content: bytes, path: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own errors share no public base class
        raise ModelError(f"{path} is no ONNX model that onnxruntime can load ({error}).") from error
    _check_shapes(session, path)
    return session


def _check_shapes(session: onnxruntime.InferenceSession, path: Path) -> None:
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if (
        len(inputs) != 1
        or list(inputs[0].shape[1:]) != [FIELD, FIELD, 1]
        or inputs[0].type != "tensor(float)"
    ):
        raise ModelError(f"{path} does not take {INPUT_CONTRACT}: export another model.")
    if len(outputs) != 1 or len(outputs[0].shape) != 2 or outputs[0].shape[1] not in (CLASSES, CLASSES + 1):
        raise ModelError(f"{path} does not give 10 (or 11) logits a digit: export another model.")
