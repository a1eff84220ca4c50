"""Whatever lies in a folder and whatever was recorded: every file is in one class, and every sum agrees."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from ledger.adapters.hash_cache import SqliteHashCache
from ledger.core.artifact import Artifact, Role
from ledger.core.statement import Statement
from ledger.service.coverage.coverage import Asked, Axis, Class, Count, Coverage, coverage
from ledger.service.studio import Studio
from ledger.service.walk import Apart
from ledger.testing import MemoryEntryStore
from ledger.testing.bases import MemoryBasisStore
from tests.support.bare_studio import opened, say, studio_on
from tests.support.builders import digest, step

CONTENTS = [b"", *(b"content %d" % number for number in range(6))]
FOLDERS = ["", "sq010/sh010", "sq010/sh020", ".git", "a"]
NAMES = ["a.bgeo", "b.bgeo", "b.bgeo.c2pa", ".DS_Store", "c~", "\udcff", "日本"]

trees = st.dictionaries(
    st.tuples(st.sampled_from(FOLDERS), st.sampled_from(NAMES)),
    st.sampled_from([*CONTENTS, None]),  # None: a link
    max_size=20,
)
contents = st.sets(st.sampled_from(CONTENTS[1:]))


def artifact(content: bytes) -> Artifact:
    return Artifact(sha256(content).hexdigest()[:8], sha256(content).hexdigest())


def recorded(made: set[bytes], used: set[bytes]) -> Studio:
    log = MemoryEntryStore()
    studio = opened(studio_on(log, MemoryBasisStore(log)))
    for content in sorted(made):
        say(studio, Statement((artifact(content),), step()))
    if used:
        materials = tuple(replace(artifact(content), role=Role.COMPONENT) for content in sorted(used))
        say(studio, Statement((Artifact("out", digest("out")),), step(materials=materials)))
    return studio


def build(root: Path, tree: dict[tuple[str, str], bytes | None]) -> None:
    for (folder, name), content in tree.items():
        (root / folder).mkdir(parents=True, exist_ok=True)
        if content is None:
            (root / folder / name).symlink_to(root)
        else:
            (root / folder / name).write_bytes(content)


def expected(
    tree: dict[tuple[str, str], bytes | None], made: set[bytes], used: set[bytes]
) -> tuple[dict[Class, int], dict[Apart, int]]:
    """Count in the simplest way, one file after the other."""
    classes, apart = dict.fromkeys(Class, 0), dict.fromkeys(Apart, 0)
    apart[Apart.IGNORED] += any(folder == ".git" for folder, _ in tree)
    for (folder, name), content in tree.items():
        if folder == ".git":
            continue
        if name in {".DS_Store", "c~"}:
            apart[Apart.IGNORED] += 1
        elif content is None:
            apart[Apart.LINK] += 1
        elif name.endswith(".c2pa"):
            apart[Apart.SIDECAR] += 1
        elif not content:
            apart[Apart.EMPTY] += 1
        elif content in made:
            classes[Class.BYTES] += 1
        else:
            classes[Class.USED if content in used else Class.UNATTRIBUTED] += 1
    return classes, apart


def look(studio: Studio, folder: Path) -> Coverage:
    warnings: list[str] = []
    cache = SqliteHashCache(folder / "hashes.sqlite", warnings.append)
    found = coverage(studio, Asked(str(folder / "root")), cache)
    cache.close()
    assert warnings == []
    return found


@given(tree=trees, made=contents, used=contents)
def test_the_classes_partition_the_files(
    tree: dict[tuple[str, str], bytes | None], made: set[bytes], used: set[bytes]
) -> None:
    studio = recorded(made, used)
    with TemporaryDirectory() as folder:
        (Path(folder) / "root").mkdir()
        build(Path(folder) / "root", tree)
        found = look(studio, Path(folder))
        again = look(studio, Path(folder))
    classes, apart = expected(tree, made, used)
    assert {what: count.files for what, count in found.whole.counts.items()} == classes
    assert {what: count.files for what, count in found.apart.items()} == apart
    assert (again.whole, again.by, again.unattributed) == (found.whole, found.by, found.unattributed)
    for axis in Axis:
        assert summed(found, axis) == found.whole.counts
    assert len(found.unattributed) == classes[Class.UNATTRIBUTED]
    assert len(found.used) == classes[Class.USED]
    assert len(found.reported) == apart[Apart.LINK]


def summed(found: Coverage, axis: Axis) -> dict[Class, Count]:
    tallies = [tally.counts for tally in found.by[axis].values()]
    return {
        what: Count(sum(each[what].files for each in tallies), sum(each[what].bytes for each in tallies))
        for what in Class
    }
