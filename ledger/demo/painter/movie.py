"""The cut as a film, where ffmpeg is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

RATE = 12
"""Frames a second: animation on twos."""


def encode(frames: str, first: int, target: Path) -> bool:
    """Encode numbered frames (a pattern such as ``shot.%04d.png``) as MP4; return whether that worked."""
    program = shutil.which("ffmpeg")
    if program is None:
        return False
    numbered = ["-framerate", str(RATE), "-start_number", str(first), "-i", frames]
    coded = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "16", "-pix_fmt", "yuv420p"]
    plain = [
        "-map_metadata",
        "-1",
        "-fflags",
        "+bitexact",
        "-flags:v",
        "+bitexact",
        "-movflags",
        "+faststart",
    ]
    command = [program, "-nostdin", "-loglevel", "error", "-y", *numbered, *coded, *plain, str(target)]
    done = subprocess.run(command, capture_output=True, check=False)
    return done.returncode == 0 and target.is_file()
