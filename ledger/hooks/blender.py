"""Blender: what was rendered and what was saved, from which files.

It lies in the folder ``startup`` of a scripts folder of Blender, as ``rakkan_hook.py``, and
``rakkan_capture.py`` in ``modules`` beside it: what lies there can be imported, and is not loaded by itself.

* One record for a render, however many frames it has; a long one is handed over every ``FLUSH_SECONDS``.
* An output is a file that changed between a frame's begin and its end. A name alone says nothing: a single
  still has no frame number, and Blender reports a frame as written that could not be.
* Nothing that an artist sets is changed.
"""

from __future__ import annotations

import atexit
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any

import bpy

# Blender itself does so a moment later: it loads the start-up scripts before it looks at their modules.
sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "modules"))

import rakkan_capture

HOOK = {"name": "blender", "version": "1"}
FLUSH_SECONDS = 60
"""What a crash of Blender loses at most, in seconds of rendering."""
FLUSH_FILES = 1000

File = dict[str, Any]
Stamps = dict[str, list[int]]


class _Now:
    """What Blender does now: its handlers are given nothing to keep."""

    job: Job | None = None
    opened: File | None = None
    """The .blend file as it was when it was loaded, or last saved."""


class Job:
    """One render: what goes into it, and what has come out since the last record."""

    def __init__(self, scene: Any) -> None:
        self.inputs = _parents() + _used_files()
        self.parameters = _parameters(scene)
        self.movies = _targets(scene) if scene.render.is_movie_format else []
        self.passes = list(_passes(scene))
        self.before = _stamps([*self.movies, *self._found()])
        self.frame_before: Stamps = {}
        self._begin()

    def _begin(self) -> None:
        self.started = rakkan_capture.now()
        self.since = time.monotonic()
        self.outputs: dict[str, File] = {}
        self.frames: list[int] = []

    def before_frame(self, scene: Any) -> None:
        """Look at what stands where the frame will be written."""
        self.frame_before = {} if self.movies else _stamps(_targets(scene))

    def after_frame(self, scene: Any) -> None:
        """Take down the frame that is on disk now."""
        self.frames.append(int(scene.frame_current))
        if self.movies:
            return
        self._take(_targets(scene), self.frame_before)
        if len(self.outputs) >= FLUSH_FILES or time.monotonic() - self.since > FLUSH_SECONDS:
            self.flush()

    def end(self, failed: str | None) -> None:
        """Hand over the rest, and a movie, which is whole only now."""
        self._take(self.movies, self.before)
        self.flush(failed)

    def flush(self, failed: str | None = None) -> None:
        """Write a record of what has come out, if anything has, and begin the next."""
        found = self._found()
        self._take(found, self.before)
        if self.outputs:
            place = {"frames": [min(self.frames), max(self.frames)]} if self.frames else {}
            _spool(
                "render",
                outputs=list(self.outputs.values()),
                inputs=self.inputs,
                parameters=self.parameters,
                place=place,
                started=self.started,
                failed=failed,
            )
        self.before.update(_stamps(found))
        self._begin()

    def _take(self, paths: Iterable[str], before: Stamps) -> None:
        for path, stamp in _stamps(paths).items():
            if before.get(path) != stamp:
                self.outputs[path] = rakkan_capture.file(path)

    def _found(self) -> list[str]:
        """Return the files that the compositor's File Output nodes may have written."""
        found = []
        for prefix in self.passes:
            folder, start = os.path.split(prefix)
            named = re.compile(re.escape(start) + r".*\d.*\.\w+")
            found += [os.path.join(folder, name) for name in _names(folder) if named.fullmatch(name)]
        return found


