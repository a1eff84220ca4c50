import json
from contextlib import suppress
from pathlib import Path

import pytest

from ledger.adapters.intake.json_text import MAX_DEPTH, load_json
from ledger.adapters.intake.licences import (
    MAX_LICENCE_BYTES,
    from_url,
    licence,
    normalise,
    read_licence_text,
    reference,
)
from ledger.adapters.intake.values import MAX_FACTS, MAX_NOTES, Facts, Members, Notes, shown
from ledger.adapters.intake.yaml_text import MAX_BYTES, load_yaml
from ledger.core.digest import sha256_hex
from ledger.errors import MalformedError


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("mit", "MIT"),
        ("MIT and apache-2.0", "MIT AND Apache-2.0"),
        ("mit or (apache-2.0 and LicenseRef-kumo-12)", "MIT OR (Apache-2.0 AND LicenseRef-kumo-12)"),
        ("GPL-2.0+", "GPL-2.0-or-later"),
        ("GPL-2.0-only with Classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0"),
        ("DocumentRef-a:LicenseRef-b", "DocumentRef-a:LicenseRef-b"),
        ("LicenseRef-scancode-flux-1-nc", "LicenseRef-scancode-flux-1-nc"),
        # ScanCode's own name for a variant of MIT, and a studio's name for whatever it likes
        ("LicenseRef-MIT-Bootstrap", "LicenseRef-MIT-Bootstrap"),
    ],
)
def test_an_expression_has_one_form(written: str, normal: str) -> None:
    assert normalise(written) == normal


@pytest.mark.parametrize(
    "written",
    [
        "",
        "free for everybody",
        "MIT OR",
        "MIT MIT",
        "()",
        "(" * 3000,
        "openrail++",
        "CC-BY-4.0 WITH MIT",
        "Classpath-exception-2.0",
        "LicenseRef-",
        "MIT AND " * 200 + "MIT",
    ],
)
def test_what_is_no_expression(written: str) -> None:
    assert normalise(written) is None


@pytest.mark.parametrize(
    ("url", "expression"),
    [
        ("https://creativecommons.org/licenses/by-nc-sa/4.0/", "CC-BY-NC-SA-4.0"),
        ("https://creativecommons.org/licenses/by/3.0/legalcode.en", "CC-BY-3.0"),
        ("http://creativecommons.org/publicdomain/zero/1.0/deed.ja", "CC0-1.0"),
        ("https://spdx.org/licenses/Apache-2.0.html", "Apache-2.0"),
        ("https://opensource.org/license/mit", "MIT"),
        ("https://spdx.org.evil.example/licenses/MIT", None),
        ("https://kumo.example/licenses/MIT", None),
    ],
)
def test_an_address_is_an_expression_where_it_spells_one(url: str, expression: str | None) -> None:
    assert from_url(url) == expression


def test_several_licences_hold_together() -> None:
    notes = Notes()
    found = licence(("MIT OR Apache-2.0", "https://creativecommons.org/licenses/by/4.0/"), "it", notes)
    assert found.expression == "(MIT OR Apache-2.0) AND CC-BY-4.0"
    assert notes.lines() == ("it names 2 licences: taken as all of them together",)


def test_a_reference_is_made_of_what_a_reference_may_hold() -> None:
    assert reference("huggingface", "openrail++ (beta)") == "LicenseRef-huggingface-openrail-plus-plus-beta"


def test_the_text_of_a_licence_is_pinned_by_its_exact_bytes(tmp_path: Path) -> None:
    path = tmp_path / "LICENSE"
    path.write_bytes(b"As is.\r\n")
    assert read_licence_text(path) == sha256_hex(b"As is.\r\n")
    path.write_bytes(bytes(MAX_LICENCE_BYTES + 1))
    with pytest.raises(MalformedError, match="larger"):
        read_licence_text(path)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"a":1,"a":1}', "member 'a' twice"),
        ('{"a":NaN}', "holds NaN"),
        ("[" * 100_000, "nests deeper"),
        ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "nests deeper"),
        ("{", "is not JSON"),
        (b"\xff", "is not UTF-8"),
    ],
)
def test_json_that_two_readers_could_take_two_ways(text: bytes | str, problem: str) -> None:
    with pytest.raises(MalformedError, match=problem):
        load_json(text, "it")


