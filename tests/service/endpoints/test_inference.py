"""The Open Inference Protocol, as in its specification and in Triton's client."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from starlette.testclient import TestClient

from digits.ink.extraction import ink_map
from digits.network.network_input import network_input
from service.endpoints.tensors import parsed
from service.errors import WrongField
from tests.service.clock import least_seconds
from tests.service.encoding import black_block

INFER = "/v2/models/digits/infer"
LENGTH = "Inference-Header-Content-Length"


@pytest.fixture
def digits(draw: Callable[..., Image.Image]) -> NDArray[np.float32]:
    """The digits 0 to 9 as the network's input, float32 (10, 28, 28, 1)."""
    fields = [network_input(ink_map(draw(str(digit)))) for digit in range(10)]
    return np.array(fields, np.float32)[..., None]


def request(batch: NDArray[Any], **entries: Any) -> dict[str, Any]:
    tensor = {"name": "image", "shape": list(batch.shape), "datatype": "FP32", "data": batch.ravel().tolist()}
    return {"inputs": [tensor | entries]}


def outputs(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return {output["name"]: output for output in answer.json()["outputs"]}


def test_metadata_is_what_clients_expect(client: TestClient) -> None:
    assert client.get("/v2").json() == {
        "name": "digits",
        "version": "1",
        "extensions": ["binary_tensor_data"],
    }
    assert client.get("/v2/").json() == client.get("/v2").json()
    model = client.get("/v2/models/digits").json()
    assert (model["name"], model["versions"]) == ("digits", ["1"])
    (image,) = model["inputs"]
    assert (image["name"], image["datatype"], image["shape"]) == ("image", "FP32", [-1, 28, 28, 1])
    assert {"FP16", "FP32", "UINT8", "INT64"} <= set(image["parameters"]["datatypes"])
    assert image["parameters"]["range"] == [0, 255]
    assert {output["name"]: output["shape"] for output in model["outputs"]} == {
        "probabilities": [-1, 10],
        "digit": [-1],
    }


def test_health_is_well(client: TestClient, tmp_path: Path, make_client: Callable[..., TestClient]) -> None:
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"ready": True}
    assert client.get("/v2/models/digits/ready").json() == {"ready": True, "name": "digits"}
    empty = make_client(tmp_path / "none")
    assert empty.get("/v2/health/live").status_code == 200
    assert empty.get("/v2/models/digits/ready").json() == {"ready": True, "name": "digits"}
    assert empty.get("/v2/models/digits").json()["versions"] == ["default"]


def test_version_in_service_has_addresses_of_its_own(client: TestClient, digits: NDArray[np.float32]) -> None:
    model = client.get("/v2/models/digits/versions/1")
    assert model.json() == client.get("/v2/models/digits").json()
    assert client.get("/v2/models/digits/versions/1/ready").json() == {"ready": True, "name": "digits"}
    answer = client.post("/v2/models/digits/versions/1/infer", json=request(digits))
    assert outputs(answer)["digit"]["data"] == list(range(10))


@pytest.mark.parametrize("path", ["", "/ready", "/infer"])
def test_other_versions_are_not_found(client: TestClient, digits: NDArray[np.float32], path: str) -> None:
    address = f"/v2/models/digits/versions/2{path}"
    answer = client.post(address, json=request(digits)) if path == "/infer" else client.get(address)
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_version"), answer.text


def test_model_without_a_version_names_none(
    tmp_path: Path,
    make_client: Callable[..., TestClient],
    promote: Callable[..., None],
    digits: NDArray[np.float32],
) -> None:
    promote(tmp_path, "")
    client = make_client(tmp_path)
    assert "versions" not in client.get("/v2/models/digits").json()
    assert "model_version" not in client.post(INFER, json=request(digits)).json()


@pytest.mark.parametrize("datatype", ["FP32", "FP64", "UINT8"])
def test_grey_levels_from_0_to_1_are_refused(
    client: TestClient, digits: NDArray[np.float32], datatype: str
) -> None:
    scaled = (digits / 255).round() if datatype == "UINT8" else digits / 255
    answer = client.post(INFER, json=request(scaled, datatype=datatype))
    assert (answer.status_code, answer.json()["code"]) == (422, "wrong_field")
    assert "255" in answer.json()["error"]
    blank = client.post(INFER, json=request(np.zeros_like(digits)))
    assert blank.status_code == 200


@pytest.mark.parametrize("address", [INFER, "/predict", "/predict_batch"])
def test_compressed_bodies_are_refused(client: TestClient, address: str) -> None:
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    answer = client.post(address, content=gzip.compress(b"{}"), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "wrong_encoding")
    assert answer.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("shape", [(10, 28, 28, 1), (10, 28, 28)])
def test_infer_reads_a_batch(client: TestClient, digits: NDArray[np.float32], shape: tuple[int, ...]) -> None:
    answer = client.post(INFER, json=request(digits.reshape(shape)) | {"id": "mine"})
    given = outputs(answer)
    assert given["digit"] == {"name": "digit", "shape": [10], "datatype": "INT64", "data": list(range(10))}
    assert given["probabilities"]["shape"] == [10, 10]
    assert np.reshape(given["probabilities"]["data"], (10, 10)).argmax(axis=1).tolist() == list(range(10))
    said = answer.json()
    assert (said["id"], said["model_name"], said["model_version"]) == ("mine", "digits", "1")


def test_infer_takes_nested_data_and_other_types(client: TestClient, digits: NDArray[np.float32]) -> None:
    nested = request(digits[7:8].round(), datatype="UINT8", data=digits[7:8].round().tolist())
    assert outputs(client.post(INFER, json=nested))["digit"]["data"] == [7]


