"""Drivers, tokens and logins.

* A wrong PIN is tried once in a process and never again: a token locks itself after a few. Where the token
  says that one try is left, it is left to a person.
* A session that died (the token was pulled out, the HSM restarted, this is a fork's child) is opened anew
  once: the driver is initialised again, which is also how some of them learn which tokens there are.
* One lock for all tokens. The library initialises a driver without locking of its own, so two threads must
  not be in it; and no fork may happen while one is.
* One session for each token, shared by its keys: a login and a logout are the whole process's.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from ledger.adapters.pkcs11.uri import Pkcs11Uri
from ledger.errors import RefusedError, UsageError

T = TypeVar("T")
Session = Any
"""The library's session: what it says of its types does not reach its extension module."""

MAX_PIN = 1024
"""Bytes that are read of a PIN file."""

_lock = threading.RLock()
_refused: set[tuple[bytes, str]] = set()
"""Wrong PINs, each beside the serial number of the token that refused it."""


def library() -> Any:
    """Return python-pkcs11. Raises ``UsageError("pkcs11.driver")`` where it is not installed."""
    try:
        import pkcs11  # noqa: PLC0415 - an extra: missing where no key lies in a token
    except ImportError as error:
        raise UsageError("pkcs11.driver", "python-pkcs11 is not installed.") from error
    return pkcs11


class Driver:
    """A loaded driver and its open sessions. Used through ``with_session``, under the lock."""

    def __init__(self, path: Path) -> None:
        pkcs11 = library()
        try:
            self._module = pkcs11.lib(str(path))
        except pkcs11.PKCS11Error as error:
            words = f"The driver {path} cannot be loaded: {error}."
            raise UsageError("pkcs11.driver", words, path=path) from error
        self._sessions: dict[int, Session] = {}
        self._found: dict[Pkcs11Uri, Session] = {}
        self.stale = False

    def session(self, uri: Pkcs11Uri, pin: str | None) -> Session:
        """Return the session with the URI's token, logged in. Asks for no token twice: an HSM may be far."""
        if uri not in self._found:
            self._found[uri] = self._session(uri, pin)
        return self._found[uri]

    def _session(self, uri: Pkcs11Uri, pin: str | None) -> Session:
        pkcs11 = library()
        found = [token for token in self._tokens() if _is_named(token, uri)]
        if not found:
            raise pkcs11.NoSuchToken
        if len(found) > 1:
            raise pkcs11.MultipleTokensReturned("name it by its serial number")
        slot = found[0].slot.slot_id
        if slot not in self._sessions:
            self._sessions[slot] = _log_in(found[0], _pin(uri, pin))
        return self._sessions[slot]

    def restart(self) -> None:
        """Forget every session and initialise the driver again."""
        self._sessions.clear()
        self._found.clear()
        with suppress(library().PKCS11Error):  # in a fork's child it may say that it never was initialised
            self._module.finalize()
        self._module.initialize()
        self.stale = False

    def _tokens(self) -> Iterator[Any]:
        pkcs11 = library()
        for slot in self._module.get_slots(token_present=True):
            with suppress(pkcs11.TokenNotPresent, pkcs11.TokenNotRecognised):  # pulled out since
                yield slot.get_token()


_drivers: dict[Path, Driver] = {}


def with_session(uri: Pkcs11Uri, pin: str | None, use: Callable[[Session], T]) -> T:
    """Return what ``use`` does with a session of the URI's token, logged in, while no other thread is there.

    ``use`` may run twice: a second time on a fresh session, if the library failed the first time. Raises
    ``RefusedError`` with ``pkcs11.token`` or ``pkcs11.pin``, and ``UsageError("pkcs11.driver")``.
    """
    with _lock, _failures(uri):
        driver = _drivers.get(uri.module) or _drivers.setdefault(uri.module, Driver(uri.module))
        if not driver.stale:
            with suppress(library().PKCS11Error):
                return use(driver.session(uri, pin))
        driver.restart()
        return use(driver.session(uri, pin))


def check_tries(flags: int) -> None:
    """Return if a PIN may be tried on a token with these flags (CK_TOKEN_INFO).

    Raises ``RefusedError("pkcs11.pin")`` when it is locked, or when one wrong PIN would lock it.
    """
    held = library().TokenFlag
    if flags & held.USER_PIN_LOCKED:
        raise RefusedError("pkcs11.pin", "The token is locked: too many wrong PINs.")
    if flags & held.USER_PIN_FINAL_TRY:
        words = "The token has one try left before it locks. Log in once by hand, with its own tool."
        raise RefusedError("pkcs11.pin", words)


@contextmanager
def _failures(uri: Pkcs11Uri) -> Iterator[None]:
    """Run the block; what the library raises in it leaves as ``RefusedError("pkcs11.token")``."""
    try:
        yield
    except library().PKCS11Error as error:
        why = " ".join(filter(None, (type(error).__name__, str(error))))
        words = f"The token cannot be used: {why}."
        raise RefusedError("pkcs11.token", words, driver=uri.module, token=uri.token or uri.serial) from error


def _is_named(token: Any, uri: Pkcs11Uri) -> bool:
    held = {
        "token": token.label,
        "serial": token.serial.decode(errors="replace").strip(),
        "manufacturer": token.manufacturer_id,
        "model": token.model,
    }
    return all(getattr(uri, name) in (None, value) for name, value in held.items())


def _log_in(token: Any, pin: str) -> Session:
    """Return a new session. Raises ``RefusedError("pkcs11.pin")``."""
    pkcs11 = library()
    if (token.serial, pin) in _refused:
        words = "The token refused this PIN already; it is not tried again, for the token would lock."
        raise RefusedError("pkcs11.pin", words, token=token.label)
    check_tries(token.flags)
    try:
        return token.open(user_pin=pin)
    except pkcs11.UserAlreadyLoggedIn:  # by other code of this process
        return token.open()
    except (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange) as error:
        _refused.add((token.serial, pin))
        raise RefusedError("pkcs11.pin", "The token refused the PIN.", token=token.label) from error
    except (pkcs11.PinLocked, pkcs11.PinExpired, pkcs11.UserPinNotInitialized) as error:
        words = f"The token takes no PIN now: {type(error).__name__}."
        raise RefusedError("pkcs11.pin", words, token=token.label) from error


def _pin(uri: Pkcs11Uri, pin: str | None) -> str:
    found = pin if uri.pin_file is None else _read_pin(uri.pin_file)
    if not found:
        raise RefusedError("pkcs11.pin", "The token asks for a PIN, and none is set.")
    return found


def _read_pin(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode  # of the very file that is read
            text = stream.read(MAX_PIN).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise RefusedError("pkcs11.pin", f"The PIN file {path} cannot be read.", path=path) from error
    if stat.S_IMODE(mode) & 0o077:
        raise RefusedError("pkcs11.pin", f"Others can read the PIN file {path}: chmod 600.", path=path)
    return text.removesuffix("\n")


def _after_fork() -> None:
    """In the child: the lock is the forking thread's, which is the one that goes on here."""
    for driver in _drivers.values():
        driver.stale = True
    _lock.release()


os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_after_fork)
