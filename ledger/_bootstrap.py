"""Start the program inside its own environment, with nothing but a stock Python and its `venv`.

`python3 -m ledger` and `python3 -m tests` call `enter` before they import anything else. The rules:

- Installed from a wheel (no project files beside the package): nothing happens.
- Inside the checkout's `.venv`, complete and up to date: nothing happens.
- Inside another virtual environment that holds every direct dependency (`uv run`, your own): the same.
- Otherwise `.venv` is built or completed from the hashed locks, and the same command starts again inside it.

The stamp file in `.venv` says which locks are installed, for which checkout and Python. It says `building`
while pip works, so what an interruption leaves behind is known for what it is and built anew.

The project itself is not pip-installed: that would download a build backend that no hash covers. A `.pth`
line and a launcher script are all that an editable install would add.

Any Python from 3.6 must be able to run this file as far as the message that it is too old, hence annotations
in quotes.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # as `typing` has it, without the time to load it
    from collections.abc import Callable

OLDEST = (3, 11)
STAMP = "rakkan-stamp"
MODULES = {"run": "ledger", "test": "tests"}
LOCKS = {"run": ("run.txt",), "test": ("test.txt", "judges.txt")}
GROUPS = {"run": (), "test": ("test", "lint")}
# aics-tlog asks for Python 3.12 and runs on 3.11; see the note in the lock.
EXTRA_OPTIONS = {"judges.txt": ("--ignore-requires-python",)}
# EX_UNAVAILABLE of sysexits.h: never the 1 that means "verification failed".
EXIT_SETUP_FAILED = 69
# Set for one start only, to notice a `.venv` whose Python does not lead into it.
RELAUNCHED = "RAKKAN_RELAUNCHED"
SUPPORTED = "Python 3.11 to 3.13 on Linux (glibc 2.28 or later; x86_64 or arm64) and macOS (Apple silicon)"


class SetupError(Exception):
    """The environment cannot be entered. `str()` says what is wrong, `hint` what to do about it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def enter(kind: str) -> None:
    """Return when this process can import what `kind` ("run" or "test") needs; else restart it in `.venv`.

    Ends the process with exit code 69 and a message on stderr when no environment can be made, and with
    130 when the user interrupts it.
    """
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    if not all(os.path.isfile(path) for path in _sources(root, kind)):
        return
    try:
        _enter(_Environment(root, kind))
    except SetupError as error:
        sys.stderr.write(f"rakkan: {error}\n  hint: {error.hint}\n")
        raise SystemExit(EXIT_SETUP_FAILED) from None
    except KeyboardInterrupt:
        sys.stderr.write("\nrakkan: set-up interrupted; the next run starts it again\n")
        raise SystemExit(130) from None


def _enter(env: "_Environment") -> None:
    relaunched = os.environ.pop(RELAUNCHED, None)
    _require_supported_python()
    if env.entered:
        if env.ready():
            return
        if env.foreign():
            _require_all(env)
            return
    elif _in_some_venv() and not _missing(env.root, env.kind):
        return
    elif relaunched:
        raise SetupError(f"{env.path} is not a working environment", f"Remove it: rm -r {env.path}")
    if not env.ready() and not env.foreign():
        _build(env)
    _relaunch(env)


def _require_supported_python() -> None:
    if sys.version_info < OLDEST:
        raise SetupError(
            "Python 3.11 or later is needed; this is {}.{} ({})".format(
                *sys.version_info[:2], sys.executable
            ),
            "Start it with a newer one, for example: python3.11 -m ledger",
        )
    if os.name != "posix":
        raise SetupError("this platform is not supported", f"Rakkan runs on {SUPPORTED}.")


def _in_some_venv() -> bool:
    return sys.prefix != sys.base_prefix


def _require_all(env: "_Environment") -> None:
    """Raise when something is missing: a `.venv` that somebody else's tool made is never changed."""
    missing = _missing(env.root, env.kind)
    if missing:
        raise SetupError(
            f"{env.path} was made by another tool and lacks {', '.join(missing)}",
            "Complete it with that tool (uv sync), or remove it and run the same command again.",
        )


def _missing(root: str, kind: str) -> "list[str]":
    """Return the direct dependencies of `kind` that this interpreter does not have."""
    import re
    import tomllib
    from importlib import metadata

    with open(os.path.join(root, "pyproject.toml"), "rb") as file:
        project = tomllib.load(file)
    wanted = list(project["project"]["dependencies"])
    for group in GROUPS[kind]:
        wanted += project["dependency-groups"][group]
    names = [re.split(r"[^\w.-]", requirement, maxsplit=1)[0] for requirement in wanted]
    return [name for name in names if not any(metadata.distributions(name=name))]


