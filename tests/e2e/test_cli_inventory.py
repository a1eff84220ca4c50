"""`rakkan inventory`: "is my work in your training data?", asked, answered and checked by a stranger."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest

from ledger.core.rights.inventory_proof import parse_proof
from ledger.service.inventory.index import open_index
from tests.e2e.conftest import Result, Studio, snapshot, stranger
from tests.support.inventory import key, works, write_csv, write_ndjson

COUNT = 1200
MINE = b"work 7"
"""What the bytes of the work with number 7 are: its key is their SHA-256."""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an index of 1,200 works, one of them, and a work that is in no list. Never written to."""
    folder = tmp_path_factory.mktemp("kept")
    write_csv(folder / "plates.csv", works(COUNT))
    (folder / "mine.png").write_bytes(MINE)
    (folder / "other.png").write_bytes(b"a work that nobody trained on")
    keeper = Studio(folder / "nowhere", folder)
    keeper.ok("inventory", "build", folder / "plates.csv", "--out", folder / "plates.inventory")
    return folder


@pytest.fixture
def asked(kept: Path, tmp_path: Path) -> tuple[Studio, Path, Path]:
    """A stranger with two proofs by mail: that `mine.png` is in the inventory, that `other.png` is not."""
    court = stranger(tmp_path / "court")
    proofs = []
    for name in ("mine", "other"):
        proofs.append(court.work / f"{name}.json")
        court.ok("inventory", "prove", kept / "plates.inventory", kept / f"{name}.png", "--out", proofs[-1])
    return court, proofs[0], proofs[1]


def commitment(kept: Path) -> tuple[str, ...]:
    """What the dataset's entry states, as options."""
    with open_index(kept / "plates.inventory") as index:
        stated = index.header.commitment
    return ("--size", str(stated.size), "--root", stated.root.hex())


# --- build -------------------------------------------------------------------------------------------------


def test_build_says_what_it_committed_to(tmp_path: Path) -> None:
    studio = stranger(tmp_path / "studio")
    source = write_csv(studio.work / "plates.csv", works(COUNT))
    out = studio.ok("inventory", "build", source).out
    assert out.startswith("“plates”: 1,200 works of 7 rights holders.\n  size  1200\n  root  ")
    built = studio.ok("inventory", "build", source, "--json").json
    assert built["root"] in out
    assert (built["size"], built["rightsHolders"], built["dataset"]) == (COUNT, 7, "plates")
    assert Path(built["index"]) == studio.work / "plates.inventory"


def test_build_takes_another_format_and_name(tmp_path: Path) -> None:
    studio = stranger(tmp_path / "studio")
    source = write_ndjson(studio.work / "a.ndjson", works(1))
    out = studio.ok("inventory", "build", source, "--out", studio.work / "b", "--dataset", "skies").out
    assert out.startswith("“skies”: 1 work of 1 rights holder.\n")


def test_a_process_of_its_own_builds_and_shows_no_bar_in_a_pipe(tmp_path: Path) -> None:
    studio = stranger(tmp_path / "studio")
    source = write_csv(studio.work / "plates.csv", works(COUNT))
    done = studio.process("inventory", "build", source)
    assert (done.returncode, done.stderr) == (0, "")
    proven = studio.process("inventory", "prove", studio.work / "plates.inventory", key(7).hex())
    assert proven.stdout.startswith("Yes: ")


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("a.csv", "work,sha256\n", "registry.inventory"),
        ("a.csv", "", "file.empty"),
        ("a.xlsx", "x", "inventory.extension"),
        ("a.parquet", "x", "registry.inventory"),
    ],
)
def test_a_list_that_is_refused_leaves_nothing(tmp_path: Path, name: str, text: str, code: str) -> None:
    studio = stranger(tmp_path / "studio")
    (studio.work / name).write_text(text)
    studio.fails(code, "inventory", "build", studio.work / name)


