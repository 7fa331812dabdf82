"""Whose scripts may change or ask something here: a server's own pages', and those of origins it names.

A browser lets any web page send a form to 127.0.0.1, and only hides the answer. So a request that changes
something is looked at for where it comes from: its `Origin`, which browsers send and scripts cannot forge.
"""

from __future__ import annotations

from collections.abc import Collection

FOREIGN_ORIGIN = "foreign_origin"
"""The refusal's code; its status is 403."""


def let_in(origin: str, host: str, named: Collection[str]) -> bool:
    """Whether a request with these `Origin` and `Host` headers comes from one's own page, or one of `named`.

    Who sends no `Origin` is no page's script. Names are compared without the scheme, which a proxy that does
    TLS changes. `named` are origins in lower case; `*` among them stands for all.
    """
    origin = origin.lower()
    own = origin.partition("://")[2] == host.lower() != ""
    return not origin or own or origin in named or "*" in named
