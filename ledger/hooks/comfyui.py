"""Records what ComfyUI makes. Zero nodes: artists see nothing of it, and nothing of it is in their graphs.

Installed as the package ``custom_nodes/rakkan_recorder``: this file as ``__init__.py``, and beside it
``comfyui_graph.py``, ``comfyui_run.py`` and ``rakkan_capture.py``. Takes effect when ComfyUI starts.

* ComfyUI has no interface for observers, so the method that executes a prompt is wrapped, if it is the one
  that this file knows. If it is not, one line in ComfyUI's log says so, and ``comfyui_poller`` is the way.
* Nothing here raises into ComfyUI. A production with the policy ``refuse`` fails a prompt as ComfyUI itself
  would, with the reason where artists see errors.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
import logging
import uuid
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from . import comfyui_run, rakkan_capture

NODE_CLASS_MAPPINGS: dict[str, Any] = {}
ARGUMENTS = ["self", "prompt", "prompt_id", "extra_data", "execute_outputs"]
HISTORY = ("prompt_id", "prompt", "extra_data", "execute_outputs")
"""The same, in the order of ComfyUI's history."""
METHODS = ("execute_async", "execute")
"""What may be wrapped: the first since July 2025 (0.3.45), the second before."""

_log = logging.getLogger("rakkan")


class ComfyUI(NamedTuple):
    """The modules of the ComfyUI that this runs in, and what there is to be wrapped."""

    executor: Any
    method: str
    folder_paths: Any
    classes: Mapping[str, Any]
    server: Any
    version: str


def find() -> ComfyUI:
    """Return the ComfyUI around us. Raises ``ImportError`` or ``AttributeError`` if it is not as expected."""
    executor = importlib.import_module("execution").PromptExecutor
    method = next((name for name in METHODS if hasattr(executor, name)), METHODS[-1])
    folders = importlib.import_module("folder_paths")
    found = ComfyUI(
        executor,
        method,
        folders,
        importlib.import_module("nodes").NODE_CLASS_MAPPINGS,
        importlib.import_module("server").PromptServer.instance,
        str(importlib.import_module("comfyui_version").__version__),
    )
    arguments = list(inspect.signature(getattr(executor, method)).parameters)
    if arguments != ARGUMENTS:
        raise AttributeError("%s takes %s" % (method, ", ".join(arguments)))
    for owner, names in (
        (
            folders,
            ("folder_names_and_paths", "get_input_directory", "get_output_directory", "get_temp_directory"),
        ),
        (executor, ("add_message",)),
        (found.server, ("add_on_prompt_handler",)),
    ):
        for name in names:
            getattr(owner, name)
    return found


def install() -> bool:
    """Begin to record, and return whether that was possible."""
    try:
        comfyui = find()
        original = getattr(comfyui.executor, comfyui.method)
        if not hasattr(original, "rakkan"):
            comfyui.server.add_on_prompt_handler(on_prompt)
            setattr(comfyui.executor, comfyui.method, watched(comfyui, original))
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        _log.warning(
            "Rakkan does not record: this ComfyUI is not as expected (%s). See comfyui_poller.", error
        )
        return False
    return True


def watched(comfyui: ComfyUI, original: Callable[..., Any]) -> Callable[..., Any]:
    """Return the method that executes a prompt, with recording around it."""
    signature = inspect.signature(original)

    @functools.wraps(original)
    async def execute_async(self: Any, *arguments: Any, **named: Any) -> Any:
        run = Execution(comfyui, signature.bind(self, *arguments, **named).arguments)
        if not run.may_begin():
            return None
        try:
            return await original(self, *arguments, **named)
        finally:
            run.record()

    @functools.wraps(original)
    def execute(self: Any, *arguments: Any, **named: Any) -> Any:
        run = Execution(comfyui, signature.bind(self, *arguments, **named).arguments)
        if not run.may_begin():
            return None
        try:
            return original(self, *arguments, **named)
        finally:
            run.record()

    wrapper = execute_async if inspect.iscoroutinefunction(original) else execute
    wrapper.__dict__["rakkan"] = True
    return wrapper