def _sources(root: str, kind: str) -> "list[str]":
    """Return the files which decide what the environment of `kind` holds."""
    return [
        os.path.join(root, "pyproject.toml"),
        *(os.path.join(root, "locks", lock) for lock in LOCKS[kind]),
    ]


def _digest(root: str, kind: str) -> str:
    import hashlib

    digest = hashlib.sha256()
    for path in _sources(root, kind):
        with open(path, "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


class _Environment:
    """The checkout's `.venv` and what its stamp says about it."""

    def __init__(self, root: str, kind: str) -> None:
        self.root = root
        self.kind = kind
        self.path = os.path.join(root, ".venv")
        self.python = os.path.join(self.path, "bin", "python")
        self.entered = os.path.realpath(sys.prefix) == os.path.realpath(self.path)

    def stamp(self) -> "dict[str, str]":
        try:
            with open(os.path.join(self.path, STAMP), encoding="utf-8") as file:
                return dict(line.rstrip("\n").split(" ", 1) for line in file if " " in line)
        except OSError:
            return {}

    def write_stamp(self, stamp: "dict[str, str]") -> None:
        path = os.path.join(self.path, STAMP)
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.writelines(f"{key} {value}\n" for key, value in stamp.items())
        os.replace(path + ".new", path)

    def foreign(self) -> bool:
        """Tell whether somebody else's tool made it. Ours has a stamp before it has a pyvenv.cfg."""
        has = [os.path.exists(os.path.join(self.path, name)) for name in ("pyvenv.cfg", STAMP)]
        return has == [True, False]

    def sound(self) -> bool:
        """Tell whether packages can be added: made for this checkout and this Python, and not half-built."""
        stamp = self.stamp()
        return (
            "building" not in stamp
            and stamp.get("root") == self.root
            and os.path.exists(self.python)
            # From outside its Python is unknown; once inside, a system upgrade shows and leads back here.
            and (not self.entered or stamp.get("python") == _python_version())
        )

    def owner(self) -> "str | None":
        """Return the other checkout whose own environment this is: `.venv` may be a link to it."""
        root = self.stamp().get("root", self.root)
        theirs = os.path.realpath(os.path.join(root, ".venv"))
        return root if root != self.root and theirs == os.path.realpath(self.path) else None

    def ready(self) -> bool:
        return self.sound() and self.stamp().get(self.kind) == _digest(self.root, self.kind)


def _python_version() -> str:
    return "{}.{}".format(*sys.version_info[:2])


def _relaunch(env: "_Environment") -> None:
    """Replace this process by the same command inside the environment.

    -I keeps the current folder and PYTHONPATH off the path, where a studio may have a `ledger` or `api` of
    its own, and leaves the variables themselves alone for the tools that we start.
    """
    os.environ[RELAUNCHED] = "1"
    options = ["-I", "-B"] if sys.flags.dont_write_bytecode else ["-I"]
    command = [env.python, *options, "-m", MODULES[env.kind], *sys.argv[1:]]
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execv(env.python, command)  # noqa: S606 - no shell is what we want
    except OSError as error:
        raise SetupError(f"cannot start {env.python}: {error}", f"Remove it: rm -r {env.path}") from error


def _build(env: "_Environment") -> None:
    import time

    started = time.monotonic()
    try:
        with open(env.path + ".lock", "w", encoding="utf-8") as lock:
            _take(lock.fileno())
            if env.ready():
                return
            if env.owner():
                raise SetupError(
                    f"{env.path} leads to the environment of another checkout, {env.owner()}",
                    f"Remove the link, or let it lead to an empty folder: {env.path}",
                )
            _say(f"setting up {env.path} (once)")
            _fill(env)
    except OSError as error:
        raise SetupError(
            f"cannot write {env.path}: {error.strerror or error}",
            "Copy the checkout to a folder that you can write to and that has 500 MB free; or activate a"
            f" virtual environment of your own with locks/{LOCKS[env.kind][0]} in it. Run the same command.",
        ) from error
    _say(f"ready after {time.monotonic() - started:.0f} s")


def _take(lock: int) -> None:
    """Hold `lock` until it is closed, by this process and by the pip that it starts.

    When this process is killed, its pip goes on writing for a while; the lock is free when both are gone.
    """
    import fcntl

    os.set_inheritable(lock, True)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _say("another process is setting up the environment; waiting for it")
        fcntl.flock(lock, fcntl.LOCK_EX)


def _fill(env: "_Environment") -> None:
    """Bring the environment to what the locks say. Stopped half-way, it leaves the word `building`."""
    stamp = env.stamp()
    if not env.sound():
        stamp = {"root": env.root, "python": _python_version()}
        _clear(env.path)
        env.write_stamp({"building": "yes", **stamp})
        _create(env)
    env.write_stamp({"building": "yes", **stamp})
    for lock in LOCKS[env.kind]:
        _install(env, os.path.join(env.root, "locks", lock), EXTRA_OPTIONS.get(lock, ()))
    _link(env)
    # The test lock holds the run lock; a test checks it.
    kinds = ("run", "test") if env.kind == "test" else ("run",)
    env.write_stamp({**stamp, **{kind: _digest(env.root, kind) for kind in kinds}})


def _clear(path: str) -> None:
    """Leave an empty folder at `path`. It stays in place, because it may be a link to a bigger disk."""
    import contextlib
    import shutil

    # First, so that an interruption leaves something that is no environment, rather than an unknown one.
    with contextlib.suppress(FileNotFoundError):
        os.remove(os.path.join(path, "pyvenv.cfg"))
    os.makedirs(path, exist_ok=True)
    for entry in os.scandir(path):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.remove(entry.path)


def _create(env: "_Environment") -> None:
    from importlib.util import find_spec

    # Debian ships Python without the one or the other, and `-m venv` then fails half-way.
    missing = next((name for name in ("ensurepip", "venv") if find_spec(name) is None), None)
    if missing:
        raise SetupError(
            f"this Python cannot make virtual environments: it has no {missing}",
            "On Debian or Ubuntu: apt install python3-venv. Elsewhere, use a Python from python.org, or uv.",
        )
    # Inside a virtual environment: the Python beneath it, so that ours does not depend on that one.
    base = getattr(sys, "_base_executable", sys.executable)
    _say("creating the environment")
    _stream([base, "-I", "-m", "venv", env.path], "venv", lambda _line: None)


def _install(env: "_Environment", lock: str, options: "tuple[str, ...]") -> None:
    """Install `lock`: only wheels, and only such as match its hashes."""
    with open(lock, encoding="utf-8") as file:
        total = sum("==" in line for line in file)
    _say(f"fetching {total} packages ({os.path.relpath(lock, env.root)})")
    # --no-deps: the lock is complete. An sdist would fetch its build tools past the hashes.
    command = [env.python, "-I", "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    command += ["--progress-bar=off", "--no-deps", "--only-binary=:all:", "--require-hashes", *options]
    _stream([*command, "-r", lock], "pip", _Progress(total))


class _Progress:
    """Turns pip's lines into one line that moves, on a terminal; says nothing elsewhere."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.seen = 0

    def __call__(self, line: str) -> None:
        if not sys.stderr.isatty():
            return
        if line.startswith(("Collecting ", "Processing ", "Requirement already satisfied", "Ignoring ")):
            self.seen = min(self.seen + 1, self.total)
            sys.stderr.write(f"\r\033[Krakkan: {100 * self.seen // self.total:3d} % fetched")
        elif line.startswith("Installing collected packages"):
            sys.stderr.write("\r\033[Krakkan: unpacking")
        elif line.startswith("Successfully installed"):
            sys.stderr.write("\r\033[K")
        sys.stderr.flush()


def _stream(command: "list[str]", name: str, each: "Callable[[str], None]") -> None:
    """Run `command`, hand each line of its output to `each`, and raise with the last lines if it fails."""
    import collections
    import subprocess

    tail: collections.deque[str] = collections.deque(maxlen=15)
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        close_fds=False,  # hands on the lock; see _take
    ) as process:
        for line in process.stdout or ():
            tail.append("    " + line)
            each(line)
    if process.returncode:
        raise SetupError(
            f"{name} failed (exit code {process.returncode}); its last lines:\n{''.join(tail).rstrip()}",
            "Check the network, the proxy and pip's own configuration (pip config list), then run the same"
            f" command again. The locks cover {SUPPORTED}.",
        )


def _link(env: "_Environment") -> None:
    """Make the checkout importable inside the environment, and put the `rakkan` command into it."""
    import glob
    import shlex

    for site_packages in glob.glob(os.path.join(glob.escape(env.path), "lib", "python*", "site-packages")):
        with open(os.path.join(site_packages, "rakkan.pth"), "w") as file:
            file.write(env.root + "\n")
    launcher = os.path.join(env.path, "bin", "rakkan")
    with open(launcher, "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\nexec {shlex.quote(env.python)} -I -m ledger "$@"\n')
    os.chmod(launcher, 0o755)  # noqa: S103 - a command is for everyone


def _say(text: str) -> None:
    sys.stderr.write(f"rakkan: {text}\n")
    sys.stderr.flush()
