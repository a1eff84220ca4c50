"""diffusers: which pipeline made a saved picture, with which weights, from what.

It lies among a Python's packages as ``rakkan_diffusers_record.py``.

A pipeline gives pictures in memory. Each is followed from there, through Pillow's operations, to the file
that it is saved to: that is when a record is written. What is never saved is not recorded. Weights and
pictures that have no file we could name are listed in the parameter ``unresolved``.
"""

from __future__ import annotations

import functools
import inspect
import os
import sys
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import rakkan_capture
import rakkan_diffusers_weights as weights

HOOK = {"name": "diffusers", "version": "1"}
File = dict[str, Any]


class Harmless:
    """What fails inside is a fault on record, and none of the tool's. Only a refusal gets out."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception) or isinstance(error, rakkan_capture.CaptureRefusedError):
            return False
        rakkan_capture.fault(error)
        return True


class Call:
    """One call of a pipeline, and what a record says of it. ``before`` are the calls that it goes on from."""

    def __init__(self) -> None:
        self.started = rakkan_capture.now()
        self.inputs: list[File] = []
        self.parameters: dict[str, str] = {}
        self.secrets: dict[str, str] = {}
        self.before: tuple[Call, ...] = ()


class Trace:
    """Where a picture in memory comes from: files, calls, and the file that it is saved to by now."""

    def __init__(self, files: tuple[str, ...] = (), calls: tuple[Call, ...] = (), saved: str = "") -> None:
        self.files = files
        self.calls = calls
        self.saved = saved

    def __add__(self, other: Trace) -> Trace:
        both = (*self.files, *other.files), (*self.calls, *other.calls)
        return Trace(tuple(dict.fromkeys(both[0])), tuple(dict.fromkeys(both[1])))


traces = weights.Memory()
"""The trace of each picture and array that a pipeline gave, or that was made of one."""
here = threading.local()
"""Whether this thread is writing a file (``saving``): what is saved on the way there is a part of it."""


def watch_pipelines(module: Any) -> None:
    """Prepare the base class of all pipelines: what is derived from it is watched."""
    base = module.DiffusionPipeline

    def derived(cls: Any, /, **more: Any) -> None:
        super(base, cls).__init_subclass__(**more)
        with Harmless():
            _watch_class(cls)

    base.__init_subclass__ = classmethod(derived)
    load = weights.loading(base.from_pretrained.__func__, weights.note_options, Harmless)
    base.from_pretrained = classmethod(load)
    _watch_pictures(sys.modules["PIL.Image"].Image)


def watch_exports(module: Any) -> None:
    """Prepare the functions that write films."""
    for name in ("export_to_video", "export_to_gif"):
        setattr(module, name, _exporting(getattr(module, name)))


def _watch_class(cls: Any) -> None:
    if "__call__" in vars(cls):
        cls.__call__ = _calling(cls.__call__)
    for name, note in weights.LOADERS.items():
        function = getattr(cls, name, None)
        if function is not None and not hasattr(function, "rakkan"):
            loading = weights.loading(getattr(function, "__func__", function), note, Harmless)
            setattr(cls, name, classmethod(loading) if hasattr(function, "__func__") else loading)


def _calling(function: Any) -> Any:
    """Return a pipeline's ``__call__`` that marks what it gives."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(pipe: Any, *given: Any, **named: Any) -> Any:
        made = None
        with Harmless():
            made = _begin(pipe, signature, given, named)
        result = function(pipe, *given, **named)
        if made is not None:
            with Harmless():
                # Where a derived class called the one that it is derived from, this is the outer call.
                for picture in _pictures(result):
                    traces[picture] = Trace(calls=(made,))
        return result

    return call


def _begin(pipe: Any, signature: Any, given: Any, named: Any) -> Call | None:
    try:
        bound = signature.bind(pipe, *given, **named)
    except TypeError:  # the pipeline will say so itself
        return None
    bound.apply_defaults()
    said = dict(list(bound.arguments.items())[1:])
    made = Call()
    scheduler = getattr(pipe, "scheduler", None)
    made.parameters = {"pipeline": type(pipe).__name__, "scheduler": type(scheduler).__name__}
    unresolved = []
    for name, path in _read(pipe, said, made.parameters):
        if path and os.path.isfile(path):
            made.inputs.append(rakkan_capture.file(path, "model"))
        else:
            unresolved.append(name)
    controls = "control_image" not in said and bool({"controlnet", "adapter"} & set(pipe.components))
    for name, value in said.items():
        unresolved += _argument(made, name, value, controls=controls)
    if unresolved:
        made.parameters["unresolved"] = ", ".join(unresolved)
    return made


def _read(pipe: Any, said: dict[str, Any], parameters: dict[str, str]) -> Iterator[tuple[str, str | None]]:
    """Yield the files of weights that have a part in a call, each with what it is to the pipeline."""
    for key, model in weights.models(pipe).items():
        for path in [*(weights.files_of(model) or [None]), *weights.learned.get(model, [])]:
            yield key, path
    for name, weight, path in weights.used_loras(pipe, said):
        parameters["lora " + name] = weight
        yield "lora " + name, path