def test_infer_gives_the_outputs_asked_for(client: TestClient, digits: NDArray[np.float32]) -> None:
    asked = request(digits[:1]) | {"outputs": [{"name": "digit"}]}
    assert list(outputs(client.post(INFER, json=asked))) == ["digit"]


def test_infer_says_minus_one_for_no_digit(
    tmp_path: Path,
    make_client: Callable[..., TestClient],
    promote: Callable[..., None],
    nearest_digit: Callable[..., bytes],
    digits: NDArray[np.float32],
) -> None:
    promote(tmp_path, "1", nearest_digit(outputs=11), rejection_threshold=0.0)
    block = network_input(ink_map(black_block()))
    assert block is not None
    batch = np.stack((digits[3], block[..., None]))
    answer = make_client(tmp_path).post(INFER, json=request(batch))
    assert outputs(answer)["digit"]["data"] == [3, -1]


def test_infer_speaks_binary(client: TestClient, digits: NDArray[np.float32]) -> None:
    content = digits.astype("<f4").tobytes()
    head = request(digits, parameters={"binary_data_size": len(content)})
    del head["inputs"][0]["data"]
    head["parameters"] = {"binary_data_output": True}
    text = json.dumps(head).encode()
    answer = client.post(INFER, content=text + content, headers={LENGTH: str(len(text))})
    assert answer.status_code == 200, answer.text
    length = int(answer.headers[LENGTH])
    given = json.loads(answer.content[:length])["outputs"]
    assert [output["name"] for output in given] == ["probabilities", "digit"]
    sizes = [output["parameters"]["binary_data_size"] for output in given]
    assert sum(sizes) == len(answer.content) - length
    digit = np.frombuffer(answer.content[length + sizes[0] :], "<i8")
    assert digit.tolist() == list(range(10))


WRONG: dict[str, Any] = {
    "no inputs": {"inputs": []},
    "two inputs": {"inputs": [{"name": "a", "shape": [1], "datatype": "FP32"}] * 2},
    "no list": [],
    "wrong name": {"inputs": [{"name": "x", "shape": [1, 28, 28], "datatype": "FP32", "data": [0] * 784}]},
    "wrong type": {"inputs": [{"name": "image", "shape": [1, 28, 28], "datatype": "BYTES", "data": ["a"]}]},
    "wrong shape": {"inputs": [{"name": "image", "shape": [1, 27, 28], "datatype": "FP32", "data": [0]}]},
    "too many rows": {
        "inputs": [{"name": "image", "shape": [10**9, 28, 28], "datatype": "FP32", "data": [0]}]
    },
    "no rows": {"inputs": [{"name": "image", "shape": [0, 28, 28], "datatype": "FP32", "data": []}]},
    "too few": {"inputs": [{"name": "image", "shape": [1, 28, 28], "datatype": "FP32", "data": [0]}]},
    "no data": {"inputs": [{"name": "image", "shape": [1, 28, 28], "datatype": "FP32"}]},
    "words": {"inputs": [{"name": "image", "shape": [1, 28, 28], "datatype": "FP32", "data": ["a"] * 784}]},
    "ragged": {
        "inputs": [{"name": "image", "shape": [1, 28, 28], "datatype": "FP32", "data": [[1], [2, 3]]}]
    },
    "nested": {"inputs": [{"name": "image", "shape": [1, 28, 28], "datatype": "FP32", "data": [{"a": 1}]}]},
    "huge": {
        "inputs": [{"name": "image", "shape": [1, 28, 28], "datatype": "FP32", "data": [10**400] * 784}]
    },
    "negative": {"inputs": [{"name": "image", "shape": [1, 28, 28], "datatype": "FP32", "data": [-1] * 784}]},
    "output": {
        "inputs": [{"name": "image", "shape": [1, 28, 28], "datatype": "FP32", "data": [0] * 784}],
        "outputs": [{"name": "truth"}],
    },
}


@pytest.mark.parametrize("case", WRONG)
def test_infer_refuses(client: TestClient, case: str) -> None:
    answer = client.post(INFER, json=WRONG[case])
    assert (answer.status_code, answer.json()["code"]) == (422, "wrong_field"), answer.text


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"inputs": [NaN]}', b"[" * 100_000])
def test_infer_refuses_what_is_no_json(client: TestClient, body: bytes) -> None:
    answer = client.post(INFER, content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "broken_form"), answer.text


@pytest.mark.parametrize("length", ["-1", "99999999999999999999", "x", "9" * 5000])
def test_infer_refuses_wrong_lengths(client: TestClient, length: str) -> None:
    assert client.post(INFER, content=b"{}", headers={LENGTH: length}).status_code in (400, 422)


@pytest.mark.parametrize(
    "entries",
    [
        {"outputs": [0] * 100_000},
        {"outputs": [{"name": ""}] * 100_000},
        {"parameters": {str(number): 0 for number in range(100_000)}},
        {"inputs": [{"name": "", "shape": [1], "datatype": "", "data": [[]] * 250_000}]},
    ],
)
def test_long_lists_are_refused_at_once(
    client: TestClient, digits: NDArray[np.float32], entries: dict[str, Any]
) -> None:
    """A refusal takes about as long as parsing the JSON, because the entries are not validated one by one."""
    body = json.dumps(request(digits[:1]) | entries).encode()
    assert client.post(INFER, content=body).status_code == 422

    def refuse() -> None:
        with pytest.raises(WrongField):
            parsed(body, b"")

    # Without the lists' limits it is 15 times as much or more.
    assert least_seconds(refuse) < 5 * least_seconds(lambda: json.loads(body))
