"""Two more browsers, driven by the protocols that they speak themselves: Firefox, and WebKit, as in Safari.

Neither needs a library. Firefox listens to Marionette (a length, a colon, JSON), the protocol under its
WebDriver; WebKit's driver is W3C WebDriver over HTTP. The commands are the same ones. ``Window`` has what the
stories of the tests need, and what the console said.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.pages import VIOLATED

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
SYSTEM_PYTHON = Path("/usr/bin/python3")
WEBKIT = all(shutil.which(name) for name in ("WebKitWebDriver", "Xvfb")) and any(
    Path("/usr/lib").glob("*/girepository-1.0/WebKit2-4.1.typelib")
)
WINDOW = Path(__file__).with_name("webkit_window.py")
PATIENCE = 60
"""Seconds for whatever a browser does once."""
_LOADED = "return document.readyState === 'complete'"
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"

Ask = Callable[..., Any]
"""Sends a command of WebDriver with its parameters, and returns the answer's value."""


class Wish(NamedTuple):
    """How a window is wanted."""

    width: int = 1200
    height: int = 900
    language: str = "en"
    scheme: str = "light"
    scripts: bool = True


class RefusedError(Exception):
    """A browser did not do what it was told: its own words."""


@dataclass
class Window:
    """A window of a browser; ``heard`` returns what its console has said since it was opened."""

    ask: Ask
    heard: Callable[[], list[str]]

    def go(self, url: str) -> None:
        """Open an address, and wait until it is loaded."""
        self.ask("Navigate", url=url)
        self.until(_LOADED)

    def run(self, script: str, *arguments: object) -> Any:
        """Return what a function body returns, promises awaited."""
        return self.ask("ExecuteScript", script=script, args=list(arguments))

    def text(self, selector: str = "body") -> str:
        """Return what a reader sees there."""
        found: str = self.run("return document.querySelector(arguments[0]).innerText", selector)
        return found

    def find(self, selector: str) -> str:
        """Return the first element there is, by the name that the browser gives it."""
        found: dict[str, Any] = self.ask("FindElement", using="css selector", value=selector)
        name: str = found.get("value", found)[_ELEMENT]
        return name

    def click(self, selector: str) -> None:
        """Click as a mouse does: what is covered or hidden refuses."""
        self.run(
            "document.querySelector(arguments[0]).scrollIntoView({block: 'center', behavior: 'instant'})",
            selector,
        )
        self.ask("ElementClick", id=self.find(selector))

    def type(self, selector: str, text: str) -> None:
        """Type into a field, or name the file that a field for files shall hold."""
        self.ask("ElementSendKeys", id=self.find(selector), text=text, value=list(text))

    def follow(self, selector: str) -> None:
        """Click what leads to another page, and wait for that."""
        before = self.run("return performance.timeOrigin")
        self.click(selector)
        self.until(f"{_LOADED} && performance.timeOrigin !== arguments[0]", before)

    def until(self, script: str, *arguments: object) -> None:
        """Wait until this is true. A page that just goes away answers nothing."""

        def true() -> bool:
            try:
                return bool(self.run(script, *arguments))
            except RefusedError:
                return False

        _soon(true, script)

    def picture(self, path: Path) -> None:
        """Keep what the window shows."""
        shown = self.ask("TakeScreenshot", full=False)
        path.write_bytes(base64.b64decode(shown["value"] if isinstance(shown, dict) else shown))

    def overflows(self) -> bool:
        """Whether the page is wider than its window."""
        wide: bool = self.run("return document.documentElement.scrollWidth > innerWidth")
        return wide


@contextmanager
def firefox(folder: Path, wish: Wish) -> Iterator[Window]:
    """Open a window of Firefox with a new profile in an empty folder."""
    wanted = {
        "marionette.port": 0,
        "intl.accept_languages": wish.language,
        "javascript.enabled": wish.scripts,
        "layout.css.prefers-color-scheme.content-override": int(wish.scheme == "light"),
    }
    lines = (f'user_pref("{name}", {json.dumps(value)});\n' for name, value in wanted.items())
    (folder / "user.js").write_text("".join(lines))
    command = [str(FIREFOX), "--headless", "--no-remote", "--profile", str(folder), "--marionette"]
    with _running(folder, [*command, "--remote-allow-system-access"], dict(os.environ)):
        port = folder / "MarionetteActivePort"
        _soon(lambda: port.exists() and bool(port.read_text()))
        with socket.create_connection(("127.0.0.1", int(port.read_text())), PATIENCE) as connection:
            marionette = _Marionette(connection)
            marionette.ask("NewSession", capabilities={})
            marionette.ask("SetWindowRect", width=1400, height=1100)
            marionette.in_chrome(
                "const style = gBrowser.selectedBrowser.style; style.minWidth = 0;"
                "style.maxWidth = arguments[0] + 'px'; style.maxHeight = arguments[1] + 'px'",
                *wish[:2],
            )
            yield Window(marionette.ask, marionette.heard)


