"""Checks the service with KServe's client: `python kserve_program.py HOST:PORT LABEL...`.

Run in an environment with kserve alone, in a folder with fields.npy (n x 28 x 28, uint8).
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable
from typing import Any

import httpx
import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig


def request(fields: Any, datatype: str, binary: bool) -> Any:
    image = InferInput("image", list(fields.shape), datatype)
    image.set_data_from_numpy(fields, binary_data=binary)
    return InferRequest("digits", [image], request_id="mine", parameters={"binary_data_output": binary})


async def refusal(asking: Awaitable[object]) -> httpx.Response:
    """The error response to a request."""
    try:
        await asking
    except httpx.HTTPStatusError as error:
        return error.response
    raise AssertionError("not refused")


async def check(url: str, fields: Any, labels: list[int]) -> None:
    client = InferenceRESTClient(RESTConfig(protocol="v2"))
    assert await client.is_server_live(url)
    assert await client.is_server_ready(url)
    (version,) = httpx.get(f"{url}/v2/models/digits").json()["versions"]  # KServe's client has no metadata
    named = f"digits/versions/{version}"
    assert await client.is_model_ready(url, "digits")
    assert await client.is_model_ready(url, named)
    assert not await client.is_model_ready(url, "digits/versions/none")

    for datatype, kind in {"UINT8": np.uint8, "FP32": np.float32}.items():
        for binary in (True, False):
            asked = request(fields.astype(kind), datatype, binary)
            for model in ("digits", named):
                answer = await client.infer(url, asked, model_name=model)
                outputs = {output.name: output.as_numpy() for output in answer.outputs}
                assert outputs["digit"].tolist() == labels, (datatype, binary, model)
                assert outputs["probabilities"].argmax(axis=1).tolist() == labels
                assert answer.id == "mine"

    answer = await refusal(client.infer(url, request(fields, "UINT8", True), "digits/versions/none"))
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_version")
    scaled = request(fields.astype(np.float32) / 255, "FP32", True)
    answer = await refusal(client.infer(url, scaled, "digits"))
    assert (answer.status_code, "Multiply it by 255" in answer.text) == (422, True)
    await client.close()


if __name__ == "__main__":
    given = np.load("fields.npy")
    asyncio.run(check(f"http://{sys.argv[1]}", given, [int(label) for label in sys.argv[2:]]))
