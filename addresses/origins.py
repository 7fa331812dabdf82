"""The web pages whose scripts may send requests: the server's own pages, and those of allowed origins.

A browser lets any web page send a form to 127.0.0.1, and only hides the answer from that page. Therefore a
request that changes something is checked by its `Origin` header, which browsers set and scripts cannot forge.
"""

from __future__ import annotations

from collections.abc import Collection

FOREIGN_ORIGIN = "foreign_origin"
"""The error code of a refusal, whose HTTP status is 403."""


def let_in(origin: str, host: str, named: Collection[str]) -> bool:
    """Whether a request with these `Origin` and `Host` headers comes from an allowed page.

    Allowed are the server's own page and the origins in `named`.

    A request without an `Origin` is allowed, because it does not come from a page's script. The origin is
    compared with the host without its scheme, since a proxy that terminates TLS changes the scheme. Origins
    in `named` are in lower case; `*` stands for all origins.
    """
    origin = origin.lower()
    own = origin.partition("://")[2] == host.lower() != ""
    return not origin or own or origin in named or "*" in named
