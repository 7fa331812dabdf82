"""Divides sources into parts that are read as a whole, and names each part after its content.

A hash of a picture's name decides which part the picture is in, independently of the number of other
pictures. Therefore a new picture changes only its own part (or splits it, if it becomes too large), and the
answers of all other parts remain valid.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from digits.cluster.sources import Source

_BITS = 256  # length of a SHA-256 hash
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Part:
    """Sources that are read together, and the name of their answers."""

    name: str
    sources: tuple[Source, ...]


def parts_of(sources: Sequence[Source], setting: str, most: int) -> list[Part]:
    """Divide sources into parts of at most `most` pictures; a compressed tar archive is a part by itself.

    Folders and archives stay together if possible. `setting` is a text that changes if the answers may
    change.
    """
    groups: defaultdict[str, list[Source]] = defaultdict(list)
    parts: list[list[Source]] = []
    for source in sources:
        if source.kind == "packed":
            parts.append([source])
        else:
            groups[source.group].append(source)
    held = [(_hash(name), group) for name, group in groups.items()]
    for together in _divided(held, lambda one: len(one[1]), most):
        if len(together) > 1 or len(together[0][1]) <= most:
            parts.append([source for _, group in together for source in group])
        else:
            parts.extend(_large(together[0][1], most))
    return [_named(part, setting) for part in parts]


def _large(group: list[Source], most: int) -> Iterator[list[Source]]:
    """The parts of a large folder, divided by hash, or of a large archive, divided in its own order.

    Members of an archive stay in its order because this order is fastest to read.
    """
    if group[0].kind != "file":
        for at in range(0, len(group), most):
            yield group[at : at + most]
        return
    hashed = [(_hash(source.name), source) for source in group]
    for together in _divided(hashed, lambda _: 1, most):
        yield [source for _, source in together]


def _divided(
    items: list[tuple[int, Item]], weight: Callable[[tuple[int, Item]], int], most: int, bit: int = _BITS - 1
) -> Iterator[list[tuple[int, Item]]]:
    """Divide items by the leading bits of their hashes until no group weighs more than `most`."""
    if len(items) <= 1 or bit < 0 or sum(map(weight, items)) <= most:
        if items:
            yield items
        return
    for half in (0, 1):
        yield from _divided([one for one in items if one[0] >> bit & 1 == half], weight, most, bit - 1)


def _named(sources: list[Source], setting: str) -> Part:
    inside = tuple(sorted(sources, key=lambda source: (source.group, source.at, source.name)))
    content = hashlib.sha256(setting.encode())
    for source in inside:
        content.update(f"\0{source.name}\0{source.identity}".encode())
    return Part(content.hexdigest()[:32], inside)


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest())
