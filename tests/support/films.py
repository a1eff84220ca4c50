"""Films of real frames, encoded by the real ffmpeg."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory

import pytest

from tests.support.media import FFMPEG

needs_ffmpeg = pytest.mark.skipif(FFMPEG is None, reason="ffmpeg is not installed")
LOSSLESS = ("-c:v", "ffv1", "-pix_fmt", "gbrp")
LOSSY = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "23")


def encode(frames: Sequence[Path], movie: Path, codec: Sequence[str] = LOSSLESS) -> Path:
    """Write a film of these pictures, one after the other, and return its path."""
    with TemporaryDirectory() as folder:
        for number, frame in enumerate(frames):
            copyfile(frame, Path(folder, f"{number:06}.png"))
        command = ["ffmpeg", "-v", "error", "-y", "-framerate", "24", "-i", f"{folder}/%06d.png"]
        subprocess.run([*command, *codec, str(movie)], check=True)
    return movie
