"""The names under which a server may be asked: else any web page could reach it through a name of its own.

A page at `evil.example` makes that name mean 127.0.0.1 (DNS rebinding), and then its scripts may read what
the server answers, as if it was their own. Nobody can do so with an address, or with a name that no public
DNS has.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Collection
from ipaddress import ip_address

_LOCAL_ENDS = (".localhost", ".local", ".internal", ".home.arpa")  # which no public DNS answers
_SINGLE_LABEL = re.compile(r"[a-z0-9_-]+")
_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]*\]|[a-z0-9._-]*)(?::\d*)?")

UNKNOWN_HOST = "unknown_host"
"""The refusal's code; its status is 421, Misdirected Request."""


def listed(names: str) -> frozenset[str]:
    """What a setting lists, separated by commas or spaces, in lower case."""
    return frozenset(names.lower().replace(",", " ").split())


class Hosts:
    """Which `Host` headers are let in: addresses, local names, this machine's, and those in `names`.

    `*.example.org` in `names` stands for every name that ends so, and `*` for every name.
    """

    def __init__(self, names: Collection[str] = ()) -> None:
        self._names = {*names, socket.gethostname().lower()}

    def let_in(self, header: str) -> bool:
        """Whether a request with this `Host` is let in; one without comes from no browser."""
        name = host_name(header)
        return name is not None and (
            not name or self._is_listed(name) or _is_address(name) or _is_local(name)
        )

    def refusal(self, header: str) -> str:
        """The sentence that says what to do."""
        shown = host_name(header) or "(one that no host has)"
        return f"This server does not go by the name `{shown}`: add it to ALLOWED_HOSTS and start it anew."

    def _is_listed(self, name: str) -> bool:
        return any(
            one in ("*", name) or (one.startswith("*.") and name.endswith(one[1:])) for one in self._names
        )


def host_name(header: str) -> str | None:
    """The name in a `Host` header: in lower case, without port, brackets and final dot; None for no name."""
    match = _HOST.fullmatch(header.strip().lower())
    return match["name"].strip("[]").removesuffix(".") if match else None


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_local(name: str) -> bool:
    return name.endswith(_LOCAL_ENDS) or _SINGLE_LABEL.fullmatch(name) is not None