def test_a_number_is_not_rounded() -> None:
    assert load_json("[0.30000000000000001, 1e999, 12345678901234567890, 7]", "it") == [
        "0.30000000000000001",
        "1e999",
        "12345678901234567890",
        7,
    ]


def test_yaml_keeps_what_was_written() -> None:
    text = "version: 1.10\nlicense: no\nempty:\nquoted: ''\nnull: ~\ndate: 2026-11-22\nlist: [1, {a: b}]\n"
    with pytest.raises(MalformedError, match="not a text"):
        load_yaml(text, "it")
    assert load_yaml(text.replace("null:", "nil:"), "it") == {
        "version": "1.10",
        "license": "no",
        "empty": None,
        "quoted": "",
        "nil": None,
        "date": "2026-11-22",
        "list": ["1", {"a": "b"}],
    }


def test_an_alias_is_a_copy() -> None:
    assert load_yaml("a: &x [1, 2]\nb: *x\n", "it") == {"a": ["1", "2"], "b": ["1", "2"]}


BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(BOMB, "more than 100,000 nodes", id="aliases of aliases"),
        pytest.param("a: &x [*x]\n", "alias of nothing", id="inside of itself"),
        pytest.param("a: 1\na: 2\n", "'a' twice, again at line 2", id="a member twice"),
        pytest.param("a: !!python/object/apply:os.system [ls]\n", "has the tag", id="an object of a program"),
        pytest.param("a: !!binary aGk=\n", "has the tag", id="binary"),
        pytest.param("a: 1\n---\nb: 2\n", "more than one YAML document", id="two documents"),
        pytest.param("[" * 65 + "]" * 65, "nests deeper", id="deep"),
        pytest.param("a: [", "is not YAML at line", id="no end"),
        pytest.param("x" * (MAX_BYTES + 1), "is larger than", id="large"),
    ],
)
def test_yaml_that_would_do_more_than_say_something(text: str, problem: str) -> None:
    with pytest.raises(MalformedError, match=problem):
        load_yaml(text, "it")


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "start", ["[", "{a: ", "- ", "? ", "&a ", "!!str ", "*a ", "'", "a: ", "[a,", "{a,", "#"]
)
def test_yaml_takes_little_time_for_what_it_refuses(start: str) -> None:
    with suppress(MalformedError):
        load_yaml(start * (MAX_BYTES // len(start)), "it")


def test_notes_and_facts_are_bounded() -> None:
    notes, facts = Notes(), Facts()
    for number in range(MAX_NOTES + 5):
        notes.add(f"note {number}")
        facts.put(f"fact {number}", number)
    assert len(facts) == MAX_FACTS
    assert notes.lines()[-1] == "5 more notes were left out"
    assert len(notes.lines()) == MAX_NOTES + 1


def test_what_is_shown_is_one_printable_line() -> None:
    assert shown("a\u202e\nb\x1b[31m") == "a b [31m"
    assert len(shown("x" * 10**6)) == 1024


@pytest.mark.parametrize("value", [True, "7.5", -1, [7], {}, 10**15])
def test_what_is_no_number_is_noted(value: object) -> None:
    members = Members({"works": value}, "it", Notes())
    assert members.count("works") is None
    assert members.notes.lines() == ("it.works is not a number",)


@pytest.mark.parametrize("spelled", ["sha256:%s", "SHA-256=%s", "0x%s", "%s"])
def test_a_digest_may_be_spelled_in_ways(spelled: str) -> None:
    members = Members(json.loads(json.dumps({"d": spelled % ("AB" * 32)})), "it", Notes())
    assert members.sha256("d") == "ab" * 32
