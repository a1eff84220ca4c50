"""diffusers: what is loaded whenever a Python starts, so that what diffusers makes in it is recorded.

It lies among a Python's packages as ``rakkan_diffusers.py``; a ``.pth`` file there calls ``install``. Nothing
else is loaded then: the rest comes with diffusers' own modules, as they are imported.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # typing is slow to load
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


def install() -> None:
    """Record what diffusers makes in this process, once it is imported. A second call does nothing.

    (A virtual environment may read its ``.pth`` files twice.)
    """
    there = any(isinstance(finder, Finder) for finder in sys.meta_path)
    if os.environ.get("RAKKAN_CAPTURE") != "0" and not there:
        watched = {
            "diffusers.pipelines.pipeline_utils": _watch_pipelines,
            "diffusers.utils.export_utils": _watch_exports,
        }
        sys.meta_path.insert(0, Finder(watched))


def _watch_pipelines(module: Any) -> None:
    import rakkan_diffusers_record

    rakkan_diffusers_record.watch_pipelines(module)


def _watch_exports(module: Any) -> None:
    import rakkan_diffusers_record

    rakkan_diffusers_record.watch_exports(module)


class Finder:
    """Calls a function with a module that has just been imported; finds modules as the other finders do."""

    def __init__(self, watched: Mapping[str, Callable[[Any], None]]) -> None:
        self.watched = watched

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Return what another finder finds, or ``None`` for what is not watched."""
        if name not in self.watched:
            return None
        after = sys.meta_path[sys.meta_path.index(self) + 1 :]
        found = (finder.find_spec(name, path, target) for finder in after)
        spec = next((spec for spec in found if spec is not None), None)
        if spec is not None and spec.loader is not None:
            vars(spec.loader)["exec_module"] = self._then(spec.loader.exec_module, self.watched[name])
        return spec

    @staticmethod
    def _then(run: Callable[[Any], None], watch: Callable[[Any], None]) -> Callable[[Any], None]:
        def exec_module(module: Any) -> None:
            run(module)
            try:
                watch(module)
            except Exception as error:  # noqa: BLE001 - no fault of ours may stop an import
                import rakkan_capture

                rakkan_capture.fault(error)

        return exec_module
