"""The first directory of a TIFF file or of EXIF data, which have the same format (TIFF 6.0, section 2)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

MOST_ENTRIES = 1000  # those of cameras and scanners have about a hundred at most

_SIZES = {3: 2, 4: 4, 16: 8}  # bytes of the integer types
_OTHER_SIZES = {1: 1, 2: 1, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 17: 8, 18: 8}
_LETTERS = {3: "H", 4: "I", 16: "Q"}
_BIG = 43  # the version number of files with 64-bit offsets; that of others is 42


class Overloaded(ValueError):
    """A directory with too many entries, or whose entries point at the same bytes many times."""


@dataclass(frozen=True, slots=True)
class Directory:
    """The entries of a directory.

    `entries`: for each tag the type, the number of values and their offset in `data`; entries that point
    beyond the end are left out. `order`: `<` or `>`, as for `struct`. `has_unique_tags`: no tag is repeated.
    """

    data: bytes = field(repr=False)
    order: str
    entries: dict[int, tuple[int, int, int]]
    has_unique_tags: bool

    def numbers(self, tag: int, most: int) -> tuple[int, ...]:
        """The integers of an entry; empty if it is missing, has more than `most`, or is of another type."""
        kind, count, at = self.entries.get(tag, (0, 0, 0))
        if kind not in _LETTERS or count > most:
            return ()
        return struct.unpack_from(f"{self.order}{count}{_LETTERS[kind]}", self.data, at)

    def number(self, tag: int, default: int = 0) -> int:
        """The integer of an entry that has exactly one, or else `default`."""
        numbers = self.numbers(tag, 1)
        return numbers[0] if numbers else default


def read(data: bytes) -> Directory:
    """The directory, up to the end of the data; raises `Overloaded`, or `ValueError` if there is none."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2], "")
    try:
        if not order:
            raise ValueError("There is no directory.")
        big = struct.unpack_from(order + "H", data, 2) == (_BIG,)
        (at,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
        (size,) = struct.unpack_from(order + ("Q" if big else "H"), data, at)
    except (struct.error, OverflowError) as error:  # OverflowError for 64-bit offsets
        raise ValueError("The directory is cut off.") from error
    if size > MOST_ENTRIES:
        raise Overloaded("The directory has too many entries.")
    head, offset = (struct.Struct(order + "HHQ"), "Q") if big else (struct.Struct(order + "HHI"), "I")
    at += 8 if big else 2
    entries: dict[int, tuple[int, int, int]] = {}
    pointed_at = 0
    tags = []
    for _ in range(size):
        values = at + head.size
        inline = struct.calcsize(offset)
        if values + inline > len(data):
            break
        tag, kind, count = head.unpack_from(data, at)
        at = values + inline
        value_bytes = count * (_SIZES | _OTHER_SIZES).get(kind, 0)
        if value_bytes > inline:
            (values,) = struct.unpack_from(order + offset, data, values)
            if values + value_bytes > len(data):
                continue
            pointed_at += value_bytes
        tags.append(tag)
        entries[tag] = kind, count, values
    if pointed_at > len(data):
        raise Overloaded("The entries point at the same bytes many times.")
    return Directory(data, order, entries, len(tags) == len(entries))
