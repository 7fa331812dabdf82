"""Checks the service with tritonclient: `python tritonclient_program.py HOST:PORT LABEL...`.

Run in an environment with tritonclient alone, in a folder with fields.npy (n x 28 x 28, uint8).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

UNKNOWN_VERSION = "Version none is not in service. Omit /versions/... to use the version that is."


def refusal(ask: Callable[..., object], *arguments: Any, **options: Any) -> tuple[str, str]:
    """The status and the message of the error of a call."""
    try:
        ask(*arguments, **options)
    except InferenceServerException as error:
        return error.status(), error.message()
    raise AssertionError("not refused")


def image(fields: Any, datatype: str, binary: bool) -> Any:
    given = InferInput("image", fields.shape, datatype)
    return given.set_data_from_numpy(fields, binary_data=binary)


def check(client: Any, fields: Any, labels: list[int]) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.get_server_metadata()["extensions"] == ["binary_tensor_data"]
    metadata = client.get_model_metadata("digits")
    (version,) = metadata["versions"]
    assert client.get_model_metadata("digits", version) == metadata
    assert [each["name"] for each in metadata["inputs"]] == ["image"]
    assert {each["name"] for each in metadata["outputs"]} == {"digit", "probabilities"}
    assert client.is_model_ready("digits")
    assert client.is_model_ready("digits", version)
    assert not client.is_model_ready("digits", "none")

    types = {"UINT8": np.uint8, "FP32": np.float32}
    assert set(types) <= set(metadata["inputs"][0]["parameters"]["datatypes"])
    for datatype, kind in types.items():
        for binary in (True, False):
            given = [image(fields.astype(kind), datatype, binary)]
            wanted = [InferRequestedOutput("digit", binary_data=binary)]
            answer = client.infer("digits", given, version, outputs=wanted, request_id="mine")
            assert answer.as_numpy("digit").tolist() == labels, (datatype, binary)
            assert answer.as_numpy("probabilities") is None
            said = answer.get_response()
            assert (said["id"], said["model_version"]) == ("mine", version)
            assert ("data" in said["outputs"][0]) is not binary
    given = [image(fields, "UINT8", True)]
    assert client.infer("digits", given).as_numpy("probabilities").argmax(axis=1).tolist() == labels
    waiting = client.async_infer("digits", given)
    assert waiting.get_result().as_numpy("digit").tolist() == labels

    for refused in (
        refusal(client.get_model_metadata, "digits", "none"),
        refusal(client.infer, "digits", given, "none"),
    ):
        assert refused == ("404", UNKNOWN_VERSION)
    status, sentence = refusal(client.infer, "digits", given, request_compression_algorithm="gzip")
    assert (status, "Compressed" in sentence) == ("415", True)
    scaled = [image(fields.astype(np.float32) / 255, "FP32", True)]
    status, sentence = refusal(client.infer, "digits", scaled)
    assert (status, "Multiply it by 255" in sentence) == ("422", True)


if __name__ == "__main__":
    with InferenceServerClient(sys.argv[1]) as connected:
        check(connected, np.load("fields.npy"), [int(label) for label in sys.argv[2:]])
