"""The first command a stranger runs works, heals itself, and says what to do where it cannot work."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ledger import _bootstrap
from tests.architecture.project import ROOT

BASE_PYTHON = getattr(sys, "_base_executable", sys.executable)
CLI = "import sys\ndef main():\n    print(sys.prefix, *sys.argv[1:])\n    return 7\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout in small: our bootstrap, a command that prints its arguments, and empty locks."""
    root = tmp_path / "check out"
    (root / "ledger").mkdir(parents=True)
    for name in ("__init__.py", "__main__.py", "_bootstrap.py", "_start.py"):
        shutil.copy(ROOT / "ledger" / name, root / "ledger" / name)
    (root / "ledger" / "cli.py").write_text(CLI)
    (root / "locks").mkdir()
    for lock in ("run.txt", "test.txt", "judges.txt"):
        (root / "locks" / lock).write_text("")
    (root / "pyproject.toml").write_text(
        '[project]\ndependencies = []\n[dependency-groups]\ntest = []\nlint = ["no-such-package>=1"]\n'
    )
    return root


def start(checkout: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [BASE_PYTHON, "-m", "ledger", *arguments],
        cwd=checkout,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def environment(checkout: Path, kind: str = "run") -> _bootstrap._Environment:
    return _bootstrap._Environment(str(checkout), kind)


@pytest.mark.slow
@pytest.mark.sample
def test_first_second_and_interrupted_run(checkout: Path, tmp_path: Path) -> None:
    shadow = tmp_path / "shadow" / "ledger"
    shadow.mkdir(parents=True)
    (shadow / "__init__.py").write_text("raise SystemExit('the wrong ledger')")
    answer = f"{checkout}/.venv frame 1\n"

    first, beside_it = start(checkout, "frame", "1"), start(checkout, "frame", "1")
    progress = ""
    for process in (first, beside_it):
        out, err = process.communicate()
        assert (out, process.returncode) == (answer, 7), err
        progress += err
    assert progress.count("creating the environment") == 1

    again = start(checkout, "frame", "1", PYTHONPATH=str(shadow.parent))
    assert again.communicate() == (answer, "")

    # What an interruption leaves: the word in the stamp, and an environment that cannot be trusted.
    (checkout / ".venv" / _bootstrap.STAMP).write_text(f"building yes\nroot {checkout}\n")
    (checkout / ".venv" / "bin" / "python").unlink()
    healed = start(checkout, "frame", "1")
    out, err = healed.communicate()
    assert out == answer, err
    launcher = subprocess.run(
        [checkout / ".venv" / "bin" / "rakkan", "a b"], capture_output=True, check=False
    )
    assert launcher.stdout.decode() == f"{checkout}/.venv a b\n"


def test_nothing_happens_when_installed_from_a_wheel(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (checkout / "pyproject.toml").unlink()
    monkeypatch.setattr(_bootstrap, "__file__", str(checkout / "ledger" / "_bootstrap.py"))
    monkeypatch.setattr(_bootstrap, "_relaunch", lambda env: pytest.fail("started again"))
    _bootstrap.enter("run")


def test_an_environment_of_ones_own_is_left_alone(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_bootstrap, "_in_some_venv", lambda: True)
    monkeypatch.setattr(_bootstrap, "_relaunch", lambda env: pytest.fail("started again"))
    _bootstrap._enter(environment(checkout, "run"))
    assert not (checkout / ".venv").exists()
    assert _bootstrap._missing(str(checkout), "test") == ["no-such-package"]


def test_a_venv_of_another_tool_is_never_changed(checkout: Path) -> None:
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / "pyvenv.cfg").write_text("uv = 0.13.9\n")
    env = environment(checkout, "test")
    env.entered = True
    with pytest.raises(_bootstrap.SetupError, match="made by another tool and lacks no-such-package"):
        _bootstrap._enter(env)
    assert [path.name for path in (checkout / ".venv").iterdir()] == ["pyvenv.cfg"]


def test_the_environment_of_another_checkout_is_never_emptied(checkout: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs" / ".venv"
    theirs.mkdir(parents=True)
    _bootstrap._Environment(str(theirs.parent), "run").write_stamp({"root": str(theirs.parent)})
    (checkout / ".venv").symlink_to(theirs)
    with pytest.raises(_bootstrap.SetupError, match="environment of another checkout"):
        _bootstrap._build(environment(checkout))
    assert (theirs / _bootstrap.STAMP).exists()


@pytest.mark.parametrize("stale", ["root", "python", "run"])
def test_an_outdated_stamp_is_not_ready(checkout: Path, stale: str) -> None:
    env = environment(checkout)
    env.entered = True
    (checkout / ".venv" / "bin").mkdir(parents=True)
    Path(env.python).touch()
    stamp = {"root": env.root, "python": _bootstrap._python_version()}
    stamp["run"] = _bootstrap._digest(env.root, "run")
    env.write_stamp(stamp)
    assert env.ready()
    env.write_stamp({**stamp, stale: "other"})
    assert not env.ready()


def test_an_old_python_is_told_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    with pytest.raises(SystemExit) as stop:
        _bootstrap.enter("run")
    assert stop.value.code == _bootstrap.EXIT_SETUP_FAILED
    assert "Python 3.11 or later is needed; this is 3.9" in capsys.readouterr().err


def test_a_python_without_ensurepip_names_the_package_to_install(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    with pytest.raises(_bootstrap.SetupError) as stop:
        _bootstrap._build(environment(checkout))
    assert "apt install python3-venv" in stop.value.hint


def test_a_folder_that_cannot_be_written_is_named(checkout: Path) -> None:
    (checkout / ".venv.lock").mkdir()
    with pytest.raises(_bootstrap.SetupError, match=r"cannot write .*\.venv"):
        _bootstrap._build(environment(checkout))


def test_what_pip_said_last_is_shown(checkout: Path) -> None:
    script = "print(*range(100), 'no route to host', sep='\\n'); raise SystemExit(1)"
    lines: list[str] = []
    with pytest.raises(_bootstrap.SetupError, match=r"pip failed \(exit code 1\)") as stop:
        _bootstrap._stream([sys.executable, "-I", "-c", script], "pip", lines.append)
    assert "    no route to host" in str(stop.value)
    assert "    5\n" not in str(stop.value)
    assert len(lines) == 101


def test_a_venv_that_leads_elsewhere_does_not_start_for_ever(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(_bootstrap.RELAUNCHED, "1")
    monkeypatch.setattr(_bootstrap, "_in_some_venv", lambda: False)
    with pytest.raises(_bootstrap.SetupError, match="not a working environment"):
        _bootstrap._enter(environment(checkout))