class _Marionette:
    """Firefox's own protocol, at one end of a connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._stream = connection.makefile("rwb")
        self._read()

    def ask(self, command: str, **parameters: object) -> Any:
        """Send a command and return its answer. Raises ``RefusedError``."""
        name = command if ":" in command else f"WebDriver:{command}"
        message = json.dumps([0, 1, name, parameters]).encode()
        self._stream.write(b"%d:%s" % (len(message), message))
        self._stream.flush()
        _, _, error, value = self._read()
        if error:
            raise RefusedError(command, error["message"])
        return value["value"] if command == "ExecuteScript" else value

    def in_chrome(self, script: str, *arguments: object) -> Any:
        """Run a script in the browser itself."""
        self.ask("Marionette:SetContext", value="chrome")
        try:
            return self.ask("ExecuteScript", script=script, args=list(arguments))
        finally:
            self.ask("Marionette:SetContext", value="content")

    def heard(self) -> list[str]:
        """Return the errors of pages, and what their policies refused."""
        said = self.in_chrome(
            "return Services.console.getMessageArray().map((each) => [String(each.message), each.logLevel])"
        )
        return [
            text for text, level in said if '{file: "http://127.0.0.1' in text and _serious(text, level == 3)
        ]

    def _read(self) -> Any:
        length = b""
        while (byte := self._stream.read(1)) != b":":
            if not byte:
                raise RefusedError("the browser is gone")
            length += byte
        return json.loads(self._stream.read(int(length)))


_HTTP = {
    "Navigate": ("POST", "/url"),
    "ExecuteScript": ("POST", "/execute/sync"),
    "FindElement": ("POST", "/element"),
    "ElementClick": ("POST", "/element/{id}/click"),
    "ElementSendKeys": ("POST", "/element/{id}/value"),
    "TakeScreenshot": ("GET", "/screenshot"),
}


@contextmanager
def webkit(folder: Path, wish: Wish) -> Iterator[Window]:
    """Open a window of WebKit with a new profile in an empty folder, on a screen of its own."""
    console = folder / "console"
    start = folder / "window"
    start.write_text(f'#!/bin/sh\nexec {SYSTEM_PYTHON} {WINDOW} "$@" >{console} 2>&1\n')
    start.chmod(0o700)
    options = (str(wish.width), str(wish.height), wish.scheme, "scripts" if wish.scripts else "none")
    wanted = {"webkitgtk:browserOptions": {"binary": str(start), "args": [*options, wish.language]}}
    with ExitStack() as programs:
        screen = programs.enter_context(_screen(folder))
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        kept = {name: str(folder) for name in ("HOME", "XDG_RUNTIME_DIR")}
        place = {**os.environ, **kept, "DISPLAY": screen, "LIBGL_ALWAYS_SOFTWARE": "1", "NO_AT_BRIDGE": "1"}
        programs.enter_context(_running(folder, ["WebKitWebDriver", f"--port={port}"], place))
        _soon(lambda: _listens(port))
        session = _asked(port, "POST", "/session", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]

        def ask(command: str, **parameters: object) -> Any:
            method, path = _HTTP[command]
            return _asked(port, method, f"/session/{session}{path.format_map(parameters)}", parameters)

        def heard() -> list[str]:
            lines = console.read_text(errors="replace").splitlines()
            return [line for line in lines if "CONSOLE" in line and _serious(line, "ERROR" in line)]

        yield Window(ask, heard)


def _serious(text: str, error: bool) -> bool:
    return bool(VIOLATED.search(text)) or (error and not re.search(r"status of|Failed to load", text))


def _asked(port: int, method: str, path: str, body: object) -> Any:
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request(method, path, None if method != "POST" else json.dumps(body))
        answer = connection.getresponse()
        value = json.loads(answer.read())["value"]
    finally:
        connection.close()
    if answer.status != 200:
        raise RefusedError(path, value["error"], value["message"])
    return value


def _listens(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def _screen(folder: Path) -> Iterator[str]:
    """A screen that nobody sees; its name, as in ``DISPLAY``."""
    number = folder / "display"
    script = f'exec Xvfb -displayfd 3 -screen 0 1400x1100x24 -nolisten tcp 3>"{number}"'
    with _running(folder, ["sh", "-c", script], dict(os.environ)):
        _soon(lambda: number.exists() and number.read_text().endswith("\n"))
        yield f":{number.read_text().strip()}"


@contextmanager
def _running(folder: Path, command: list[str], place: dict[str, str]) -> Iterator[None]:
    with (folder / "programs").open("ab") as said:
        program = subprocess.Popen(command, env=place, stdout=said, stderr=said, stdin=subprocess.DEVNULL)
        try:
            yield
        finally:
            program.terminate()
            try:
                program.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()


def _soon(true: Callable[[], bool], what: str = "the browser starts") -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.05)
