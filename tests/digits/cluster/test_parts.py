from __future__ import annotations

import pytest

from digits.cluster.parts import Part, parts_of
from digits.cluster.sources import Source


def loose(*names: str, identity: str = "1") -> list[Source]:
    return [
        Source("file", name, name.rpartition("/")[0], f"/{name}", f"{identity} {len(name)}") for name in names
    ]


def members(archive: str, count: int) -> list[Source]:
    return [Source("zip", f"{archive}/{at}.png", archive, archive, f"{at}", at) for at in range(count)]


def names_in(parts: list[Part]) -> list[str]:
    return sorted(source.name for part in parts for source in part.sources)


MANY = [f"in/{folder}/{number}.png" for folder in "abc" for number in range(300)]


def test_every_source_is_in_one_part_of_no_more_than_so_many() -> None:
    sources = [*loose(*MANY), *members("in/big.zip", 205), *members("in/small.zip", 3)]
    parts = parts_of(sources, "", 50)
    assert names_in(parts) == sorted(source.name for source in sources)
    assert max(len(part.sources) for part in parts) <= 50
    assert len({part.name for part in parts}) == len(parts)
    assert len(parts) < 3 * len(sources) / 50


def test_the_order_in_which_files_are_found_changes_nothing() -> None:
    assert {*parts_of(loose(*MANY), "", 20)} == {*parts_of(loose(*reversed(MANY)), "", 20)}


@pytest.mark.parametrize("number", range(12))
def test_a_new_file_changes_one_part_at_most(number: int) -> None:
    before = parts_of(loose(*MANY), "", 50)
    after = parts_of(loose(*MANY, f"in/a/new {number}.png"), "", 50)
    kept = {part.name for part in before} & {part.name for part in after}
    assert len(before) - len(kept) <= 1


def test_a_changed_file_changes_its_part_alone() -> None:
    before = parts_of(loose(*MANY), "", 50)
    after = parts_of([*loose(*MANY[1:]), *loose(MANY[0], identity="2")], "", 50)
    (changed,) = {part.name for part in after} - {part.name for part in before}
    assert MANY[0] in names_in([part for part in after if part.name == changed])


def test_what_changes_the_answers_changes_all_names() -> None:
    names = [{part.name for part in parts_of(loose(*MANY), setting, 50)} for setting in ("one", "other")]
    assert not names[0] & names[1]


def test_a_large_archive_is_read_as_it_lies_and_one_that_grew_keeps_its_beginning() -> None:
    short, long = (parts_of(members("in/big.zip", count), "", 50) for count in (130, 131))
    assert [[source.at for source in part.sources] for part in short] == [
        [*range(50)],
        [*range(50, 100)],
        [*range(100, 130)],
    ]
    assert [part.name for part in short][:2] == [part.name for part in long][:2]


def test_small_archives_share_a_part_and_a_packed_one_has_its_own() -> None:
    small = [source for number in range(8) for source in members(f"in/{number}.zip", 3)]
    packed = Source("packed", "in/a.tgz", "in/a.tgz", "/in/a.tgz", "1")
    first, second = parts_of([*small, packed], "", 50)
    assert first.sources == (packed,)
    assert len(second.sources) == 24


def test_names_whose_hashes_never_part_end_too() -> None:
    twice = [*loose("in/a.png"), *loose("in/a.png")]
    assert sum(len(part.sources) for part in parts_of(twice, "", 1)) == 2