def test_a_row_is_named(tmp_path: Path) -> None:
    studio = stranger(tmp_path / "studio")
    made = works(700)
    result = studio.fails(
        "registry.inventory", "inventory", "build", write_csv(studio.work / "a.csv", [*made, made[0]])
    )
    assert "Row 702 lists the work of row 2 a second time" in result.err


def test_the_list_is_never_the_target(tmp_path: Path) -> None:
    studio = stranger(tmp_path / "studio")
    source = write_csv(studio.work / "a.csv", works(3))
    studio.fails("target.exists", "inventory", "build", source, "--out", source)


# --- prove and check ---------------------------------------------------------------------------------------


def test_a_rights_holder_gets_an_answer_either_way(asked: tuple[Studio, Path, Path], kept: Path) -> None:
    court, mine, other = asked
    yes = court.ok("inventory", "check", mine, "--work", kept / "mine.png", *commitment(kept)).out
    number = sorted(key(item) for item in range(COUNT)).index(key(7)) + 1
    assert yes.startswith(f"Yes: the work is number {number:,} of the 1,200 that “plates” commits to.\n")
    no = court.ok("inventory", "check", other, "--work", kept / "other.png", *commitment(kept)).out
    assert no.startswith("No: the work is not among the 1,200 that “plates” commits to, which are in order: ")
    assert "a copy in another size or format is another work" in no


def test_the_answer_names_nobody_else(asked: tuple[Studio, Path, Path]) -> None:
    _, mine, other = asked
    for path in (mine, other):
        assert not any(word in path.read_text() for word in ("Holder", "plate-", "G-", ".png"))


def test_a_record_opens_the_rights_holder_s_own_line(kept: Path, tmp_path: Path) -> None:
    court = stranger(tmp_path / "court")
    proof, record = court.work / "proof.json", court.work / "record.json"
    out = court.ok(
        "inventory", "prove", kept / "plates.inventory", kept / "mine.png", "--out", proof, "--record", record
    ).out
    assert "plate-7.png, rights holder Holder 0, grant G-1" in out
    checked = court.ok("inventory", "check", proof, "--record", record, *commitment(kept), "--json").json
    assert checked["record"] == json.loads(record.read_text())
    assert checked["record"]["grant"] == "G-1"
    record.write_text(record.read_text().replace("G-1", "G-2"))
    result = court("inventory", "check", proof, "--record", record, *commitment(kept))
    assert (result.code, result.error) == (1, "inventory.other-record")


def test_there_is_no_record_of_an_absent_work(kept: Path, tmp_path: Path) -> None:
    court = stranger(tmp_path / "court")
    before = snapshot(court.work)
    result = court(
        "inventory", "prove", kept / "plates.inventory", kept / "other.png", "--record", court.work / "r"
    )
    assert result.code == 2
    assert snapshot(court.work) == before


def test_json_says_the_same(kept: Path, tmp_path: Path) -> None:
    court = stranger(tmp_path / "court")
    found = court.ok("inventory", "prove", kept / "plates.inventory", kept / "other.png", "--json").json
    assert (found["kind"], found["index"], found["record"], found["registered"]) == ("absent", None, None, [])
    assert found["above"] == found["below"] + 1
    assert found["work"] == sha256((kept / "other.png").read_bytes()).hexdigest()
    assert [leaf["index"] for leaf in found["proof"]["leaves"]] == [found["below"], found["above"]]


def test_without_a_commitment_a_stranger_cannot_decide(asked: tuple[Studio, Path, Path]) -> None:
    court, mine, _ = asked
    result = court("inventory", "check", mine)
    assert (result.code, result.error, result.out) == (3, "inventory.uncommitted", "")


def test_a_proof_of_something_else_is_undecided(asked: tuple[Studio, Path, Path], kept: Path) -> None:
    court, mine, _ = asked
    for arguments in (
        (mine, "--work", kept / "other.png", *commitment(kept)),
        (mine, "--size", "1200", "--root", "0" * 64),
        (mine, "--size", "1199", *commitment(kept)[2:]),
    ):
        result = court("inventory", "check", *arguments)
        assert (result.code, result.error, result.out) == (3, "inventory.other", "")


