"""The classifier that a model folder contains: `manifest.json`, and the ONNX file that it names."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked_dataclass

from digits.errors import ModelError
from digits.network.contract import CLASSES, FIELD, INPUT_CONTRACT
from digits.network.probabilities import log_sum_exp, softmax
from digits.network.test_time_augmentation import averaged

MANIFEST = "manifest.json"
_MANIFEST_BYTES = 2**20
_MODEL_BYTES = 512 * 2**20
_MOST_AT_ONCE = 256  # marks


def _without_folder(name: str) -> str:
    if "/" in name or "\\" in name or "\0" in name:
        raise ValueError("the file must be in the model's folder")
    return name


def _supported_contract(contract: str) -> str:
    if contract != INPUT_CONTRACT:
        raise ValueError(f"this version gives the network {INPUT_CONTRACT}")
    return contract


FileName = Annotated[str, Field(max_length=255), AfterValidator(_without_folder)]
Text = Annotated[str, Field(max_length=1000, pattern=r"^[^\x00-\x1f\x7f]*$")]
Degrees = Annotated[float, Field(ge=-180, le=180)]


@checked_dataclass(frozen=True, slots=True, config=ConfigDict(strict=True))
class Manifest:
    """The description of a model in its folder; pydantic checks types and ranges (`ValidationError`).

    - `version`: the MLflow registry version ("" for a candidate or a person's own model).
    - `temperature`: the divisor of the logits before the softmax.
    - `rejection_threshold`: a mark with a higher rejection score is not a digit (None: nothing is rejected).
    - `scan_rejection_threshold`: the threshold for a scan of very few pixels (None: `rejection_threshold`).
    - `turns`: angles in degrees; the logits of a doubtful mark are averaged over the mark as it is and
      rotated by each of them.
    - `validation_sha256`: the hash of the validation split, on which all decisions were made ("" if unknown).
    - `format`: the version of this format; a manifest without it has version 1.
    """

    file: FileName
    sha256: Annotated[str, Field(pattern="^([0-9a-f]{64})?$")]
    created: Text
    version: Text = ""
    run_id: Text = ""
    git_commit: Text = ""
    data_sha256: Text = ""
    validation_sha256: Text = ""
    metrics: dict[Text, float] = field(default_factory=dict)
    temperature: Annotated[float, Field(ge=0.01, le=100)] = 1.0
    rejection_threshold: Annotated[float, Field(ge=-1000, le=1000)] | None = None
    scan_rejection_threshold: Annotated[float, Field(ge=-1000, le=1000)] | None = None
    turns: Annotated[list[Degrees], Field(max_length=16)] = field(default_factory=list)
    input: Annotated[str, AfterValidator(_supported_contract)] = INPUT_CONTRACT
    format: Literal[1] = 1

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read `folder/manifest.json`; raises `ModelError` if it is missing or malformed."""
        path = folder / MANIFEST
        if not path.exists():
            raise ModelError(
                f"There is no model in {folder}. A model needs a {MANIFEST} and the file that this names."
            )
        try:
            return TypeAdapter(cls).validate_json(_read(path, _MANIFEST_BYTES))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            entry = ".".join(map(str, first["loc"])) or "the whole file"
            raise ModelError(
                f"{path} is not a manifest that this version can read (`{entry}`: {first['msg']}). "
                "Promote the model again with the same version of the project."
            ) from error

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def _read(path: Path, most_bytes: int) -> bytes:
    """The content of a file of at most `most_bytes`.

    Raises `ModelError`, also for a pipe, because reading it could wait forever.
    """
    try:
        if not path.is_file():
            raise ModelError(f"{path} cannot be read (it is missing or not a file). Promote the model again.")
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error}). Promote the model again.") from error
    if len(content) > most_bytes:
        raise ModelError(f"{path} is larger than {most_bytes // 2**20} MiB. Promote a smaller model.")
    return content


@dataclass(frozen=True, slots=True)
class Classification:
    """The network's answers for n marks: `probabilities` (n, 10), whose rows sum to 1, and `rejection` (n,).

    `rejection` is the log odds that a mark is not a digit; it is 0 if the network has no eleventh output.
    """

    probabilities: NDArray[np.float32]
    rejection: NDArray[np.float32]


class Model:
    """An ONNX session and its manifest. Safe to use from several threads concurrently."""

    def __init__(self, session: onnxruntime.InferenceSession, manifest: Manifest) -> None:
        self.manifest = manifest
        self._session = session
        self._input = session.get_inputs()[0].name

    @classmethod
    def load(cls, folder: Path, threads: int = 1) -> Self:
        """Load a model folder and check the file's SHA-256 and the network's shapes; raises `ModelError`."""
        manifest = Manifest.load(folder)
        path = folder / manifest.file
        content = _read(path, _MODEL_BYTES)
        if hashlib.sha256(content).hexdigest() != manifest.sha256:
            raise ModelError(f"{path} is not the file that its manifest describes. Promote the model again.")
        return cls(_session(content, path, threads), manifest)

    def logits(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Logits (n, 10) or (n, 11) for float32 (n, 28, 28, 1), 0..255, with test-time augmentation."""
        return averaged(self._run, batch, self.manifest.turns)

    def _run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """The logits, computed in parts, because the session never frees the memory for its largest batch."""
        parts = [batch[at : at + _MOST_AT_ONCE] for at in range(0, max(1, len(batch)), _MOST_AT_ONCE)]
        logits = [self._session.run(None, {self._input: part})[0] for part in parts]
        return np.asarray(logits[0] if len(logits) == 1 else np.concatenate(logits), np.float32)

    def classify(self, batch: NDArray[np.float32]) -> Classification:
        """Calibrated probabilities and rejection scores for float32 (n, 28, 28, 1), 0..255."""
        logits = self.logits(batch)
        probabilities = softmax(logits[:, :CLASSES] / np.float32(self.manifest.temperature))
        return Classification(probabilities, rejection_scores(logits))

    def is_rejected(self, score: float, *, on_scan: bool = False) -> bool:
        """Whether a mark with this rejection score is not a digit; `on_scan`: it is on a very small scan."""
        threshold = self.manifest.rejection_threshold
        if on_scan and self.manifest.scan_rejection_threshold is not None:
            threshold = self.manifest.scan_rejection_threshold
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
    except Exception as error:  # onnxruntime's own errors have no public base class in common
        raise ModelError(f"{path} is not an ONNX model that onnxruntime can load ({error}).") from error
    _check_shapes(session, path)
    return session


def _check_shapes(session: onnxruntime.InferenceSession, path: Path) -> None:
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if (
        len(inputs) != 1
        or list(inputs[0].shape[1:]) != [FIELD, FIELD, 1]
        or inputs[0].type != "tensor(float)"
    ):
        raise ModelError(f"{path} does not take {INPUT_CONTRACT}. Export another model.")
    if len(outputs) != 1 or len(outputs[0].shape) != 2 or outputs[0].shape[1] not in (CLASSES, CLASSES + 1):
        raise ModelError(f"{path} does not give 10 or 11 logits for each mark. Export another model.")
