"""Follows a Kitsu server: records what is published there and what becomes final, and writes verdicts back.

* Every record is made from the server's list of events, read from where the last run stopped. The live socket
  (``gazu``, where it is there) only says that it is time to look: after an outage, the same code runs.
* Events of the last ten minutes are read again each time, since one may be stored later than a newer one. One
  that was handled is not handled twice; if this process dies in between, the second record has the id of the
  first.
* The picture that Kitsu keeps is not the file that was uploaded, but has its pixels. So the record does not
  say that Kitsu made it: it says that Kitsu's own account of the publish (a small file, which it writes) was
  made from that picture. Whoever made a file with these pixels, and whenever that is recorded, explains it.
* What the server refuses (a preview that was deleted) is said and passed over; what it cannot answer now is
  asked again, for ever.
* Credentials come from the environment or a private file, and are written nowhere.

See ``docs/howto/follow-kitsu.md``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ledger.hooks import kitsu_verdicts, rakkan_capture
    from ledger.hooks.kitsu_server import (
        LIVE,
        RefusedError,
        Server,
        SetupError,
        UnavailableError,
        credentials,
        listen,
    )
else:
    # Its siblings lie beside it, also where it is started as a module of a package.
    sys.path.append(os.path.dirname(os.path.abspath(__file__)))
    import kitsu_verdicts
    import rakkan_capture
    from kitsu_server import (
        LIVE,
        RefusedError,
        Server,
        SetupError,
        UnavailableError,
        credentials,
        listen,
    )

VERSION = "1"
PUBLISHED, STATUS = "preview-file:add-file", "task:status-changed"
OVERLAP, PATIENCE = timedelta(minutes=10), timedelta(days=1)
"""How far to look back, and how long a preview may be in the making."""
PAGE = 1000
SETTLE = (1, 2, 4, 8, 16)
"""Seconds between the looks after a live event: a busy server announces it long before it stores it."""
SLOWEST = 300
MOST_FRAMES = 1 << 31
MOVIES = ("mp4", "mov")
HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What no name in a record may hold."""

log = logging.getLogger("rakkan.kitsu")


class NotReadyError(Exception):
    """The server is still making the preview."""


