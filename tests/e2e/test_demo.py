"""`rakkan demo` as a stranger runs it: one process, and then only what it left on disk and printed."""

import csv
import hashlib
import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ledger.core.checkpoint import open_checkpoint
from ledger.core.note import parse_vkey
from ledger.core.trust import parse_trust
from ledger.demo import forgery
from ledger.demo.run import make_room
from ledger.errors import RefusedError
from tests.support.demo import Demo, rakkan, run_once

pytestmark = [pytest.mark.slow, pytest.mark.sample]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return run_once(tmp_path_factory.getbasetemp())


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def verified(path: Path, trust: Path, *more: str, home: Path | None = None) -> tuple[int, dict[str, Any]]:
    done = rakkan("verify", str(path), "--trust", str(trust), "--json", *more, home=home)
    return done.returncode, json.loads(done.stdout)


def test_it_leaves_the_tree_that_the_documentation_names(demo: Demo) -> None:
    names = {path.name for path in demo.folder.iterdir()}
    assert names == {
        *("attacked", "story.json", "clearance.json", "files", "home", "index.html", "log", "materials"),
        *("moonrise.otio", "proofs", "report", "report-for-everybody", "report-for-the-distributor"),
        "trust.json",
    }
    suffixes = {path.suffix for path in (demo.folder / "files").iterdir()}
    film = {".mp4"} if shutil.which("ffmpeg") else set()
    assert suffixes == {".png", ".jpg", ".tif", ".exr", ".c2pa"} | film
    assert (demo.folder / "trust.json").read_bytes() == (demo.folder / "home" / "trust.json").read_bytes()


def test_it_ends_with_the_audit_report_of_its_cut(demo: Demo) -> None:
    whole, shown = (
        json.loads((demo.folder / name / "report.json").read_text(encoding="utf-8"))
        for name in ("report", "report-for-the-distributor")
    )
    assert whole["verdict"]["now"] == shown["verdict"]["now"] == "blocked"
    assert whole["worst"] == ["2"]
    assert {figure["key"]: figure["value"] for figure in whole["figures"]}["cleared"] == 12
    assert (whole["view"], shown["view"], whole["withheld"]) == ("studio", "distributor", {})
    assert shown["withheld"]["terms"] > 0
    for name in whole["pictures"].values():
        with Image.open(demo.folder / "report" / name) as image:
            assert image.size == (320, 180)
    names = {path.name for path in (demo.folder / "report").iterdir()}
    assert {"report.html", "report.pdf", "report.xlsx", "report.otio", "bundle.zip", "verify.pyz"} <= names


def test_where_nobody_looks_it_prints_plain_lines(demo: Demo) -> None:
    assert demo.err == ""
    assert "\x1b" not in demo.out
    assert "\r" not in demo.out
    for file in demo.story["files"]:
        assert f"{Path(file['path']).name}: proven" in demo.out


def test_a_stranger_proves_every_kind_of_file_from_the_file_alone(demo: Demo, tmp_path: Path) -> None:
    shutil.copy(demo.folder / "trust.json", tmp_path)
    seen = set()
    for file in demo.story["files"]:
        source = demo.folder / file["path"]
        kind = (source.name.split(".")[1], source.suffix)
        if kind in seen:
            continue
        seen.add(kind)
        shutil.copy(source, tmp_path)
        if file["sidecar"]:
            shutil.copy(demo.folder / file["sidecar"], tmp_path)
        code, report = verified(tmp_path / source.name, tmp_path / "trust.json", "--offline")
        assert (code, report["outcome"]) == (0, "proven"), report
    assert len(seen) >= 6


def test_every_audited_file_is_proven_and_is_what_lies_on_disk(demo: Demo) -> None:
    files = demo.story["files"]
    on_disk = {path for path in (demo.folder / "files").iterdir() if path.suffix != ".c2pa"}
    assert {demo.folder / file["path"] for file in files} == on_disk
    for file in files:
        path = demo.folder / file["path"]
        assert file["report"]["sha256"] == sha256(path)
        assert file["sizeBytes"] == path.stat().st_size
        assert file["report"]["outcome"] == "proven"
        assert all(check["status"] == "passed" for check in file["report"]["checks"])


