"""The host names that a server accepts in the `Host` header, as a defence against DNS rebinding.

A page at `evil.example` can make that name resolve to 127.0.0.1. Its scripts may then read the server's
answers, because the browser takes both for the same origin. This does not work with an IP address, nor with
a name that public DNS does not resolve.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Collection
from ipaddress import ip_address

_LOCAL_ENDS = (".localhost", ".local", ".internal", ".home.arpa")  # public DNS does not resolve these
_SINGLE_LABEL = re.compile(r"[a-z0-9_-]+")
_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]*\]|[a-z0-9._-]*)(?::\d*)?")

UNKNOWN_HOST = "unknown_host"
"""The error code of a refusal, whose HTTP status is 421 (Misdirected Request)."""


def listed(names: str) -> frozenset[str]:
    """The names in a setting that separates them by commas or spaces, in lower case."""
    return frozenset(names.lower().replace(",", " ").split())


class Hosts:
    """Decides which `Host` headers are allowed: IP addresses, local names, this machine's name, and `names`.

    In `names`, `*.example.org` stands for every name that ends in `.example.org`, and `*` for every name.
    """

    def __init__(self, names: Collection[str] = ()) -> None:
        self._names = {*names, socket.gethostname().lower()}

    def let_in(self, header: str) -> bool:
        """Whether a request with this `Host` header is allowed.

        An empty header is allowed, because browsers always send one.
        """
        name = host_name(header)
        return name is not None and (
            not name or self._is_listed(name) or _is_address(name) or _is_local(name)
        )

    def refusal(self, header: str) -> str:
        """The error message for a header that is not allowed, with the setting that would allow it."""
        shown = host_name(header) or "(an invalid host name)"
        return f"The host name `{shown}` is not allowed. Add it to ALLOWED_HOSTS and restart the server."

    def _is_listed(self, name: str) -> bool:
        return any(
            one in ("*", name) or (one.startswith("*.") and name.endswith(one[1:])) for one in self._names
        )


def host_name(header: str) -> str | None:
    """The name in a `Host` header, in lower case, without port, brackets and final dot.

    It is "" for an empty header, and None for a header that is not a valid host.
    """
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