class Listener:
    """Turns events into records. ``folder`` keeps the cursor, the notes and the pictures."""

    def __init__(self, server: Server, folder: str, options: argparse.Namespace) -> None:
        self.server, self.folder, self.options = server, folder, options
        for name in ("notes", "previews"):
            os.makedirs(os.path.join(folder, name), mode=0o700, exist_ok=True)
        self.state: dict[str, Any] = {
            "host": server.said["host"],
            "after": options.since,
            "done": {},
            "watching": {},
        }
        with contextlib.suppress(FileNotFoundError), open(self._state_path, encoding="utf-8") as file:
            try:
                self.state.update(json.load(file))
            except ValueError as error:
                raise SetupError(
                    "%s is damaged. Delete it, and say --since when." % self._state_path
                ) from error
        if self.state["host"] != server.said["host"]:
            raise SetupError(
                "%s follows %s. Give this server another --state." % (folder, self.state["host"])
            )

    @property
    def _state_path(self) -> str:
        return os.path.join(self.folder, "state.json")

    def save(self) -> None:
        """Write the state down, in one step."""
        with open(self._state_path + ".part", "w", encoding="utf-8") as file:
            json.dump(self.state, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(self._state_path + ".part", self._state_path)

    def catch_up(self) -> int:
        """Record the events that were not yet, and return how many.

        Raises ``SetupError`` and ``UnavailableError``; what was done by then is kept.
        """
        if self.state["after"] is None:
            newest = self._list(limit=1)
            self.state["after"] = newest[0]["created_at"] if newest else "2000-01-01T00:00:00"
            self.save()
        done, recorded = self.state["done"], 0
        events = self._events((moment(self.state["after"]) - OVERLAP).strftime("%Y-%m-%dT%H:%M:%S"))
        waiting = []
        for event in events:
            if event["id"] in done:
                continue
            try:
                recorded += self._handle(event)
            except NotReadyError:
                waiting.append(event["created_at"])
                continue
            except RefusedError as error:
                log.warning("event %s is passed over: %s", event["id"], error)
            done[event["id"]] = event["created_at"]
            self.save()
        self.state["after"] = min(waiting) if waiting else max([self.state["after"], *done.values()])
        oldest = moment(self.state["after"]) - 2 * OVERLAP
        self.state["done"] = {key: when for key, when in done.items() if moment(when) > oldest}
        self.save()
        return recorded

    def _events(self, after: str) -> list[dict[str, Any]]:
        """Return the events that matter, the oldest first."""
        found: list[dict[str, Any]] = []
        for name in (PUBLISHED, STATUS) if self.options.final else (PUBLISHED,):
            page = self._list(name=name, after=after, limit=PAGE)
            found += page
            while len(page) == PAGE:
                page = self._list(name=name, after=after, limit=PAGE, cursor_event_id=page[-1]["id"])
                found += page
        found.reverse()  # they come newest first, and their times are whole seconds
        return sorted(found, key=lambda event: (event["created_at"], event["name"]))

    def _list(self, **query: Any) -> list[dict[str, Any]]:
        try:
            found: list[dict[str, Any]] = self.server.get("data/events/last", **query)
        except RefusedError as error:
            raise SetupError("Kitsu shows its events to managers and admins only. (%s)" % error) from error
        return found

    def _handle(self, event: dict[str, Any]) -> bool:
        """Record the event; returns whether there was anything to record."""
        data, final = event["data"], event["name"] == STATUS
        if final:
            status = self.server.get("data/task-status/" + data["new_task_status_id"])
            if status["short_name"].lower() not in self.options.final:
                return False
            previews = latest(self.server.get("data/preview-files", task_id=data["task_id"]))
            if not previews:
                log.warning("task %s became final without any preview", data["task_id"])
                return False
        else:
            previews = [self.server.get("data/preview-files/" + data["preview_file_id"])]
        task = self.server.get("data/tasks/%s/full" % previews[0]["task_id"])
        pictures = {preview["id"]: self._picture(preview, event) for preview in previews}
        record = {
            "id": event["id"],
            "hook": {"name": "kitsu", "version": VERSION},
            "layer": "share",
            "event": "final" if final else "publish",
            "action": "convert",
            "tool": {"name": "Kitsu", "version": self.server.get("")["version"]},
            "place": place_of(task, previews[0]),
            "started": event["created_at"] + "Z",
            "finished": event["created_at"] + "Z",
            "outputs": [rakkan_capture.file(self._note(event, task, previews))],
            "inputs": [rakkan_capture.file(path, "parent") for path in pictures.values()],
            "parameters": parameters_of(task, previews),
        }
        if rakkan_capture.spool(record) is None:
            raise UnavailableError(
                "the record could not be written: %s" % (rakkan_capture.faults[-1:] or "off")
            )
        for preview_id, path in pictures.items():
            self.state["watching"].setdefault(preview_id, kitsu_verdicts.watched(path))
        return True

    def _picture(self, preview: dict[str, Any], event: dict[str, Any]) -> str:
        """Return the path of the file that was uploaded where it is known, else of what Kitsu keeps of it."""
        for path in ((preview.get("data") or {}).get("path"), preview.get("path")):
            # Anybody with an account can write a path there: only a production's own files are looked at.
            if isinstance(path, str) and os.path.isfile(path) and rakkan_capture.production_of(path):
                return os.path.realpath(path)
        target = self._cached(preview)
        if os.path.exists(target):
            return target
        if preview.get("status") == "processing":
            age = datetime.now(timezone.utc) - moment(event["created_at"])
            if age < PATIENCE:
                raise NotReadyError
        kind = "movies" if preview["extension"] in MOVIES else "pictures"
        path = "%s/originals/preview-files/%s.%s" % (kind, preview["id"], preview["extension"])
        self.server.download(path, target)
        return target

    def write_back(self) -> None:
        """Write verdicts into Kitsu. Raises ``SetupError`` and ``UnavailableError``."""
        try:
            kitsu_verdicts.write_back(
                self.server, self.state["watching"], self.options.policy, comment=self.options.comment
            )
        finally:
            self.save()

    def tidy(self) -> None:
        """Delete pictures that nobody has asked about for long."""
        folder = os.path.join(self.folder, "previews")
        oldest = time.time() - kitsu_verdicts.KEEP
        for name in os.listdir(folder):
            path = os.path.join(folder, name)
            if os.stat(path).st_mtime < oldest:
                os.unlink(path)

    def _cached(self, preview: dict[str, Any]) -> str:
        return os.path.join(self.folder, "previews", "%s.%s" % (preview["id"], preview["extension"]))

    def _note(self, event: dict[str, Any], task: dict[str, Any], previews: list[dict[str, Any]]) -> str:
        """Write down what Kitsu says of the event, once, and return the path. It names nobody."""
        path = os.path.join(self.folder, "notes", event["id"] + ".json")
        if not os.path.exists(path):
            names = ("id", "revision", "position", "extension", "width", "height", "file_size")
            note = {
                "server": self.server.said["host"],
                "event": {name: event[name] for name in ("id", "name", "created_at")},
                "project": task["project"]["id"],
                "task": task["id"],
                "entity": task["entity"]["id"],
                "previews": [{name: preview.get(name) for name in names} for preview in previews],
            }
            with open(path + ".part", "w", encoding="utf-8") as file:
                json.dump(note, file, indent=1, sort_keys=True)
            os.replace(path + ".part", path)
        return path


def moment(text: str) -> datetime:
    """Return a time of the server's, which is UTC and does not say so."""
    return datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)


