from pathlib import Path
from typing import Any

import pytest

from ledger.adapters.intake import read_declared
from ledger.core.digest import sha256_hex
from ledger.core.predicates.model_v2 import ModelKind, ParentRole
from ledger.core.rights.declared import Declared, DeclaredLicence
from ledger.errors import MalformedError


def card(folder: Path, block: str, prose: str = "# A model\nlicense: none of your business\n") -> Declared:
    home = folder / "kumo-style"
    home.mkdir(exist_ok=True)
    (home / "README.md").write_text(f"---\n{block}\n---\n{prose}", encoding="utf-8")
    return read_declared(home / "README.md")


def licence_of(folder: Path, block: str) -> DeclaredLicence | None:
    return card(folder, block).models[0].licence


def test_a_card_names_what_it_was_made_from(tmp_path: Path) -> None:
    declared = card(
        tmp_path,
        "license: apache-2.0\nbase_model: studio/base\nbase_model_relation: adapter\n"
        "datasets: [studio/frames, studio/sketches]\ntags: [lora]\n",
    )
    model = declared.models[0]
    assert (model.name, model.kind) == ("kumo-style", ModelKind.LORA)
    assert [(parent.name, parent.role) for parent in model.parents] == [
        ("studio/base", ParentRole.ADAPTER_BASE)
    ]
    assert [item.dataset for item in model.training] == ["studio/frames", "studio/sketches"]
    assert model.licence == DeclaredLicence("Apache-2.0")
    assert model.facts["tags"] == "lora"


@pytest.mark.parametrize(
    ("relation", "role", "kind"),
    [
        ("finetune", ParentRole.BASE, ModelKind.FINE_TUNE),
        ("merge", ParentRole.MERGED, ModelKind.MERGE),
        ("quantized", ParentRole.BASE, None),
        ("cousin", ParentRole.BASE, None),
    ],
)
def test_the_relation_gives_the_role(
    tmp_path: Path, relation: str, role: ParentRole, kind: ModelKind | None
) -> None:
    declared = card(tmp_path, f"base_model: b\nbase_model_relation: {relation}")
    assert (declared.models[0].parents[0].role, declared.models[0].kind) == (role, kind)
    assert any("cannot be 'cousin'" in note for note in declared.notes) is (relation == "cousin")


def test_several_bases_without_a_relation_are_a_merge_and_a_note(tmp_path: Path) -> None:
    declared = card(tmp_path, "base_model: [a, b]")
    assert declared.models[0].kind is ModelKind.MERGE
    assert any("taken as merged" in note for note in declared.notes)


def test_the_prose_is_never_read(tmp_path: Path) -> None:
    assert card(tmp_path, "tags: [x]").models[0].licence is None


@pytest.mark.parametrize(
    ("block", "expression"),
    [
        ("license: MIT", "MIT"),
        ("license: [mit, cc-by-4.0]", "MIT AND CC-BY-4.0"),
        ("license: creativeml-openrail-m", "LicenseRef-huggingface-creativeml-openrail-m"),
        ("license: other\nlicense_name: flux 1 dev", "LicenseRef-flux-1-dev"),
        ("license: other", None),
        ("license: unknown", None),
    ],
)
def test_the_hubs_identifiers(tmp_path: Path, block: str, expression: str | None) -> None:
    assert licence_of(tmp_path, block) == DeclaredLicence(expression)


def test_a_licence_beside_the_card_is_pinned(tmp_path: Path) -> None:
    (tmp_path / "kumo-style").mkdir()
    (tmp_path / "kumo-style" / "LICENSE.md").write_bytes(b"As is.\r\n")
    found = licence_of(tmp_path, "license: other\nlicense_name: kumo\nlicense_link: LICENSE.md")
    assert found == DeclaredLicence("LicenseRef-kumo", sha256_hex(b"As is.\r\n"))


def test_a_licence_elsewhere_is_an_address(tmp_path: Path) -> None:
    found = licence_of(tmp_path, "license: other\nlicense_name: kumo\nlicense_link: https://kumo.example/l")
    assert found == DeclaredLicence("LicenseRef-kumo", None, "https://kumo.example/l")


@pytest.mark.parametrize("link", ["../LICENSE", "/etc/passwd", "LICENSE", "link"])
def test_a_card_reads_no_file_outside_its_folder(tmp_path: Path, link: str) -> None:
    (tmp_path / "LICENSE").write_bytes(b"secret")
    (tmp_path / "kumo-style").mkdir()
    (tmp_path / "kumo-style" / "link").symlink_to(tmp_path / "LICENSE")
    declared = card(tmp_path, f"license: mit\nlicense_link: {link}")
    assert declared.models[0].licence == DeclaredLicence("MIT")
    assert any("is no file beside the card" in note for note in declared.notes)


def test_a_name_in_the_card_counts_before_the_folders(tmp_path: Path) -> None:
    declared = card(tmp_path, "model-index: [{name: Kumo Style, results: []}]")
    assert (declared.models[0].name, declared.notes) == ("Kumo Style", ())


def test_a_dataset_has_a_card_too(tmp_path: Path) -> None:
    declared = card(tmp_path, "pretty_name: Kumo frames\nlicense: cc-by-4.0\nsize_categories: [1K<n<10K]")
    assert declared.models == ()
    dataset = declared.datasets[0]
    assert (dataset.name, dataset.licence) == ("Kumo frames", DeclaredLicence("CC-BY-4.0"))
    assert dataset.composition["size_categories"] == "1K<n<10K"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"---\n- a\n---\n", "is not a mapping"),
        (b"---\na: 1\na: 2\n---\n", "'a' twice"),
        (b"---\na: \xff\n---\n", "is not UTF-8 at byte 7"),
        (b"# no block\n", "does not begin with a block"),
    ],
)
def test_a_broken_card_is_refused(tmp_path: Path, data: bytes, problem: str) -> None:
    (tmp_path / "README.md").write_bytes(data)
    with pytest.raises(MalformedError, match=problem) as caught:
        read_declared(tmp_path / "README.md", hint="model-card")
    assert caught.value.code == "intake.malformed"


@pytest.mark.parametrize(
    ("value", "note"),
    [
        ("{a: 1}", "base_model is not a text"),
        ('["a\\u202Eb"]', "base_model is not 1 to 1024 printable characters"),
    ],
)
def test_a_bad_value_in_a_card_is_a_note(tmp_path: Path, value: Any, note: str) -> None:
    assert note in card(tmp_path, f"base_model: {value}").notes
