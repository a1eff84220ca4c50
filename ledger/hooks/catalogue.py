"""Which hooks there are, and where each tool looks for its own. Nothing here is copied into a tool.

A hook belongs into a *place*: a folder that its tool reads, or the packages of a Python. ``files`` says what
is written there; what stands first is there before what needs it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).parent
CLIENT = ("rakkan_capture.py", "rakkan_capture.py")


@dataclass(frozen=True)
class Hook:
    """One hook.

    ``files`` are pairs: the path in the place, and the name of our source. ``module`` is what a Python
    imports to have it; ``start`` a line that each start of that Python runs (a ``.pth`` file). ``variables``
    of the environment name the place, or lists of places. ``within`` is a folder that a right place has.
    ``scripts`` are the sources of a hook that is started and not installed, the one to start first.
    """

    name: str
    tool: str
    page: str
    files: tuple[tuple[str, str], ...] = ()
    place: str = ""
    variables: tuple[str, ...] = ()
    within: str = ""
    module: str = ""
    start: str = ""
    scripts: tuple[str, ...] = ()

    @property
    def sources(self) -> list[str]:
        """The names of our files that it is made of."""
        return [source for _, source in self.files] + list(self.scripts)

    @property
    def run(self) -> str:
        """The command that starts it, for one that is not installed; else an empty text."""
        return f"python3 -m ledger.hooks.{Path(self.scripts[0]).stem}" if self.scripts else ""

    def content(self) -> dict[str, bytes]:
        """Return the bytes of each file by its path in the place, in the order of writing."""
        found = {target: (SOURCES / source).read_bytes() for target, source in self.files}
        if self.start:
            found[f"{self.module}.pth"] = f"{self.start}\n".encode()
        return found

    def places(self) -> list[Path]:
        """Return the places that the environment names."""
        named = (os.environ.get(variable, "") for variable in self.variables)
        return [Path(place) for text in named for place in text.split(os.pathsep) if place]


HOOKS = (
    Hook(
        "blender",
        "Blender",
        "docs/howto/record-blender.md",
        (("modules/rakkan_capture.py", "rakkan_capture.py"), ("startup/rakkan_hook.py", "blender.py")),
        place="a scripts folder of Blender",
        variables=("BLENDER_SYSTEM_SCRIPTS", "BLENDER_USER_SCRIPTS"),
    ),
    Hook(
        "diffusers",
        "Hugging Face diffusers",
        "docs/howto/record-diffusers.md",
        (
            CLIENT,
            ("rakkan_diffusers_weights.py", "diffusers_weights.py"),
            ("rakkan_diffusers_record.py", "diffusers_record.py"),
            ("rakkan_diffusers.py", "diffusers_hook.py"),
        ),
        module="rakkan_diffusers",
        start="import rakkan_diffusers; rakkan_diffusers.install()",
    ),
    Hook(
        "comfyui",
        "ComfyUI",
        "docs/howto/record-comfyui.md",
        (
            ("custom_nodes/rakkan_recorder/rakkan_capture.py", "rakkan_capture.py"),
            ("custom_nodes/rakkan_recorder/comfyui_graph.py", "comfyui_graph.py"),
            ("custom_nodes/rakkan_recorder/comfyui_run.py", "comfyui_run.py"),
            ("custom_nodes/rakkan_recorder/__init__.py", "comfyui.py"),
        ),
        place="the folder of ComfyUI",
        variables=("COMFYUI_PATH",),
        within="custom_nodes",
    ),
    Hook(
        "comfyui-poller",
        "ComfyUI, from outside",
        "docs/howto/record-comfyui.md",
        scripts=("comfyui_poller.py", "comfyui_run.py", "comfyui_graph.py"),
    ),
    Hook(
        "pyblish",
        "pyblish (AYON and others)",
        "docs/howto/record-pyblish.md",
        (CLIENT, ("rakkan_pyblish.py", "pyblish_plugin.py")),
        place="a folder of pyblish plug-ins",
        variables=("PYBLISHPLUGINPATH",),
    ),
    Hook(
        "python",
        "pipeline code in Python",
        "docs/howto/record-python.md",
        (CLIENT,),
        module="rakkan_capture",
    ),
    Hook(
        "remote",
        "calls to remote services from Python",
        "docs/howto/record-remote.md",
        (
            CLIENT,
            *(
                (f"rakkan_{part}.py", f"rakkan_{part}.py")
                for part in ("answers", "attempts", "journal", "clients", "remote")
            ),
        ),
        module="rakkan_remote",
    ),
    Hook(
        "kitsu",
        "Kitsu",
        "docs/howto/record-kitsu.md",
        scripts=("kitsu.py", "kitsu_server.py", "kitsu_verdicts.py"),
    ),
)


def hooks() -> list[Hook]:
    """Return the hooks whose files this edition of Rakkan has."""
    return [hook for hook in HOOKS if all((SOURCES / source).exists() for source in hook.sources)]