def forged(court: Studio, mine: Path, other: Path, how: str) -> Path:
    """Return what somebody made of two honest proofs who wants them to say more."""
    one, two = json.loads(mine.read_text()), json.loads(other.read_text())
    if how == "denied":
        one |= {"kind": "absent", "leaves": two["leaves"]}
    elif how == "claimed":
        one |= {"key": two["key"]}
    elif how == "one neighbour":
        one = two | {"leaves": two["leaves"][:1]}
    elif how == "a moved leaf":
        one["leaves"][0]["index"] ^= 1
    elif how == "another hash":
        one["leaves"][0]["hashes"][3] = one["leaves"][0]["hashes"][2]
    path = court.work / "forged.json"
    path.write_text(json.dumps(one, sort_keys=True, separators=(",", ":")))
    return path


@pytest.mark.parametrize("how", ["denied", "claimed", "one neighbour", "a moved leaf", "another hash"])
def test_a_forged_proof_is_refused(asked: tuple[Studio, Path, Path], kept: Path, how: str) -> None:
    court, mine, other = asked
    result = court("inventory", "check", forged(court, mine, other, how), *commitment(kept))
    assert (result.code, result.out) == (1, "")
    assert result.error in {"inventory.unproven", "proof.mismatch"}


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", b"[" * 70_000, b"a receipt"])
def test_what_is_no_proof_is_malformed(tmp_path: Path, data: bytes) -> None:
    court = stranger(tmp_path / "court")
    (court.work / "proof.json").write_bytes(data)
    result = court("inventory", "check", court.work / "proof.json")
    assert (result.code, result.out) == (2, "")
    assert result.error.startswith(("json.", "inventory.proof"))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("prove", "INDEX", "."), "file.not-a-file"),
        (("prove", "INDEX", "nothing.png"), "file.missing"),
        (("prove", "INDEX", "EMPTY"), "file.empty"),
        (("prove", "LIST", "LIST"), "inventory.malformed"),
        (("prove", ".", "LIST"), "file.not-a-file"),
        (("sample", "LIST"), "inventory.malformed"),
        (("audit", "LIST"), "inventory.malformed"),
        (("check", "nothing.json"), "file.missing"),
    ],
)
def test_bad_input(kept: Path, tmp_path: Path, arguments: tuple[str, ...], code: str) -> None:
    court = stranger(tmp_path / "court")
    (court.work / "empty").touch()
    names = {
        "INDEX": kept / "plates.inventory",
        "LIST": kept / "plates.csv",
        "EMPTY": court.work / "empty",
        ".": kept,
    }
    court.fails(code, "inventory", *(names.get(item, item) for item in arguments))


def test_a_truncated_and_a_damaged_index(kept: Path, tmp_path: Path) -> None:
    court = stranger(tmp_path / "court")
    whole = (kept / "plates.inventory").read_bytes()
    cut, damaged = court.work / "cut", court.work / "damaged"
    cut.write_bytes(whole[:-1])
    # Everything behind the header but the records' beginning: leaves and hashes.
    damaged.write_bytes(whole[:-70_000] + bytes(byte ^ 1 for byte in whole[-70_000:]))
    court.fails("inventory.malformed", "inventory", "prove", cut, "0" * 64)
    for arguments in (("prove", damaged, key(7).hex()), ("audit", damaged), ("sample", damaged)):
        court.fails("inventory.damaged", "inventory", *arguments, exit_code=1)


@pytest.mark.parametrize(
    "options", [("--size", "5"), ("--root", "0" * 64), ("--size", "0", "--root", "0" * 64), ("--size", "x")]
)
def test_half_a_commitment_is_a_usage_error(
    asked: tuple[Studio, Path, Path], options: tuple[str, ...]
) -> None:
    court, mine, _ = asked
    result: Result = court("inventory", "check", mine, *options)
    assert (result.code, result.out) == (2, "")


# --- sample and audit --------------------------------------------------------------------------------------


