"""Records what pyblish publishes, beside a studio's own plug-ins: those of AYON, of OpenPype, or its own.

* Its folder, with ``rakkan_capture.py`` in it, belongs on ``PYBLISHPLUGINPATH``.
* ``ValidateProvenance`` warns where a publish would not be recorded now. It is a wall only for a production
  whose policy is ``refuse``.
* ``IntegrateRakkan`` writes one record of what each instance published, after the studio's own integrator
  (``IntegratorOrder``) and its links (``+ 0.2``), so that the files lie where they stay.
* An instance that a farm will publish is left to the farm's own publish, as AYON's integrator leaves it.
* Which file an instance published is taken from the first of these that it has: ``published_representations``
  with ``transfers`` and ``hardlinks``, ``representations``, ``expectedFiles``, ``files``.
* What was staged is no input: the copy of a file is that file. The work file and what was loaded are.

The keys are those of ayon-core 1.9 (``docs/howto/record-pyblish.md``).
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pyblish.api

sys.path.append(
    os.path.dirname(os.path.abspath(__file__))
)  # pyblish runs the files of a folder from outside it
if TYPE_CHECKING:
    from ledger.hooks import rakkan_capture
else:
    import rakkan_capture

VERSION = "1"
BATCH = 1000
"""Files of one record. A record has a largest size, and a simulation cache has none."""
HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What no name in a record may hold."""


class ValidateProvenance(pyblish.api.InstancePlugin):
    """Say now, rather than after the publish, that no record of it will reach the ledger."""

    label = "Provenance is recorded"
    order = pyblish.api.ValidatorOrder
    optional = True

    def process(self, instance: Any) -> None:
        """Warn. Raises ``CaptureRefusedError`` for a production that allows no work without a record."""
        try:
            production = production_of(instance)
        except Exception:
            self.log.exception("Rakkan could not read what this instance will publish.")
            # Nobody knows whose it is: where one production refuses, this may be its work.
            for each in rakkan_capture.productions():
                rakkan_capture.check(each)
            return
        rakkan_capture.check(production)
        for warning in warnings():
            self.log.warning(warning)


class IntegrateRakkan(pyblish.api.InstancePlugin):
    """Record what the instance published."""

    label = "Record provenance"
    order = pyblish.api.IntegratorOrder + 0.4

    def process(self, instance: Any) -> None:
        """Spool the record; ``rakkanRecords`` of the instance then has the paths.

        Raises only ``CaptureRefusedError``: see ``ValidateProvenance``.
        """
        if instance.data.get("farm"):
            return
        try:
            records = list(records_of(instance))
        except Exception as error:
            rakkan_capture.fault(error)
            self.log.exception("Rakkan could not read what this instance published: the record is lost.")
            return
        instance.data["rakkanRecords"] = [rakkan_capture.spool(record) for record in records]


def warnings() -> Iterator[str]:
    """Yield what keeps a publish of this process from being recorded at once."""
    folder = rakkan_capture.folder()
    if not rakkan_capture.enabled():
        yield "Rakkan is switched off (RAKKAN_CAPTURE=0): this publish will have no record."
        return
    try:
        silent = time.time() - os.stat(os.path.join(folder, "heartbeat")).st_mtime
    except OSError:
        silent = None
    if silent is None or silent > rakkan_capture.SILENT_AGENT:
        yield "Rakkan's agent does not run here: the record will wait in the spool. See: rakkan doctor."
    if os.path.isdir(folder) and not os.access(folder, os.W_OK):
        yield "Rakkan's spool cannot be written: this publish will have no record. See: rakkan doctor."
    if rakkan_capture.faults:
        yield "%d records of this session could not be written, last: %s." % (
            len(rakkan_capture.faults),
            rakkan_capture.faults[-1],
        )


def records_of(instance: Any) -> Iterator[dict[str, Any]]:
    """Yield the records of an instance: none where it published no file."""
    outputs = [path for path in published(instance) if os.path.isfile(path)]
    sources = [os.path.abspath(path) for path in loaded(instance)]
    taken = {*outputs, *staged(instance)}
    name, version = tool_of(instance)
    record = {
        "hook": {"name": "pyblish", "version": VERSION},
        "layer": "app",
        "event": "publish",
        "action": action_of(instance),
        "tool": {"name": name, "version": version},
        "place": place_of(instance),
        "inputs": [
            rakkan_capture.file(path, "component") for path in dict.fromkeys(sources) if path not in taken
        ],
        "parameters": parameters_of(instance),
    }
    for first in range(0, len(outputs), BATCH):
        yield {**record, "outputs": [seen(path) for path in outputs[first : first + BATCH]]}


def seen(path: str) -> dict[str, Any]:
    """Return a published file. Its digest is left to the agent: the file stays, and the artist waits."""
    return {"path": path, "stamp": rakkan_capture.stamp(os.stat(path))}


def published(instance: Any) -> list[str]:
    """Return the absolute paths of what the instance published, each once, in its order."""
    data = instance.data
    done = data.get("published_representations")
    if done or data.get("transfers") or data.get("hardlinks"):
        paths = [path for item in (done or {}).values() for path in item.get("published_files") or ()]
        paths += [target for _, target in _copies(instance)]
    elif data.get("representations"):
        paths = staged(instance)
    else:
        paths = list(_flat(data.get("expectedFiles") or data.get("files") or ()))
    folder = data.get("stagingDir") or ""
    return list(dict.fromkeys(os.path.abspath(os.path.join(folder, path)) for path in paths))


