"""The page: Gradio with our own canvas, which is read by the recognition service while someone draws.

SERVICE_URL=http://127.0.0.1:3000 PAGE_PORT=7860 HOST=127.0.0.1 python -m ui.page
"""

# See docs/decisions/page.md.
from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template

# Must be set before Gradio is imported, because it creates an httpx client, which fails if the environment
# has a proxy that httpx does not support. The page itself needs no proxy.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "*"

import gradio
import httpx
import uvicorn
from fastapi import FastAPI, Response
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import Scope

from addresses.hosts import Hosts, listed
from addresses.prefix import UnderPrefix, prefix
from ui.bodies import Bodies
from ui.client import service_url
from ui.document import Documents
from ui.host_check import HostCheck
from ui.lazy_queue import MCP, LazyQueue
from ui.origins import Origins, origin
from ui.programs import mcp_installed, offer
from ui.proxy import Ask, ask_routes, run_link, service_ask, service_client
from ui.text import PAGE
from ui.uploads import UPLOAD, Uploads, upload_route

MAX_WAITING = 100  # requests of Gradio's clients, each with up to 1 MB
MAX_SESSIONS = 10  # whose last request and answer Gradio keeps in memory
CANVAS = Path(__file__).parent / "canvas"
EMBED = Path(gradio.__file__).parent / "templates" / "frontend" / "gradio.js"
"""Gradio's script for pages that embed this one. It loads its other parts from the same address."""

# On a page that embeds this one, `src` of `gradio-app` is the address of this one.
_START = """
const home = element.closest("gradio-app")?.getAttribute("src")?.replace(/\\/*$/, "/") ?? ".";
const address = new URL("canvas/start.js", new URL(home, document.baseURI));
import(address).then((page) => page.begin(element, props.text), () => {
  const trouble = element.querySelector("#trouble");
  trouble.textContent = props.text["not_loaded"];
  trouble.hidden = false;
});
"""


@dataclass(frozen=True, slots=True)
class Setting:
    """Deployment settings: allowed host names, origins that may embed the page, the proxy's path prefix."""

    hosts: Collection[str] = ()
    embedding: Collection[str] = ()
    root_path: str = ""


class _Fresh(StaticFiles):
    """Files that the browser revalidates on each use, so that it never mixes old and new ones."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


def make_page(
    ask: Ask, link: Callable[[str], Awaitable[str | None]], setting: Setting | None = None
) -> FastAPI:
    """The page as an ASGI application; `ask` calls the service, `link` returns a run's MLflow address."""
    uploads = Uploads()
    with gradio.Blocks(title=PAGE["title"], analytics_enabled=False) as blocks:
        gradio.HTML(
            html_template=_html(), js_on_load=_START, apply_default_css=False, elem_id="page", text=PAGE
        )
        offer(ask, uploads)
    blocks.queue(max_size=MAX_WAITING)
    blocks.state_session_capacity = MAX_SESSIONS
    before = _in_front(setting or Setting())
    app = FastAPI(
        docs_url=None, redoc_url=None, openapi_url=None, middleware=[*before, Middleware(LazyQueue, blocks)]
    )
    app.include_router(ask_routes(ask, link))
    app.include_router(upload_route(uploads))
    app.mount("/canvas", _Fresh(directory=CANVAS))

    @app.get("/gradio.js")
    async def embed() -> Response:
        return FileResponse(EMBED, headers={"Cache-Control": "no-cache"})

    # Replaces Gradio's route, which would start the queue even if no program needs it.
    @app.get("/gradio_api/startup-events")
    async def startup_events() -> bool:
        return False

    fonts = [gradio.themes.Font("system-ui"), gradio.themes.Font("sans-serif")]
    gradio.mount_gradio_app(
        app,
        blocks,
        path="/",
        theme=gradio.themes.Default(font=fonts, font_mono=[gradio.themes.Font("monospace")]),
        footer_links=[],
        run_history=False,
        max_file_size="20mb",  # what Gradio tells its clients; its own upload is not used
        mcp_server=mcp_installed(),
        enable_monitoring=False,
        ssr_mode=False,
    )
    return app


def _in_front(setting: Setting) -> list[Middleware]:
    """The middleware, outermost first."""
    return [
        Middleware(UnderPrefix, setting.root_path),
        Middleware(HostCheck, Hosts(setting.hosts)),
        Middleware(GZipMiddleware),
        Middleware(Documents, CANVAS / "head.html", setting.embedding),
        Middleware(  # needed without embedding too, since Gradio allows all origins by default
            CORSMiddleware,
            allow_origins=sorted(setting.embedding),
            allow_methods=["GET", "POST"],
            allow_headers=["*"],
            allow_credentials=True,
            expose_headers=["Retry-After", "X-Request-ID"],
        ),
        Middleware(Origins, setting.embedding),
        Middleware(Bodies, ("/ask/", UPLOAD, MCP)),
    ]


def _html() -> str:
    template = Template((CANVAS / "page.html").read_text(encoding="utf-8"))
    return template.substitute({name: escape(sentence) for name, sentence in PAGE.items()})


async def serve(
    host: str,
    port: int,
    service: httpx.AsyncClient,
    mlflow: httpx.AsyncClient,
    link: str,
    setting: Setting,
    proxies: str,
) -> None:
    """Serve the page until the process is stopped; `link` is MLflow's address for browsers.

    `proxies`: addresses of the proxies whose X-Forwarded-Proto and -For headers are trusted.
    """
    async with service, mlflow:
        app = make_page(service_ask(service), lambda run_id: run_link(mlflow, run_id, link), setting)
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            log_level="warning",
            timeout_graceful_shutdown=2,
            proxy_headers=bool(proxies),
            forwarded_allow_ips=proxies,
        )
        await uvicorn.Server(config).serve()


def main() -> None:
    """Take the addresses from the environment and serve; the only argument is --help.

    MLFLOW_URL is MLflow's address for the page, MLFLOW_LINK_URL the address for browsers (they differ only
    between containers). ALLOWED_HOSTS, EMBED_ORIGINS, PAGE_ROOT_PATH and FORWARDED_ALLOW_IPS are
    explained in docs/deployment.md.
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
    link, proxies = env("MLFLOW_LINK_URL", mlflow_url), env("FORWARDED_ALLOW_IPS", "")
    asyncio.run(serve(host, port, service, mlflow, link, setting(), proxies))


def setting() -> Setting:
    """The deployment settings from the environment; exits with a message if one is invalid."""
    env = os.environ.get
    try:
        root_path = prefix("PAGE_ROOT_PATH")
        embedding = frozenset(map(origin, listed(env("EMBED_ORIGINS", ""))))
    except ValueError as error:
        raise SystemExit(str(error)) from None
    return Setting(listed(env("ALLOWED_HOSTS", "")), embedding, root_path)


if __name__ == "__main__":
    main()
