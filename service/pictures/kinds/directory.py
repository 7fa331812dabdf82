"""The first directory of a TIFF file, or of EXIF data, which have the same form (TIFF 6.0, section 2)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

MOST_ENTRIES = 1000  # the richest that cameras and scanners write have about a hundred

_UNITS = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
"""Bytes of one value of each type."""
_WHOLE_NUMBERS = {3: "H", 4: "I", 16: "Q"}
_BEYOND_THE_END = (struct.error, OverflowError)  # the latter for offsets of 64 bits


class Overloaded(ValueError):
    """A directory with too many entries, or whose entries point at the same bytes many times."""


@dataclass(frozen=True, slots=True)
class Directory:
    """What a directory's entries hold: by their tags, the type, the number of values, and where they are."""

    data: bytes = field(repr=False)
    order: str
    entries: dict[int, tuple[int, int, int]]

    def count(self, tag: int) -> int:
        """How many values an entry has; 0 for one that is not there."""
        return self.entries[tag][1] if tag in self.entries else 0

    def numbers(self, tag: int) -> tuple[int, ...]:
        """The whole numbers of an entry; none for one that is not there, or holds something else.

        Raises `ValueError` where they are cut off.
        """
        kind, count, at = self.entries.get(tag, (0, 0, 0))
        if kind not in _WHOLE_NUMBERS:
            return ()
        try:
            return struct.unpack_from(f"{self.order}{count}{_WHOLE_NUMBERS[kind]}", self.data, at)
        except _BEYOND_THE_END as error:
            raise ValueError("An entry is cut off.") from error

    def number(self, tag: int, default: int = 0) -> int:
        """The first of an entry's numbers."""
        numbers = self.numbers(tag) if self.count(tag) == 1 else ()
        return numbers[0] if numbers else default


def read(data: bytes) -> Directory:
    """The directory; raises `Overloaded`, and `ValueError` where it is cut off or points beyond the file."""
    try:
        return _read(data)
    except _BEYOND_THE_END as error:
        raise ValueError("The directory is cut off.") from error


def _read(data: bytes) -> Directory:
    order = {b"II": "<", b"MM": ">"}.get(data[:2], "")
    if not order:
        raise ValueError("There is no directory.")
    big = struct.unpack_from(order + "H", data, 2) == (43,)
    (at,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
    (size,) = struct.unpack_from(order + ("Q" if big else "H"), data, at)
    if size > MOST_ENTRIES:
        raise Overloaded("The directory has too many entries.")
    at += 8 if big else 2
    entry, offset = (order + "HHQ", order + "Q") if big else (order + "HHI", order + "I")
    entries: dict[int, tuple[int, int, int]] = {}
    pointed_at = 0
    for _ in range(size):
        tag, kind, count = struct.unpack_from(entry, data, at)
        at += struct.calcsize(entry)
        values, value_bytes = at, count * _UNITS.get(kind, 0)
        if value_bytes > struct.calcsize(offset):
            (values,) = struct.unpack_from(offset, data, at)
            pointed_at += value_bytes
            if value_bytes > len(data):
                raise ValueError("An entry points at more than there is.")
        entries[tag] = kind, count, values
        at += struct.calcsize(offset)
    if pointed_at > len(data):
        raise Overloaded("The entries point at the same bytes many times.")
    return Directory(data, order, entries)