ANSWERS = {
    "flipped-pixel": (1, "bytes", "failed"),
    "swapped-receipt": (1, "claim", "failed"),
    "stripped-manifest": (3, "claim", "undecided"),
    "unknown-signer": (3, "signer", "undecided"),
    "unlicensed-model": (3, "grants", "undecided"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_attacker_gets(name: str, demo: Demo, tmp_path: Path) -> None:
    code, check, status = ANSWERS[name]
    path = demo.folder / "attacked" / f"{name}.png"
    found, report = verified(path, demo.folder / "trust.json", "--offline", home=tmp_path)
    statuses = {item["check"]: item["status"] for item in report["checks"]}
    assert (found, statuses[check]) == (code, status)
    if code == 3:
        assert "failed" not in statuses.values()
    if name == "unlicensed-model":
        assert {item for item, value in statuses.items() if value != "passed"} == {"grants"}


def test_a_stripped_frame_is_found_by_its_picture(demo: Demo) -> None:
    path = demo.folder / "attacked" / "stripped-manifest.png"
    code, report = verified(path, demo.folder / "trust.json", home=demo.folder / "home")
    ledger = next(check for check in report["checks"] if check["check"] == "ledger")
    assert (code, ledger["codes"]) == (3, ["ledger.pixels"])
    assert "sh020.final.1006.png" in ledger["words"]


def test_the_audit_holds_every_attack_with_its_answer(demo: Demo) -> None:
    trials = {trial["name"]: trial for trial in demo.story["trials"]}
    assert set(trials) == {*ANSWERS, "stripped-manifest-online"}
    assert all(trial["asExpected"] for trial in trials.values())
    for trial in trials.values():
        assert trial["report"]["sha256"] == sha256(demo.folder / trial["path"])


def test_a_flipped_pixel_is_one_bit_of_one_pixel(demo: Demo) -> None:
    with Image.open(demo.folder / "files" / "sh020.final.1006.png") as first:
        before = first.convert("RGB").tobytes()
    with Image.open(demo.folder / "attacked" / "flipped-pixel.png") as second:
        after = second.convert("RGB").tobytes()
    assert [a ^ b for a, b in zip(before, after, strict=True) if a != b] == [1]


def test_the_published_log_ends_where_the_audit_says(demo: Demo) -> None:
    log = demo.story["log"]
    published = (demo.folder / "log" / "checkpoint").read_bytes()
    assert published.decode() == log["checkpoint"]
    trust = parse_trust((demo.folder / "trust.json").read_bytes())
    checkpoint = open_checkpoint(published, [parse_vkey(vkey) for vkey in trust.logs])
    assert (checkpoint.size, checkpoint.root.hex()) == (log["size"], log["root"])
    assert trust.logs == (log["verifier"],)
    assert (demo.folder / "log" / "tile" / "entries").is_dir()


def test_the_registry_shows_the_rights_holders_and_what_nobody_licensed(demo: Demo) -> None:
    things = {thing["name"]: thing for thing in demo.story["things"]}
    inventory = demo.folder / "materials" / "night-landscapes.csv"
    with inventory.open(encoding="utf-8", newline="") as handle:
        holders = [row["rights_holder"] for row in csv.DictReader(handle)]
    assert things["night-landscapes"]["sha256"] == sha256(inventory)
    assert things["night-landscapes"]["holders"] == {name: holders.count(name) for name in holders}
    assert things["moonlit-brush"]["training"][0]["sha256"] == things["night-landscapes"]["sha256"]
    assert things["dreamweft-xl"]["training"] == []
    licence, own = demo.story["grants"]
    assert licence["covers"] == [things["night-landscapes"]["sha256"]]
    assert (list(licence["shown"]), licence["hidden"]) == (["licensor"], 1)
    assert own["covers"] == [things["moonlit-brush"]["sha256"]]


def test_the_lineage_leads_from_the_cut_to_the_works(demo: Demo) -> None:
    parents: dict[str, set[str]] = {}
    for link in demo.story["links"]:
        parents.setdefault(link["child"], set()).add(link["parent"])
    names = {node["sha256"]: node["name"] for node in demo.story["nodes"]}
    hero = next(file for file in demo.story["files"] if file["path"].endswith("final.1006.png"))
    reached, queue = set(), [hero["node"]]
    while queue:
        reached.add(child := queue.pop())
        queue += parents.get(child, set()) - reached
    assert {names[sha256] for sha256 in reached} == {
        *("night-landscapes", "moonlit-brush", "sh020.bg.1006.png", "sh020.grade.1006.tif"),
        *("sh020.figure.0003.png", "sh020.light.exr", "sh020.final.1006.png"),
    }


def test_the_prompt_and_the_contract_stay_out_of_everything_that_is_handed_out(demo: Demo) -> None:
    secrets = b"night over folded hills", b"permit Studio Yoimachi to train"
    studios_own = ("home", "materials")
    handed_out = [
        path
        for path in demo.folder.rglob("*")
        if path.is_file() and path.relative_to(demo.folder).parts[0] not in studios_own
    ]
    assert [path for path in handed_out for secret in secrets if secret in path.read_bytes()] == []


def test_what_it_says_to_try_next_works_on_a_file_of_ones_own(demo: Demo, tmp_path: Path) -> None:
    Image.radial_gradient("L").save(tmp_path / "my-picture.png")
    before = sha256(tmp_path / "my-picture.png")
    lines = [line.strip() for line in demo.out.splitlines() if line.startswith("  ")]
    own = [line for line in lines if "my-picture.png" in line]
    home = next(line for line in lines if line.startswith("export "))
    assert len(own) == 3
    for line in own:
        program, *arguments = re.sub(r"^python3 -m ledger", "RAKKAN", line).split(" ", 1)
        assert program == "RAKKAN"
        words = shlex.split(arguments[0])
        done = rakkan(*words, cwd=tmp_path, home=Path(shlex.split(home)[1].removeprefix("RAKKAN_HOME=")))
        assert done.returncode == 0, done.stdout + done.stderr
    assert sha256(tmp_path / "my-picture.png") == before


def test_the_commands_about_its_own_files_answer_what_they_should(demo: Demo) -> None:
    lines = demo.out.split("And the demo's own:")[1].strip().splitlines()
    codes = [rakkan(*shlex.split(line)[3:], home=demo.folder / "home").returncode for line in lines]
    assert codes == [0, 1, 0, 0, 4, 0]


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    for option in ([], ["--force"]):
        done = rakkan("demo", "--out", str(tmp_path), *option)
        assert done.returncode == 2
        assert "[target.exists]" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_older_demo_is_moved_aside_never_deleted(demo: Demo, tmp_path: Path) -> None:
    root = tmp_path / "out"
    (root / "home").mkdir(parents=True)
    shutil.copy(demo.folder / "home" / "studio.json", root / "home")
    (root / "mine.txt").write_text("mine")
    with pytest.raises(RefusedError, match="--force"):
        make_room(root, force=False)
    make_room(root, force=True)
    assert list(root.iterdir()) == []
    assert (tmp_path / "out.old-1" / "mine.txt").read_text() == "mine"


@pytest.fixture
def sealed_pair(demo: Demo) -> tuple[bytes, bytes]:
    files = demo.folder / "files"
    return (files / "sh020.final.1006.png").read_bytes(), (files / "sh020.final.1007.png").read_bytes()


def test_the_swapped_store_is_whole_and_differs_only_in_the_receipt(sealed_pair: tuple[bytes, bytes]) -> None:
    store, other = (forgery.manifest(data) for data in sealed_pair)
    swapped = forgery.swap_receipt(store, other)
    assert int.from_bytes(swapped[:4], "big") == len(swapped)
    assert forgery.swap_receipt(store, store) == store
    assert swapped not in (store, other)
