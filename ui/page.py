"""The page: Gradio around our own canvas, which asks the recognition service while one draws.

SERVICE_URL=http://127.0.0.1:3000 PAGE_PORT=7860 HOST=127.0.0.1 python -m ui.page
"""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Awaitable, Callable
from html import escape
from pathlib import Path
from string import Template

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when Gradio is imported

import gradio
import httpx
import uvicorn
from fastapi import FastAPI, Response
from fastapi.staticfiles import StaticFiles
from starlette.types import Scope

from ui.client import service_url
from ui.proxy import Ask, ask_routes, run_link, service_ask, service_client
from ui.text import PAGE

CANVAS = Path(__file__).parent / "canvas"

_START = (
    'import(new URL("canvas/main.js", document.baseURI)).then((page) => page.start(element, props.text));'
)


class _Fresh(StaticFiles):
    """Files that the browser keeps but asks about, so that an updated page is never half old."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


def make_page(ask: Ask, link: Callable[[str], Awaitable[str | None]]) -> FastAPI:
    """The page as an ASGI application; `ask` answers its questions, `link` gives a run's MLflow address."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(ask_routes(ask, link))
    app.mount("/canvas", _Fresh(directory=CANVAS))
    with gradio.Blocks(title=PAGE["title"], analytics_enabled=False) as blocks:
        gradio.HTML(
            html_template=_html(), js_on_load=_START, apply_default_css=False, elem_id="page", text=PAGE
        )
    head = (CANVAS / "head.html").read_text(encoding="utf-8")
    gradio.mount_gradio_app(
        app,
        blocks,
        path="/",
        head=head,
        footer_links=[],
        run_history=False,
        max_file_size="1kb",  # pictures go to /ask; Gradio's own upload stays unused
        ssr_mode=False,
    )
    return app


def _html() -> str:
    template = Template((CANVAS / "page.html").read_text(encoding="utf-8"))
    return template.substitute({name: escape(sentence) for name, sentence in PAGE.items()})


async def serve(
    host: str, port: int, service: httpx.AsyncClient, mlflow: httpx.AsyncClient, link: str
) -> None:
    """Serve the page until it is told to stop; `link` is where people's browsers find MLflow."""
    async with service, mlflow:
        app = make_page(service_ask(service), lambda run_id: run_link(mlflow, run_id, link))
        config = uvicorn.Config(app, host=host, port=port, log_level="warning", timeout_graceful_shutdown=2)
        await uvicorn.Server(config).serve()


def main() -> None:
    """Take the addresses from the environment and serve; the only argument is --help.

    MLFLOW_URL is where the page finds MLflow, MLFLOW_LINK_URL where a browser does (the same, unless
    containers are between the two).
    """
    argparse.ArgumentParser(
        prog="python -m ui.page", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    env = os.environ.get
    host, port = env("HOST", "127.0.0.1"), int(env("PAGE_PORT", "7860"))
    url = service_url()
    mlflow_url = env("MLFLOW_URL", f"http://127.0.0.1:{env('MLFLOW_PORT', '5000')}")
    service = service_client(url, env("API_KEY", ""))
    mlflow = httpx.AsyncClient(base_url=mlflow_url, trust_env=False)
    print(f"The page is at http://{host}:{port} and asks the service at {url}", flush=True)
    asyncio.run(serve(host, port, service, mlflow, env("MLFLOW_LINK_URL", mlflow_url)))


if __name__ == "__main__":
    main()
