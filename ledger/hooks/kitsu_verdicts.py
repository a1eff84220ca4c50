"""Writes the ledger's verdict on a picture into Kitsu's own data of it, where its pages and scripts find it.

* The question is ``rakkan clear PICTURE --policy P``: by its bytes, and else by its pixels.
* A picture that the log does not know yet is asked about again, at first soon, then ever more rarely.
* So is one that has a verdict, once a day: a grant may have ended. After thirty days nobody asks any more.
* Nothing is written where nothing has changed.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ledger.hooks.kitsu_server import RefusedError, Server, SetupError, UnavailableError
else:
    from kitsu_server import RefusedError, Server, SetupError, UnavailableError

ASKED_AT_ONCE = 20
"""Questions between two looks at the events; each takes about a second."""
SOON, DAY, KEEP = 20, 24 * 3600, 30 * 24 * 3600
"""Seconds: until a question is asked a second time, the longest time between two, and until the last one."""
LIMIT = 300

log = logging.getLogger("rakkan.kitsu")


def watched(path: str) -> dict[str, Any]:
    """Return a picture as the list has it: to be asked about at once."""
    return {"path": path, "next": 0, "wait": SOON, "until": time.time() + KEEP}


def write_back(server: Server, watching: dict[str, dict[str, Any]], policy: str, *, comment: bool) -> None:
    """Ask about the pictures on the list (by the ids of their previews) that it is time for, and write.

    The list is changed. Raises ``SetupError`` and ``UnavailableError``.
    """
    now = time.time()
    due = sorted((item["next"], preview_id) for preview_id, item in watching.items() if item["next"] <= now)
    for _, preview_id in due[:ASKED_AT_ONCE]:
        item = watching[preview_id]
        if now > item["until"] or not os.path.exists(item["path"]):
            del watching[preview_id]
            continue
        found = ask(item["path"], policy)
        try:
            if found is not None:
                _write(server, preview_id, found, comment=comment)
        except RefusedError as error:
            log.warning("no verdict is written on preview %s: %s", preview_id, error)
        item["wait"] = min(2 * item["wait"], DAY) if found is None else DAY
        item["next"] = now + item["wait"]


def ask(path: str, policy: str) -> dict[str, Any] | None:
    """Return the ledger's answer about a file, or ``None`` while it does not know the picture.

    Raises ``SetupError`` for a question that makes no sense, ``UnavailableError`` where there is no answer.
    """
    command = shutil.which("rakkan")
    if command is None:
        raise SetupError("--policy needs the command rakkan on PATH.")
    try:
        done = subprocess.run(
            [command, "clear", path, "--policy", policy, "--json"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LIMIT,
            check=False,
        )
        found = json.loads(done.stdout or done.stderr)  # an error stands where errors stand
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise UnavailableError("rakkan clear gives no answer: %s" % error) from error
    if "error" in found:
        kind = SetupError if done.returncode == 2 else UnavailableError
        raise kind("rakkan clear: %s [%s]" % (found["error"]["message"], found["error"]["code"]))
    target = found["targets"][0]
    if target["unknown"] or target["verdict"]["now"] is None:
        return None
    return {
        "verdict": target["verdict"],
        "grade": target["grade"],
        "reasons": list(
            dict.fromkeys(reason["code"] for reason in found["reasons"] if reason["files"]["now"])
        ),
        "policy": "%s %s" % (found["policy"]["name"], found["policy"]["version"]),
        "at": found["at"],
        "tree": found["tree"]["size"],
    }


def _write(server: Server, preview_id: str, found: dict[str, Any], *, comment: bool) -> None:
    preview = server.get("data/preview-files/" + preview_id)
    data = preview.get("data") or {}
    before = data.get("rakkan") or {}
    if all(before.get(name) == found[name] for name in ("verdict", "grade", "reasons", "policy")):
        return
    server.call("PUT", "data/preview-files/" + preview_id, {"data": {**data, "rakkan": found}})
    log.info("preview %s: %s", preview_id, found["verdict"]["now"])
    if comment and before.get("verdict") != found["verdict"]:
        task = server.get("data/tasks/" + preview["task_id"])
        text = "Rakkan: %s (grade %s, policy %s)%s" % (
            found["verdict"]["now"].replace("_", " "),
            found["grade"],
            found["policy"],
            ": " + ", ".join(found["reasons"]) if found["reasons"] else "",
        )
        body = {"task_status_id": task["task_status_id"], "comment": text}
        server.call("POST", "actions/tasks/%s/comment" % task["id"], body)