class Execution:
    """One prompt, while it is executed."""

    def __init__(self, comfyui: ComfyUI, given: Mapping[str, Any]) -> None:
        self._comfyui, self._executor = comfyui, given["self"]
        self._prompt: list[Any] = [0, *(given.get(name) for name in HISTORY)]
        self._before = getattr(self._executor, "history_result", None)

    def may_begin(self) -> bool:
        """Whether the prompt may run. If its production refuses, the prompt has failed when this returns."""
        production = None
        with contextlib.suppress(Exception):  # settings that cannot be read stop no work
            production = rakkan_capture.production_of(self._comfyui.folder_paths.get_output_directory())
        try:
            rakkan_capture.check(production)
        except rakkan_capture.CaptureRefusedError as error:
            self._executor.history_result = {"outputs": {}, "meta": {}}
            self._executor.status_messages = []
            self._fail(error)
            return False
        return True

    def record(self) -> None:
        """Spool what the prompt made. Never raises: this runs in ComfyUI's only worker."""
        try:
            result = getattr(self._executor, "history_result", None)
            if result is not None and result is not self._before and rakkan_capture.enabled():
                status = {"messages": self._executor.status_messages}
                entry = {"prompt": self._prompt, "status": status, **result}
                for record in comfyui_run.records(entry, self._installation(), "app"):
                    rakkan_capture.spool(record)
        except rakkan_capture.CaptureRefusedError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - ComfyUI's only worker must live on
            rakkan_capture.fault(error)
            _log.exception("Rakkan could not record this prompt.")

    def _installation(self) -> comfyui_run.Installation:
        paths, classes = self._comfyui.folder_paths, self._comfyui.classes
        models = {name: found[0] for name, found in paths.folder_names_and_paths.items()}
        folders = comfyui_run.Folders(
            models, paths.get_input_directory(), paths.get_output_directory(), paths.get_temp_directory()
        )
        kinds = functools.lru_cache(maxsize=None)(lambda name: kind_of(classes.get(name)))
        return comfyui_run.Installation(kinds, folders, self._comfyui.version)

    def _fail(self, error: Exception) -> None:
        """Let the prompt fail as ComfyUI lets one fail, so that the artist sees why."""
        _number, prompt_id, graph, extra, targets = self._prompt
        node = next(iter(targets or graph), "")
        self._executor.server.client_id = (extra or {}).get("client_id")
        self._executor.success = False
        told = {
            "prompt_id": prompt_id,
            "node_id": node,
            "node_type": graph.get(node, {}).get("class_type", ""),
            "executed": [],
            "exception_message": str(error),
            "exception_type": type(error).__name__,
            "traceback": [],
            "current_inputs": {},
            "current_outputs": [],
        }
        self._executor.add_message("execution_error", told, broadcast=False)


def kind_of(node: Any) -> dict[str, Any]:
    """Return what is asked of a node class, as ``/object_info`` would say it; ``{}`` if it cannot be told."""
    with contextlib.suppress(Exception):  # these are other people's classes, and may compute anything here
        return {
            "output": list(node.RETURN_TYPES),
            "api_node": bool(getattr(node, "API_NODE", False)),
            "category": getattr(node, "CATEGORY", ""),
        }
    return {}


def on_prompt(request: Any) -> Any:
    """Let an id travel in the files that a prompt makes, and return the request.

    Only where the client sends such metadata: nodes fail that look for the workflow wherever there is any.
    """
    extra = request.get("extra_data") if isinstance(request, dict) else None
    told = extra.get("extra_pnginfo") if isinstance(extra, dict) else None
    if isinstance(told, dict) and rakkan_capture.enabled():
        told["rakkan"] = {"step": str(uuid.uuid4())}
    return request


recording = install()