def test_a_sample_is_the_same_for_everybody(kept: Path, tmp_path: Path) -> None:
    one, two = stranger(tmp_path / "one"), stranger(tmp_path / "two")
    first = one.ok("inventory", "sample", kept / "plates.inventory", "--count", "5", "--json").json
    assert (
        two.ok("inventory", "sample", kept / "plates.inventory", "--count", "9", "--json").json[:5] == first
    )
    lines = one.ok("inventory", "sample", kept / "plates.inventory", "--count", "5000").out.splitlines()
    assert len(set(lines)) == COUNT
    assert lines[0].split()[1] == first[0]["sha256"]
    assert first[0]["record"]["work"] in lines[0]


def test_an_audit_checks_all_of_it_and_the_curation_record(kept: Path, tmp_path: Path) -> None:
    court = stranger(tmp_path / "court")
    index = kept / "plates.inventory"
    assert court.ok("inventory", "audit", index).out.startswith("All 1,200 works are in order")
    excluded = court.work / "excluded.txt"
    excluded.write_text(f"{'0' * 64}\n")
    record = {
        "candidates": COUNT + 1,
        "filters": [{"name": "opt-out", "version": "3", "removed": 1}],
        "kept": COUNT,
        "sampled": 10,
        "sampledRejected": 0,
        "exclusionsSha256": sha256(excluded.read_bytes()).hexdigest(),
    }
    curation = court.work / "curation.json"
    curation.write_text(json.dumps(record, indent=2))
    options = ("--curation", curation, "--exclusions", excluded)
    assert "the maker's word" in court.ok("inventory", "audit", index, *options).out
    court.fails("inventory.exclusions", "inventory", "audit", index, "--curation", curation, exit_code=3)
    curation.write_text(json.dumps(record | {"candidates": COUNT, "kept": COUNT - 1}))
    court.fails("inventory.curation", "inventory", "audit", index, *options, exit_code=1)
    curation.write_text(json.dumps(record | {"candidates": COUNT}))
    court.fails("statement.field", "inventory", "audit", index, *options)


# --- in a studio's home ------------------------------------------------------------------------------------


def test_a_studio_whose_log_commits_to_nothing_of_the_kind_says_so(studio: Studio, kept: Path) -> None:
    out = studio.ok(
        "inventory", "prove", kept / "plates.inventory", kept / "mine.png", "--out", studio.work / "p"
    ).out
    assert "No dataset in this studio's log commits to this" in out
    result = studio("inventory", "check", studio.work / "p")
    assert (result.code, result.error) == (3, "inventory.uncommitted")
    assert parse_proof((studio.work / "p").read_bytes()).key == key(7)


def test_a_studio_finds_the_dataset_that_commits_to_it(studio: Studio, kept: Path) -> None:
    proof = studio.work / "proof.json"
    found = studio.ok(
        "inventory", "prove", kept / "plates.inventory", kept / "mine.png", "--out", proof, "--json"
    ).json
    commit(studio, found["size"], found["root"])
    out = studio.ok("inventory", "check", proof).out
    assert "Committed to by dataset “plates” version 2, entry " in out
    checked = studio.ok("inventory", "check", proof, "--json").json
    assert [item["name"] for item in checked["registered"]] == ["plates"]


def commit(studio: Studio, size: int, root: str) -> None:
    """Register a dataset that commits to this inventory, and one that commits to another."""
    from ledger.core.artifact import Artifact
    from ledger.core.predicates.dataset_v2 import DatasetV2, InventoryRoot
    from ledger.wiring import home_at, open_device, open_studio

    place = home_at(studio.home)
    with open_studio(place) as opened:
        registrar = open_device(place, "registrar")
        for version, stated in (("1", "0" * 64), ("2", root)):
            now, stated_root = opened.clock.now(), InventoryRoot(size, stated)
            dataset = DatasetV2("plates", version, size, 7, recorded=now, inventory=stated_root)
            subject = Artifact(f"plates-{version}", sha256(version.encode()).hexdigest(), "text/csv")
            opened.state(registrar.signer, (subject,), dataset)
