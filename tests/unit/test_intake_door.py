import json
from pathlib import Path
from typing import Any

import pytest

from ledger.adapters import intake
from ledger.adapters.intake import FORMATS, read_declared
from ledger.core.digest import sha256_hex
from ledger.errors import MalformedError, UsageError
from tests.support import intake as made


def document(value: Any) -> bytes:
    return json.dumps(value).encode()


EXAMPLES = {
    "safetensors": made.safetensors({}),
    "model-card": b"\xef\xbb\xbf---\r\nlicense: mit\r\n---\r\n",
    "mergekit": b"---\nmerge_method: slerp\nmodels: [{model: a}]\n",
    "cyclonedx": document(made.cyclonedx()),
    "spdx": b" \n" + document({"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": []}),
    "croissant": document(made.croissant()),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_content_tells_the_format_and_the_name_does_not(tmp_path: Path, name: str) -> None:
    path = tmp_path / "kumo.bin"
    path.write_bytes(EXAMPLES[name])
    assert read_declared(path).format == name
    assert read_declared(path, hint=name).format == name


@pytest.mark.parametrize("name", sorted(EXAMPLES.keys() - {"safetensors"}))
def test_the_digest_is_of_the_whole_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(EXAMPLES[name])
    assert read_declared(path).source_sha256 == sha256_hex(EXAMPLES[name])


@pytest.mark.parametrize(("name", "hint"), [(n, hint) for n in EXAMPLES for hint in FORMATS if hint != n])
def test_a_wrong_hint_is_refused(tmp_path: Path, name: str, hint: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(EXAMPLES[name])
    with pytest.raises(MalformedError) as caught:
        read_declared(path, hint=hint)
    assert caught.value.code == "intake.malformed"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"# A model\n\nlicense: mit\n",
        b'{"spdxVersion": "SPDX-2.3"}',
        b'{"conformsTo": "http://mlcommons.org/croissant"}',
        b"a: b\n",
        b"a: [\n",
    ],
)
def test_what_begins_like_nothing_of_ours(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(MalformedError) as caught:
        read_declared(path)
    assert caught.value.code == "intake.unknown-format"


def test_a_hint_that_names_no_format(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_declared(tmp_path / "file", hint="pickle")
    assert caught.value.code == "intake.unknown-format"


def test_a_text_beyond_the_limit_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MAX_DOCUMENT", 10)
    path = tmp_path / "file"
    path.write_bytes(b"---\nlicense: mit\n---\n")
    with pytest.raises(MalformedError, match="larger than 10 bytes"):
        read_declared(path)