class _Harmless:
    """What fails inside is a fault on record, and none of Blender's."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        rakkan_capture.fault(error)
        return True


def on_render_init(scene: Any, *_: Any) -> None:
    """Look at what goes into the render that begins."""
    with _Harmless():
        _Now.job = Job(scene)


def on_render_pre(scene: Any, *_: Any) -> None:
    """Look at what stands where the frame will be written."""
    with _Harmless():
        if _Now.job:
            _Now.job.before_frame(scene)


def on_render_write(scene: Any, *_: Any) -> None:
    """Take down the frame that is on disk now."""
    with _Harmless():
        if _Now.job:
            _Now.job.after_frame(scene)


def on_render_complete(*_: Any) -> None:
    """Hand over the render."""
    _end()


def on_render_cancel(*_: Any) -> None:
    """Hand over what there is of the render."""
    _end("cancelled")


def on_load_post(*_: Any) -> None:
    """Look at the .blend file that was opened."""
    with _Harmless():
        _Now.opened = rakkan_capture.file(bpy.data.filepath) if bpy.data.filepath else None


def on_save_post(path: Any = None, *_: Any) -> None:
    """Take down the .blend file that was saved, with the one that it was opened from."""
    with _Harmless():
        saved = rakkan_capture.file(path if isinstance(path, str) and path else bpy.data.filepath)
        _spool("edit", outputs=[saved], inputs=_parents() + _used_files())
        if saved["path"] == os.path.abspath(bpy.data.filepath):  # not after saving a copy
            _Now.opened = saved


HANDLERS: dict[str, Callable[..., None]] = {
    "render_init": on_render_init,
    "render_pre": on_render_pre,
    "render_write": on_render_write,
    "render_complete": on_render_complete,
    "render_cancel": on_render_cancel,
    "load_post": on_load_post,
    "save_post": on_save_post,
}


def register() -> None:
    """Blender calls this when it starts."""
    if not rakkan_capture.enabled():
        return
    for name, handler in HANDLERS.items():
        # Persistent: it stays when another file is opened.
        getattr(bpy.app.handlers, name).append(bpy.app.handlers.persistent(handler))
    atexit.register(_end, "the program ended")


def unregister() -> None:
    """Blender calls this when scripts are reloaded."""
    atexit.unregister(_end)
    for name, handler in HANDLERS.items():
        handlers = getattr(bpy.app.handlers, name)
        if handler in handlers:
            handlers.remove(handler)


def _end(failed: str | None = None) -> None:
    with _Harmless():
        job, _Now.job = _Now.job, None
        if job:
            job.end(failed)


def _spool(action: str, **more: Any) -> None:
    tool = {"name": "Blender", "version": bpy.app.version_string, "path": bpy.app.binary_path or None}
    rakkan_capture.spool({"hook": HOOK, "layer": "app", "action": action, "tool": tool, **more})


def _targets(scene: Any) -> list[str]:
    """Return where this frame may be written: by its number, for each view, or as a single still."""
    render = scene.render
    views = [view.name for view in render.views if view.use] if render.use_multiview else [""]
    numbered = [render.frame_path(frame=scene.frame_current, view=view) for view in views]
    still = bpy.path.abspath(render.filepath)
    if render.use_file_extension:
        still = bpy.path.ensure_ext(still, render.file_extension)
    return [os.path.abspath(path) for path in dict.fromkeys([*numbered, still])]


def _passes(scene: Any) -> Iterator[str]:
    """Yield how the paths begin that the compositor's File Output nodes write."""
    tree = getattr(scene, "compositing_node_group", None) or getattr(scene, "node_tree", None)
    for node in _nodes(tree, 0):
        if node.type != "OUTPUT_FILE" or node.mute:
            continue
        if hasattr(node, "directory"):  # Blender 5
            start = os.path.join(node.directory, node.file_name)
            layers = node.format.media_type == "MULTI_LAYER_IMAGE"
            starts = [start] if layers else [start + item.name for item in node.file_output_items]
        elif node.format.file_format == "OPEN_EXR_MULTILAYER":
            starts = [node.base_path]
        else:
            starts = [os.path.join(node.base_path, slot.path) for slot in node.file_slots]
        for start in starts:
            yield os.path.abspath(bpy.path.abspath(re.split(r"[#{]", start)[0])) + _slash(start)


def _slash(start: str) -> str:
    return os.sep if start.endswith(("/", os.sep)) else ""


def _nodes(tree: Any, depth: int) -> Iterator[Any]:
    for node in tree.nodes if tree and depth < 8 else ():
        yield node
        if node.type == "GROUP":
            yield from _nodes(node.node_tree, depth + 1)


def _parents() -> list[File]:
    """Return the .blend file as it was opened: what is on disk by now may be another."""
    return [{**_Now.opened, "role": "parent"}] if _Now.opened else []


def _used_files() -> list[File]:
    """Return the files that the open one names and that are there, without those of Blender itself."""
    own = [os.path.abspath(path) for path in map(bpy.utils.resource_path, ("LOCAL", "SYSTEM")) if path]
    sequences = {
        os.path.abspath(bpy.path.abspath(item.filepath, library=item.library))
        for item in [*bpy.data.images, *bpy.data.movieclips, *bpy.data.cache_files, *bpy.data.volumes]
        if getattr(item, "source", "") == "SEQUENCE" or getattr(item, "is_sequence", False)
    }
    paths: dict[str, None] = {}
    for path in map(os.path.abspath, bpy.utils.blend_paths(absolute=True, packed=False)):
        if not any(rakkan_capture.is_under(path, root) for root in own):
            paths.update(dict.fromkeys(_expanded(path, sequence=path in sequences)))
    return [rakkan_capture.file(path, "component") for path in paths if os.path.isfile(path)]


def _expanded(path: str, *, sequence: bool) -> list[str]:
    """Return the tiles or the frames for which a path stands, or the path itself.

    Of a sequence that is every frame in the folder: which of them a render reads, nobody says.
    """
    folder, name = os.path.split(path)
    pattern = re.escape(name).replace(r"<UDIM>", r"\d{4}").replace(r"<UVTILE>", r"u\d+_v\d+")
    if sequence:
        pattern = re.sub(r"\d+(?=\D*$)", lambda _: r"\d+", pattern)
    if pattern == re.escape(name):
        return [path]
    return [os.path.join(folder, found) for found in _names(folder) if re.fullmatch(pattern, found)]


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _stamps(paths: Iterable[str]) -> Stamps:
    """Return what the file system says of each of the files that are there."""
    found = {}
    for path in paths:
        if os.path.isfile(path):
            found[path] = rakkan_capture.stamp(os.stat(path))
    return found


def _parameters(scene: Any) -> dict[str, str]:
    render = scene.render
    found: dict[str, Any] = {
        "engine": render.engine,
        "resolution": "%dx%d" % (render.resolution_x, render.resolution_y),
        "scale": "%d%%" % render.resolution_percentage,
        "frames": "%d-%d step %d" % (scene.frame_start, scene.frame_end, scene.frame_step),
        "view": scene.view_settings.view_transform,
        "saved": str(not bpy.data.is_dirty).lower(),
    }
    if render.engine == "CYCLES":
        found["samples"] = scene.cycles.samples
        found["seed"] = scene.cycles.seed
    elif "EEVEE" in render.engine:
        found["samples"] = scene.eevee.taa_render_samples
    return {name: str(value) for name, value in found.items()}
