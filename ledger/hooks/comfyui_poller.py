"""Records what a ComfyUI makes that cannot be touched, by asking it over HTTP. ``python -m`` runs it.

    python -m ledger.hooks.comfyui_poller http://127.0.0.1:8188 --models M --input I --output O

* It reads ``/history`` and looks for the files in the folders it is given, so it must see those folders.
* It remembers which prompts it has recorded, next to the spool. ComfyUI forgets its history when it stops:
  what ran since the last visit is then lost, and shows as files without a record.
* A file that was changed after the prompt had ended is not what the prompt wrote, and is left out.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import os
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from . import comfyui_run, rakkan_capture

PATIENCE = 30
MAX_ANSWER = 256 << 20
VISITS = (50, 500, 5_000)
"""Prompts that are asked for: more only where all of them are new."""
REMEMBERED = 20_000
"""Prompts: ComfyUI's own history holds 10,000."""
LATER = 60
"""Seconds that the clocks of a file server and of ComfyUI may differ."""

_log = logging.getLogger("rakkan")


class Poller:
    """One ComfyUI, asked again and again. ``url`` is its address, ``folders`` where its files are."""

    def __init__(self, url: str, folders: comfyui_run.Folders, state: str) -> None:
        self._url, self._folders, self._state = url.rstrip("/"), folders, state

    def poll(self) -> int:
        """Record the finished prompts that are new, and return their number.

        Raises ``OSError`` if ComfyUI does not answer and ``ValueError`` if it answers with something else.
        """
        seen = self._load()
        new: dict[str, Any] = {}
        for most in VISITS:
            history = self._ask("/history?max_items=%d" % most)
            new = {name: entry for name, entry in history.items() if name not in seen}
            if len(new) < most:
                break
        if not new:
            return 0
        at = self._installation()
        for name, entry in new.items():
            for record in comfyui_run.records(entry if isinstance(entry, Mapping) else {}, at, "watch"):
                kept = [item for item in record["outputs"] if not _is_later(item, record["finished"])]
                if kept or not record["outputs"]:
                    rakkan_capture.spool({**record, "outputs": kept})
            seen[name] = None
            self._save(seen)
        return len(new)

    def _installation(self) -> comfyui_run.Installation:
        kinds = self._ask("/object_info")
        system = self._ask("/system_stats").get("system")
        version = system.get("comfyui_version") if isinstance(system, Mapping) else None
        known = {name: kind for name, kind in kinds.items() if isinstance(kind, Mapping)}
        return comfyui_run.Installation(
            lambda name: known.get(name, {}), self._folders, str(version or "unknown")
        )

    def _ask(self, path: str) -> dict[str, Any]:
        with urllib.request.urlopen(self._url + path, timeout=PATIENCE) as answer:  # noqa: S310 - main checks the scheme
            data = answer.read(MAX_ANSWER + 1)
        if len(data) > MAX_ANSWER:
            raise ValueError("%s answers with more than %d bytes" % (path, MAX_ANSWER))
        found = json.loads(data)
        if isinstance(found, dict):
            return found
        raise ValueError("%s answers with no JSON object" % path)

    def _load(self) -> dict[str, None]:
        try:
            with open(self._state, encoding="utf-8") as file:
                return dict.fromkeys(map(str, json.load(file)))
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError) as error:
            raise ValueError("%s is damaged, and says no more what was recorded" % self._state) from error

    def _save(self, seen: Mapping[str, None]) -> None:
        os.makedirs(os.path.dirname(self._state), exist_ok=True)
        with open(self._state + ".tmp", "w", encoding="utf-8") as file:
            json.dump(list(seen)[-REMEMBERED:], file)
        os.replace(self._state + ".tmp", self._state)


def model_folders(roots: Sequence[str]) -> dict[str, list[str]]:
    """Return the folders in ComfyUI's ``models`` by name; the first root comes first."""
    found: dict[str, list[str]] = {}
    for root in roots:
        for entry in sorted(os.scandir(root), key=lambda entry: entry.name):
            if entry.is_dir():
                found.setdefault(entry.name, []).append(os.path.abspath(entry.path))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask until interrupted, or once; return 0, or 1 if ComfyUI did not answer the only time."""
    parser = argparse.ArgumentParser(
        prog="comfyui_poller", description="Record what a ComfyUI makes, from outside."
    )
    parser.add_argument("url", help="address of ComfyUI, such as http://127.0.0.1:8188")
    parser.add_argument(
        "--models", action="append", required=True, help="its folder models; may be given again"
    )
    parser.add_argument("--input", required=True, help="its folder input")
    parser.add_argument("--output", required=True, help="its folder output")
    parser.add_argument("--every", type=float, default=2.0, help="seconds between two visits")
    parser.add_argument("--once", action="store_true", help="ask once and end")
    given = parser.parse_args(arguments)
    if urllib.parse.urlsplit(given.url).scheme not in ("http", "https"):
        parser.error("the address must begin with http:// or https://")
    logging.basicConfig(format="%(message)s")
    state = os.path.join(
        rakkan_capture.folder(), "comfyui", hashlib.sha256(given.url.encode()).hexdigest()[:16]
    )
    folders = comfyui_run.Folders(
        model_folders(given.models), os.path.abspath(given.input), os.path.abspath(given.output)
    )
    poller = Poller(given.url, folders, state + ".json")
    for worked in _visits(poller):
        if given.once:
            return 0 if worked else 1
        time.sleep(given.every)
    return 0


def _visits(poller: Poller) -> Iterator[bool]:
    """Visit ComfyUI again and again, and say each time whether it answered."""
    while True:
        try:
            poller.poll()
        except (OSError, ValueError, RecursionError) as error:
            _log.warning("Nothing was recorded, ComfyUI or a file is not as expected: %s", error)
            yield False
        else:
            yield True


def _is_later(item: Mapping[str, Any], finished: str | None) -> bool:
    if finished is None or "stamp" not in item:
        return False
    ended = datetime.strptime(finished, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc).timestamp()
    return bool(item["stamp"][3] / 1e9 > ended + LATER)


if __name__ == "__main__":
    sys.exit(main())