def latest(previews: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the previews of the last revision, in their order."""
    last = max((preview["revision"] for preview in previews), default=0)
    return sorted((one for one in previews if one["revision"] == last), key=lambda one: one["position"])


def place_of(task: dict[str, Any], preview: dict[str, Any]) -> dict[str, Any]:
    """Return where in the production the task belongs. An asset is no shot: it stands in the parameters."""
    project = task["project"]
    known = {each["name"] for each in rakkan_capture.settings().get("productions", [])}
    shot = task["entity_type"]["name"] in ("Shot", "Scene")
    place = {
        "production": next(
            (name for name in (project.get("code"), project["name"]) if name in known), project["name"]
        ),
        "episode": (task.get("episode") or {}).get("name"),
        "sequence": (task.get("sequence") or {}).get("name"),
        "shot": task["entity"]["name"] if shot else None,
        "task": task["task_type"]["name"],
        "version": "v%03d" % preview["revision"],
    }
    found: dict[str, Any] = {name: HIDDEN.sub("?", value)[:200] for name, value in place.items() if value}
    data = task["entity"].get("data") or {}
    with contextlib.suppress(KeyError, TypeError, ValueError, OverflowError):
        first, last = int(data["frame_in"]), int(data["frame_out"])
        if shot and -MOST_FRAMES < first <= last < MOST_FRAMES:
            found["frames"] = [first, last]
    return found


def parameters_of(task: dict[str, Any], previews: list[dict[str, Any]]) -> dict[str, str]:
    """Return what finds the publish again in Kitsu."""
    found = {
        "kitsu.task": task["id"],
        "kitsu.previews": " ".join(preview["id"] for preview in previews),
        "kitsu.status": task["task_status"]["short_name"],
        "kitsu.entity": task["entity"]["name"],
    }
    return {name: value for name, value in found.items() if value}


def follow(listener: Listener, wake: threading.Event) -> None:
    """Catch up and write verdicts back, after live events and every so often; with ``once`` a single time.

    Raises ``SetupError``, and ``UnavailableError`` where there is no second time.
    """
    pause = listener.options.every
    looks: Iterator[int] = iter(())
    while True:
        wake.clear()
        try:
            recorded = listener.catch_up()
            if recorded:
                log.info("%d events recorded", recorded)
            if listener.options.policy:
                listener.write_back()
            listener.tidy()
            pause = listener.options.every
        except UnavailableError as error:
            if listener.options.once:
                raise
            log.warning("%s; trying again in %d s", error, pause)
            time.sleep(pause)
            pause = min(2 * pause, SLOWEST)
            continue
        if listener.options.once:
            return
        if wake.wait(next(looks, pause)):
            looks = iter(SETTLE)
            time.sleep(next(looks))


def main(arguments: Sequence[str] | None = None) -> int:
    """Follow the server until a signal comes.

    Returns 0, 2 for what somebody has to mend, and 3 where ``--once`` got no answer.
    """
    options = parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.getLogger("engineio").setLevel(logging.WARNING)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    wake = threading.Event()
    try:
        if not rakkan_capture.enabled():
            raise SetupError("RAKKAN_CAPTURE=0: nothing would be recorded.")
        server = Server(credentials(options.credentials))
        listener = Listener(server, options.state, options)
        if not LIVE:
            log.info("gazu is not installed: events are asked for every %d s", options.every)
        elif not options.once:
            threading.Thread(target=listen, args=(server, (PUBLISHED, STATUS), wake), daemon=True).start()
        follow(listener, wake)
    except SetupError as error:
        log.error("%s", error)  # noqa: TRY400 - the message says what to do; the trace would say nothing
        return 2
    except UnavailableError as error:
        log.error("%s", error)  # noqa: TRY400 - the same
        return 3
    except KeyboardInterrupt:
        return 0
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the command's options."""
    made = argparse.ArgumentParser(prog="kitsu.py", description="Follow a Kitsu server.")
    add = made.add_argument
    place = os.path.join(os.path.dirname(rakkan_capture.folder()), "kitsu")
    add("--credentials", metavar="FILE", help="private JSON: host, and token or email and password")
    add("--state", metavar="FOLDER", default=place, help="where the cursor and the pictures are kept")
    add("--since", metavar="DATE", type=_date, help="where the first run starts (UTC); default: now")
    add("--every", type=int, default=30, metavar="SECONDS", help="how often to look without live events")
    add("--final", type=_names, default=(), metavar="NAMES", help="final statuses by short names: done,fin")
    add("--policy", help="write the verdict of this policy back; needs the rakkan command")
    add("--comment", action="store_true", help="also say in a comment when a verdict changes")
    add("--once", action="store_true", help="catch up, and end")
    return made


def _date(text: str) -> str:
    return datetime.fromisoformat(text).strftime("%Y-%m-%dT%H:%M:%S")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip().lower() for name in text.split(",") if name.strip())


if __name__ == "__main__":
    sys.exit(main())
