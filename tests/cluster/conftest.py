from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.command import Answers, single
from tests.cluster.nodes import TwoNodes, has_second_address
from tests.cluster.s3 import Bucket, serving
from tests.cluster.scans import page, write_scans

PAGES = 40


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    """A bucket of a real S3 server on loopback."""
    pytest.importorskip("moto", reason="`make team` installs moto")
    with serving(tmp_path_factory.mktemp("s3")) as one:
        yield one


@pytest.fixture(scope="module")  # tests in other folders inspect the child processes of this one
def two_nodes(bucket: Bucket) -> Iterator[TwoNodes]:
    pytest.importorskip("ray", reason="`make team` installs Ray")
    if not has_second_address():
        pytest.skip("this machine has no address 127.0.0.2 for a second node")
    with TwoNodes(bucket.variables) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the folder `scans` in it."""
    folder = tmp_path_factory.mktemp("packed")
    write_scans(folder / "scans")
    return folder


@pytest.fixture(scope="session")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """What one process answers to the same scans, with folders in place of archives."""
    folder = tmp_path_factory.mktemp("unpacked")
    write_scans(folder / "scans", unpacked=True)
    return single("scans", folder)


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the folder `pages` in it: enough to be interrupted in the middle."""
    folder = tmp_path_factory.mktemp("many")
    (folder / "pages").mkdir()
    content = page()
    for number in range(PAGES):
        (folder / "pages" / f"{number}.png").write_bytes(content)
    return folder


@pytest.fixture(scope="session")
def expected_pages(pages: Path) -> Answers:
    return single("pages", pages)