def staged(instance: Any) -> list[str]:
    """Return the absolute paths of what the representations and the copies were made from."""
    found = [source for source, _ in _copies(instance)]
    for item in instance.data.get("representations") or ():
        if "delete" in (item.get("tags") or ()):
            continue
        folder = item.get("stagingDir") or instance.data.get("stagingDir") or ""
        files = item.get("files") or ()
        found += [os.path.join(folder, name) for name in ([files] if isinstance(files, str) else files)]
    return [os.path.abspath(path) for path in found]


def loaded(instance: Any) -> Iterator[str]:
    """Yield the paths of the work file, and of what the pipeline names as ``inputs`` by path."""
    current = instance.context.data.get("currentFile")
    named = instance.data.get("inputs") or ()
    for item in (current, *(named if isinstance(named, (list, tuple)) else (named,))):
        path = item.get("path") if isinstance(item, dict) else item
        if isinstance(path, str) and os.path.isfile(path):
            yield path


def production_of(instance: Any) -> dict[str, Any] | None:
    """Return the settings of the production that the instance belongs to: by its files, else by its name."""
    paths = [*loaded(instance), *staged(instance), *published(instance)[:1]]
    for path in paths:
        production = rakkan_capture.production_of(path)
        if production is not None:
            return production
    named = instance.context.data.get("projectName")
    productions: list[dict[str, Any]] = rakkan_capture.settings().get("productions", [])
    return next((each for each in productions if each.get("name") == named), None)


def place_of(instance: Any) -> dict[str, Any]:
    """Return where in the production the instance belongs.

    The folder of a shot is its sequence and its name; that of an asset is no shot, and stands in the
    parameters.
    """
    data, context = instance.data, instance.context.data
    production = production_of(instance)
    place = {
        "episode": data.get("episode"),
        "production": production["name"] if production else data.get("project") or context.get("projectName"),
        "sequence": data.get("sequence"),
        "shot": data.get("shot"),
        "task": data.get("task") or context.get("task"),
        "version": _version(data),
    }
    folder = _folder(instance)
    if folder and not place["shot"] and (data.get("folderEntity") or {}).get("folderType") in (None, "Shot"):
        place["shot"] = folder[-1]
        place["sequence"] = place["sequence"] or (folder[-2] if len(folder) > 1 else None)
    found: dict[str, Any] = {
        name: HIDDEN.sub("?", value)[:200]
        for name, value in place.items()
        if value and isinstance(value, str)
    }
    first, last = (data.get("frame%sHandle" % end, data.get("frame%s" % end)) for end in ("Start", "End"))
    if isinstance(first, (int, float)) and isinstance(last, (int, float)) and first <= last:
        found["frames"] = [int(first), int(last)]
    return found


def parameters_of(instance: Any) -> dict[str, str]:
    """Return what the tracker calls all this: product, folder, and AYON's ids of versions."""
    data = instance.data
    entity = data.get("versionEntity") or {}
    used = [*(data.get("inputVersions") or ()), *(instance.context.data.get("loadedVersions") or ())]
    found = {
        "folder": "/".join(_folder(instance)),
        "product": data.get("productName") or data.get("subset"),
        "ayon.version": entity.get("id"),
        "ayon.inputVersions": " ".join(dict.fromkeys(_version_id(item) for item in used)),
    }
    return {name: str(value) for name, value in found.items() if value}


def tool_of(instance: Any) -> tuple[str, str]:
    """Return the name and the version of the application that publishes, as AYON's launcher names it."""
    name, _, version = os.environ.get("AYON_APP_NAME", "").partition("/")
    return instance.context.data.get("hostName") or name or pyblish.api.current_host(), version or "0"


def action_of(instance: Any) -> str:
    """Return ``render`` for what AYON and others call so, else ``edit``."""
    families = [instance.data.get("family"), *(instance.data.get("families") or ())]
    names = [instance.data.get("productBaseType"), instance.data.get("productType"), *families]
    return "render" if any(str(name).startswith(("render", "prerender")) for name in names) else "edit"


def _copies(instance: Any) -> list[tuple[str, str]]:
    """Return source and target of each file that an integrator was told to copy, or did copy."""
    made = (instance.data.get("published_representations") or {}).values()
    lists = [*(item.get("transfers") for item in made), *map(instance.data.get, ("transfers", "hardlinks"))]
    return [(source, target) for pairs in lists for source, target in pairs or ()]


def _folder(instance: Any) -> list[str]:
    data = instance.data
    path = data.get("folderPath") or instance.context.data.get("folderPath")
    if not path and data.get("asset"):  # OpenPype
        path = "%s/%s" % (data.get("hierarchy") or "", data["asset"])
    return [part for part in str(path or "").split("/") if part]


def _version(data: dict[str, Any]) -> str | None:
    number = (data.get("versionEntity") or {}).get("version", data.get("version"))
    return "v%03d" % number if isinstance(number, int) else number


def _version_id(item: Any) -> str:
    return str(item.get("version_id") if isinstance(item, dict) else getattr(item, "version_id", item))


def _flat(files: Any) -> Iterator[str]:
    """Yield the paths of ``expectedFiles``: a list of them, or of objects with such lists by passes."""
    for item in files if isinstance(files, (list, tuple)) else [files]:
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            for value in item.values():
                yield from _flat(value)
