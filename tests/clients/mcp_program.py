"""Checks the page with an MCP client: `python mcp_program.py HOST:PORT[/PREFIX] DIGIT`.

Run in the environment of requirements/mcp.txt, in a folder with photo.jpg.
"""

from __future__ import annotations

import asyncio
import base64
import sys
from ast import literal_eval
from pathlib import Path
from typing import Any

import httpx
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client


def data_url(content: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(content).decode()}"


async def check(session: Any, address: str, digit: str) -> None:
    (tool,) = (await session.list_tools()).tools
    assert tool.name == "read"
    assert tool.description.startswith("Read the handwritten digits")
    assert tool.inputSchema["required"] == ["picture"]
    assert tool.inputSchema["properties"]["picture"]["type"] == "string"
    assert "data: URL" in tool.inputSchema["properties"]["picture"]["description"]

    photo = Path("photo.jpg").read_bytes()
    large = photo + bytes(10_000_000)
    async with httpx.AsyncClient(trust_env=False) as client:
        sent = await client.post(f"http://{address}/gradio_api/upload", files={"files": ("p.jpg", large)})
    for picture in (data_url(photo), data_url(photo + bytes(3_000_000)), *sent.json()):
        answer = await session.call_tool("read", {"picture": picture})
        assert not answer.isError, answer
        assert literal_eval(answer.content[0].text)["text"] == digit

    elsewhere = {"path": "https://example.org/photo.jpg", "meta": {"_type": "gradio.FileData"}}
    for refused, sentence in {
        "https://example.org/photo.jpg": "Files on other servers are not fetched",
        data_url(b"no picture"): "PNG",
    }.items():
        answer = await session.call_tool("read", {"picture": refused})
        assert answer.isError
        assert sentence in answer.content[0].text, answer
    answer = await session.call_tool("read", {"picture": elsewhere})
    assert answer.isError
    assert "is not of type 'string'" in answer.content[0].text, answer


async def main(address: str, digit: str) -> None:
    async with (
        streamable_http_client(f"http://{address}/gradio_api/mcp/") as (reading, writing, _),
        ClientSession(reading, writing) as session,
    ):
        await session.initialize()
        await check(session, address, digit)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
