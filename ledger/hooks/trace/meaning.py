"""What a command did, by its name and its files: the action, and the role of each input.

* Weights are models, and what comes out of a command that reads weights is generated.
* Who reads pictures and writes weights trains: the pictures are its dataset.
* One picture that goes in is the parent of what comes out; of several, each is a component.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ledger.hooks.trace.roots import is_weights

PICTURES = re.compile(
    r"\.(avif|bmp|cin|dng|dpx|exr|gif|hdr|heic|jp2|jpe?g|jxl|pgm|png|ppm|psd|svg|tga|tiff?|tx|webp)$",
    re.IGNORECASE,
)
MOVIES = re.compile(r"\.(avi|m4v|mkv|mov|mp4|mpe?g|mxf|webm)$", re.IGNORECASE)
RENDERERS = ("blender",)
CONVERTERS = ("ffmpeg",)


def is_picture(path: str) -> bool:
    """Whether a file is a picture, by its name."""
    return PICTURES.search(path) is not None


def is_movie(path: str) -> bool:
    """Whether a file is a movie, by its name."""
    return MOVIES.search(path) is not None


def is_training(inputs: Sequence[str], outputs: Sequence[str]) -> bool:
    """Whether a model was made from pictures."""
    return any(map(is_weights, outputs)) and any(map(is_picture, inputs))


def action(tool: str, inputs: Sequence[str], outputs: Sequence[str]) -> str:
    """Return the action that the record names."""
    media = [path for path in inputs if is_picture(path) or is_movie(path)]
    if is_training(inputs, outputs):
        return "generate"
    if tool.startswith(RENDERERS):
        return "render"
    if tool.startswith(CONVERTERS) or any(map(is_movie, [*media, *outputs])):
        return "convert"
    if any(map(is_weights, inputs)) and not any(map(is_weights, outputs)):
        return "generate"
    if media:
        return "edit"
    return "convert" if inputs else "render"


def roles(chosen: str, inputs: Sequence[str], outputs: Sequence[str]) -> dict[str, str]:
    """Return the role of each input in this action."""
    training = is_training(inputs, outputs)
    pictures = [path for path in inputs if is_picture(path)]
    found = {}
    for path in inputs:
        if is_weights(path):
            found[path] = "model"
        elif training and is_picture(path):
            found[path] = "dataset"
        elif chosen == "edit" and pictures == [path]:
            found[path] = "parent"
        else:
            found[path] = "component"
    return found