def _argument(made: Call, name: str, value: Any, *, controls: bool) -> list[str]:
    """Take down an argument of a call; return its name if it holds a picture that nobody knows."""
    texts = value if isinstance(value, list) else [value]
    if isinstance(value, (int, float)) and name != "return_dict":
        made.parameters[name] = str(value)
    elif "prompt" in name and all(isinstance(text, str) for text in texts):
        made.secrets[name] = "\n".join(texts)
    elif name == "generator":
        made.parameters["seed"] = ", ".join(str(item.initial_seed()) for item in texts if item is not None)
    pictures = [_trace(picture) for picture in _pictures(value)]
    for trace in pictures:
        files = [trace.saved] if trace.saved else [path for path in trace.files if os.path.isfile(path)]
        made.inputs += [rakkan_capture.file(path, _role(name, controls=controls)) for path in files]
        made.before += () if trace.saved else trace.calls
    return [name] if any(not (trace.files or trace.calls) for trace in pictures) else []


def _role(name: str, *, controls: bool) -> str:
    if "mask" in name:
        return "inpaint"
    if "control" in name or (controls and name == "image"):
        return "control"
    return "parent" if name in ("image", "video", "latents") else "reference"


def _pictures(value: Any) -> Iterator[Any]:
    """Yield the pictures and arrays in what a pipeline takes or gives."""
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _pictures(item)
    elif hasattr(value, "keys") and hasattr(value, "values"):
        for item in value.values():
            yield from _pictures(item)
    elif (hasattr(value, "shape") and hasattr(value, "dtype")) or hasattr(value, "getbands"):
        yield value


def _trace(picture: Any) -> Trace:
    """Return what is known of a picture, of the array that it is a view of, or of its file."""
    found = traces.get(picture)
    if isinstance(found, Trace):
        return found
    whole = getattr(picture, "base", None) if hasattr(picture, "strides") else getattr(picture, "_base", None)
    if whole is not None and hasattr(whole, "shape"):
        return _trace(whole)
    opened = getattr(picture, "filename", "")
    return Trace((os.path.abspath(opened),)) if opened and isinstance(opened, (str, os.PathLike)) else Trace()


def _watch_pictures(image: Any) -> None:
    """Follow pictures through Pillow's operations, into their files."""
    make, paste, save = image._new, image.paste, image.save  # noqa: SLF001 - all of them make their result there

    @functools.wraps(make)
    def making(picture: Any, core: Any) -> Any:
        made = make(picture, core)
        with Harmless():
            trace = _trace(picture)
            if trace.files or trace.calls:
                traces[made] = trace
        return made

    @functools.wraps(paste)
    def pasting(picture: Any, other: Any, *given: Any, **named: Any) -> None:
        paste(picture, other, *given, **named)
        with Harmless():
            traces[picture] = _trace(picture) + _trace(other)

    @functools.wraps(save)
    def storing(picture: Any, target: Any, *given: Any, **named: Any) -> None:
        with _Record(target, [picture]):
            save(picture, target, *given, **named)

    image._new, image.paste, image.save = making, pasting, storing  # noqa: SLF001 - see above


def _exporting(function: Any) -> Any:
    @functools.wraps(function)
    def export(frames: Any, target: Any = None, *given: Any, **named: Any) -> Any:
        if target is None:  # a temporary file
            return function(frames, target, *given, **named)
        with _Record(target, frames):
            return function(frames, target, *given, **named)

    return export


class _Record:
    """The writing of a file: recorded at its end, if a pipeline has a part in it and it did not fail."""

    def __init__(self, target: Any, pictures: Any) -> None:
        self.target = target
        self.pictures = pictures
        self.trace = Trace()
        self.within = getattr(here, "saving", False)

    def __enter__(self) -> None:
        with Harmless():
            if isinstance(self.target, (str, os.PathLike)) and not self.within:
                self.trace = sum(map(_trace, _pictures(self.pictures)), Trace())
            if self.trace.calls:
                rakkan_capture.check(rakkan_capture.production_of(self.target))
        here.saving = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        here.saving = self.within
        if self.trace.calls and kind is None:
            with Harmless():
                self._write()

    def _write(self) -> None:
        path = os.path.abspath(self.target)
        calls = list(_in_order(self.trace.calls))
        parameters, secrets = {}, {}
        for number, call in enumerate(calls, 1):
            mark = "" if call is calls[-1] else "%d " % number
            parameters.update({mark + name: value for name, value in call.parameters.items()})
            secrets.update({mark + name: value for name, value in call.secrets.items()})
        inputs = [item for call in calls for item in call.inputs]
        inputs += [
            rakkan_capture.file(item, "component") for item in self.trace.files if os.path.isfile(item)
        ]
        rakkan_capture.spool(
            {
                "hook": HOOK,
                "layer": "app",
                "action": "generate",
                "tool": {"name": "diffusers", "version": sys.modules["diffusers"].__version__},
                "started": calls[0].started,
                "outputs": [rakkan_capture.file(path)],
                "inputs": list({(item["path"], item["role"]): item for item in inputs}.values()),
                "parameters": parameters,
                "secrets": secrets,
            }
        )
        for picture in _pictures(self.pictures):
            known = _trace(picture)
            traces[picture] = Trace(known.files, known.calls, path)


def _in_order(calls: tuple[Call, ...]) -> Iterator[Call]:
    """Yield calls, each once and after those that it goes on from."""
    found: dict[Call, None] = {}
    for call in calls:
        found.update(dict.fromkeys([*_in_order(call.before), call]))
    yield from found
