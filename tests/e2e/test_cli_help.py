"""Help, colours, JSON and speed of start: what every command has in common."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import click
import pytest

from tests.e2e.conftest import ROOT, Studio

GENERATOR = ROOT / "docs" / "reference" / "generate_cli.py"
HEAVY = {
    "sqlalchemy",
    "alembic",
    "fastapi",
    "c2pa",
    "PIL",
    "OpenEXR",
    "numpy",
    "cryptography",
    "rich",
}


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_cli", GENERATOR)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATE = _generator()
COMMANDS: dict[str, tuple[click.Command, click.Context]] = {
    name: (command, context) for name, command, context in GENERATE.commands(GENERATE.rakkan, "rakkan")
}
LEAVES = [name for name, (command, _) in COMMANDS.items() if not isinstance(command, click.Group)]


def test_the_reference_page_is_what_the_commands_say() -> None:
    page = (GENERATOR.parent / "cli.md").read_text(encoding="utf-8")
    assert page == GENERATE.page(), "run python docs/reference/generate_cli.py"


@pytest.mark.parametrize("name", LEAVES)
def test_every_command_says_what_it_does_with_an_example(name: str) -> None:
    command, context = COMMANDS[name]
    text = command.get_help(context)
    if name != "rakkan demo":  # it is an example
        assert re.search(rf"Examples?:\n(.*\n)*?.*{re.escape(name)}", text), text
    assert command.help
    assert command.help[0].isupper()


@pytest.mark.parametrize("name", LEAVES)
def test_every_option_is_explained(name: str) -> None:
    command, _ = COMMANDS[name]
    bare = [
        option.opts[0] for option in command.params if isinstance(option, click.Option) and not option.help
    ]
    assert bare == []


def test_the_examples_name_real_options() -> None:
    for name in LEAVES:
        command, _ = COMMANDS[name]
        said = re.findall(rf"{re.escape(name)}(?: [^\n]*)?", command.epilog or "")
        known = {text for option in command.params for text in option.opts}
        for line in said:
            assert set(re.findall(r"(?<= )--[\w-]+", line)) <= known, line


PROBE = """
import sys
import ledger.cli
try:
    ledger.cli.main(sys.argv[1:])
except SystemExit as end:
    print(end.code, sorted({name.split(".")[0] for name in sys.modules}), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "arguments", [["--help"], ["-h"], ["--version"], ["verify", "--help"], ["seal", "-h"]], ids=" ".join
)
def test_help_loads_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "HOME": str(tmp_path)},
    )
    code, _, loaded = ran.stderr.partition(" ")
    assert code == "0", ran.stderr
    assert not HEAVY & set(json.loads(loaded.replace("'", '"')))
    assert list(tmp_path.iterdir()) == []


def test_every_command_is_listed_on_the_first_page(studio: Studio) -> None:
    text = studio.ok("--help").out
    for name in LEAVES:
        assert re.search(rf"^  {name.split()[1]} ", text, re.MULTILINE), name


@pytest.mark.parametrize(
    "arguments",
    [
        ("verfy",),
        ("verify",),
        ("verify", "a", "b"),
        ("seal", "--ot", "x"),
        ("grant", "add"),
        ("record", "x", "--action", "paint"),
    ],
)
def test_a_wrong_call_says_how_it_is_called(studio: Studio, arguments: tuple[str, ...]) -> None:
    result = studio(*arguments)
    assert (result.code, result.out) == (2, "")
    assert "Usage: rakkan" in result.err
    assert "Error: " in result.err


# --- what goes where ---------------------------------------------------------------------------------------

ANSWERS = [
    ("verify", "{}"),
    ("verify", "{}", "--json"),
    ("show", "0"),
    ("publish",),
    ("rebuild",),
    ("export", "0", "--out", "{}.out"),
]


@pytest.mark.parametrize("arguments", ANSWERS, ids=" ".join)
def test_answers_go_to_standard_output_in_plain_text(studio: Studio, arguments: tuple[str, ...]) -> None:
    path = studio.sealed()
    result = studio.ok(*(item.replace("{}", str(path)) for item in arguments))
    assert result.out.endswith("\n")
    assert result.err == ""
    assert "\x1b" not in result.out


def test_errors_go_to_standard_error_with_what_to_do(studio: Studio) -> None:
    result = studio("seal", studio.png())
    assert (result.code, result.out) == (2, "")
    first, second, rest = result.err.split("\n")
    assert re.fullmatch(r"error: The log has no record of .*frame\.png\. \[seal\.not-recorded\]", first)
    assert second.startswith("what to do: Run rakkan record")
    assert rest == ""


def test_json_errors_are_json(studio: Studio) -> None:
    result = studio("seal", studio.png(), "--json")
    assert (result.code, result.out) == (2, "")
    error = json.loads(result.err)["error"]
    assert set(error) == {"code", "message", "hint", "evidence"}
    assert error["code"] == "seal.not-recorded"


def _terminal(studio: Studio, *arguments: object, **environment: str) -> str:
    """What a person sees: the command with a pseudo-terminal."""
    import os
    import pty

    leader, follower = pty.openpty()
    try:
        ran = studio.process(*arguments, stdout=follower, **environment)
        assert ran.returncode == 0, ran.stderr
        return os.read(leader, 1 << 16).decode()
    finally:
        os.close(leader)
        os.close(follower)


def test_a_terminal_gets_colours_unless_it_does_not_want_them(studio: Studio) -> None:
    path = studio.sealed()
    assert "\x1b[32m" in _terminal(studio, "verify", path, TERM="xterm")
    assert "\x1b" not in _terminal(studio, "verify", path, TERM="xterm", NO_COLOR="1")


def test_an_output_that_cannot_carry_our_marks(studio: Studio) -> None:
    """A render node often has no UTF-8 locale."""
    path = studio.sealed()
    ran = studio.process("verify", path, LC_ALL="C", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert ran.returncode == 0, ran.stderr
    assert "Traceback" not in ran.stderr


# --- the shapes of JSON ------------------------------------------------------------------------------------


def test_the_shape_of_a_report(production: Studio) -> None:
    path = production.sealed("a.png", "--action", "generate", "--model", "sky", "--tool", "painter 1.0")
    report = production.ok("verify", path, "--json").json
    assert list(report) == (
        ["spec", "file", "sha256", "outcome", "verdict", "signer", "log", "checks", "named", "steps", "facts"]
    )
    assert {tuple(check) for check in report["checks"]} == {("check", "title", "status", "words", "codes")}
    assert [check["check"] for check in report["checks"]] == (
        [
            "bytes",
            "claim",
            "signer",
            "time",
            "ancestry",
            "log",
            "statement",
            "subject",
            "history",
            "materials",
            "grants",
            "ledger",
        ]
    )
    assert {"kind", "name", "sha256", "index", "stages", "grants"} <= set(report["named"][0])
    assert set(report["named"][0]["grants"][0]) == {"grantId", "uses", "index", "inTerm"}
    assert set(report["steps"][0]) == {"index", "action", "tool", "device", "finished", "evidence"}


def test_the_shape_of_a_record(studio: Studio) -> None:
    answer = studio.ok("record", studio.png(), "--action", "render", "--json").json
    assert set(answer) == {"index", "subjects"}
    assert answer["index"] == 2
    assert set(answer["subjects"][0]) == {"name", "digest", "mediaType", "annotations"}
