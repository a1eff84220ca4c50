"""A studio's own pyblish plug-ins: they leave in an instance what those of ayon-core 1.9 leave there.

Run by pyblish in its own Python: standard library and pyblish only. ``PUBLISH`` is a JSON file that says what
is collected.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pyblish.api


class CollectStudio(pyblish.api.ContextPlugin):
    order = pyblish.api.CollectorOrder

    def process(self, context: Any) -> None:
        said = json.loads(Path(os.environ["PUBLISH"]).read_text(encoding="utf-8"))
        context.data.update(said["context"])
        for name, data in said["instances"].items():
            context.create_instance(name).data.update(data)


class IntegrateStudio(pyblish.api.InstancePlugin):
    """Copies what was staged, as AYON's `IntegrateAsset` does."""

    order = pyblish.api.IntegratorOrder

    def process(self, instance: Any) -> None:
        target = instance.data.get("publishDir")
        if not target or instance.data.get("farm"):
            return
        Path(target).mkdir(parents=True, exist_ok=True)
        published = {}
        for number, item in enumerate(instance.data["representations"]):
            files = [item["files"]] if isinstance(item["files"], str) else item["files"]
            folder = item.get("stagingDir") or instance.data["stagingDir"]
            transfers = [(f"{folder}/{name}", f"{target}/{name}") for name in files]
            for source, copy in transfers:
                shutil.copyfile(source, copy)
            published[f"id{number}"] = {
                "representation": {"name": item["name"]},
                "transfers": transfers,
                "published_files": [copy for _, copy in transfers],
            }
        instance.data["published_representations"] = published
        instance.data["versionEntity"] = {"id": "5e1f00d5", "version": 7}
