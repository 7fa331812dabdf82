"""Tensors of the Open Inference Protocol, as JSON or as the binary data that follows it.

The protocol: https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
and Triton's binary tensor data extension, which its clients use by default.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from digits.network.contract import FIELD
from service.errors import BadForm, WrongField

MAX_ROWS = 256  # of 28x28 pixels in one request

Datatype = Literal[
    "FP16", "FP32", "FP64", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"
]
OutputName = Literal["probabilities", "digit"]
Parameters = Annotated[dict[str, Any], Field(max_length=16)]

_FORMATS: dict[Datatype, str] = {
    "FP16": "<f2", "FP32": "<f4", "FP64": "<f8", "INT8": "i1", "INT16": "<i2", "INT32": "<i4", "INT64": "<i8",
    "UINT8": "u1", "UINT16": "<u2", "UINT32": "<u4", "UINT64": "<u8",
}  # fmt: skip
DATATYPES = tuple(_FORMATS)
"""The datatypes that an input may have."""

_SHAPES = f"[n, {FIELD}, {FIELD}, 1] or [n, {FIELD}, {FIELD}]"


class InputTensor(BaseModel):
    """Digits, as grey levels from 0 (paper) to 255 (ink)."""

    name: Literal["image"]
    shape: list[int] = Field(min_length=1, max_length=8)
    datatype: Datatype
    parameters: Parameters | None = None
    data: Annotated[list[Any], Field(max_length=MAX_ROWS * FIELD * FIELD)] | None = None


class OutputTensor(BaseModel):
    """One tensor of the answer; its data follows the JSON if the client asks for binary data."""

    name: OutputName
    shape: list[int]
    datatype: Literal["FP32", "INT64"]
    parameters: Parameters | None = None
    data: list[float] | list[int] | None = None


class Wanted(BaseModel):
    """One output that a client asks for."""

    name: OutputName
    parameters: Parameters | None = None


class InferRequest(BaseModel):
    """A batch of 28x28 digits, ink bright on black, 0 to 255."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "inputs": [{"name": "image", "shape": [1, 28, 28], "datatype": "UINT8", "data": [0] * 784}]
            }
        }
    )

    id: str | None = None
    parameters: Parameters | None = None
    inputs: list[InputTensor] = Field(min_length=1, max_length=1)
    outputs: Annotated[list[Wanted], Field(max_length=8)] | None = None

    def wants_binary(self, name: str) -> bool:
        """Whether the client wants this output as binary data."""
        for output in self.outputs or ():
            if output.name == name and output.parameters and "binary_data" in output.parameters:
                return output.parameters["binary_data"] is True
        return bool(self.parameters) and (self.parameters or {}).get("binary_data_output") is True


class InferAnswer(BaseModel):
    """Outputs `probabilities` and `digit` (-1 if the mark is rejected)."""

    model_name: str
    model_version: Annotated[str | None, Field(description="Omitted if the model has no version.")] = None
    id: str | None = None
    outputs: list[OutputTensor]


def parsed(body: bytes, json_length: bytes) -> tuple[InferRequest, NDArray[np.float32]]:
    """A request and its batch as float32 (n, 28, 28, 1), 0 to 255; raises `BadForm` or `WrongField`.

    `json_length`: the header with the length of the JSON that precedes binary data, in bytes; may be empty.
    """
    length = int(json_length[:9]) if json_length.isdigit() else len(body)
    try:
        request = InferRequest.model_validate(from_json(body[:length], allow_inf_nan=False))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        raise WrongField(f"The field `{place}` is invalid: {first['msg']}.") from None
    except ValueError:
        raise BadForm("The body is not valid JSON. Send an inference request.") from None
    return request, _batch(request.inputs[0], body[length:])


def _batch(tensor: InputTensor, binary: bytes) -> NDArray[np.float32]:
    rows, *rest = tensor.shape
    if rest not in ([FIELD, FIELD], [FIELD, FIELD, 1]) or not 1 <= rows <= MAX_ROWS:
        raise WrongField(f"The shape is not supported. Send {_SHAPES} with 1 to {MAX_ROWS} rows.")
    values = _values(tensor, binary)
    if values.size != rows * FIELD * FIELD:
        raise WrongField(f"The data has {values.size} numbers, which does not match the shape.")
    if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= 255):
        raise WrongField(
            "The data has values outside 0 to 255. Send grey levels, 0 for paper and 255 for ink."
        )
    if 0 < values.max() <= 1:
        raise WrongField("The data seems to be scaled to 0 to 1. Multiply it by 255.")
    return values.reshape(rows, FIELD, FIELD, 1)


def _values(tensor: InputTensor, binary: bytes) -> NDArray[np.float32]:
    try:
        if tensor.data is None:
            return np.frombuffer(binary, _FORMATS[tensor.datatype]).astype(np.float32)
        with np.errstate(over="ignore"):  # overflow becomes infinite, and `_batch` refuses it
            return np.asarray(tensor.data, np.float64).astype(np.float32)
    except (ValueError, TypeError, OverflowError):
        raise WrongField("The data does not match the datatype and shape. Send plain numbers.") from None


def tensor_of(name: OutputName, values: NDArray[Any], datatype: Literal["FP32", "INT64"]) -> OutputTensor:
    """An output with its data as JSON."""
    data = values.ravel().tolist()
    return OutputTensor(name=name, shape=list(values.shape), datatype=datatype, data=data)


def as_binary(tensor: OutputTensor) -> bytes:
    """Remove an output's data from its JSON and return it as the binary data that follows the JSON."""
    content = np.asarray(tensor.data, _FORMATS[tensor.datatype]).tobytes()
    tensor.data = None
    tensor.parameters = {"binary_data_size": len(content)}
    return content
