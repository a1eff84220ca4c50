"""One run of `rakkan demo`, shared by every test that looks at what it leaves behind."""

import fcntl
import functools
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Demo:
    """What the run left behind. `folder` has a space in its path; `untouched` is as it was when it ended."""

    folder: Path
    untouched: Path
    out: str
    err: str
    story: dict[str, Any]


def rakkan(*arguments: str, cwd: Path = ROOT, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command with no terminal, and with no studio but the one given."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("RAKKAN")}
    return subprocess.run(
        [sys.executable, "-m", "ledger", *arguments],
        cwd=cwd,
        env=own | {"PYTHONPATH": str(ROOT)} | ({"RAKKAN_HOME": str(home)} if home else {}),
        capture_output=True,
        text=True,
        check=False,
    )


@functools.cache
def run_once(scratch: Path) -> Demo:
    """Run the demo under the session's scratch folder, the first time that any of its processes asks."""
    shared = scratch.parent if "PYTEST_XDIST_WORKER" in os.environ else scratch
    folder, said = shared / "demo with a space" / "out", shared / "demo.said.json"
    untouched = shared / "demo untouched"
    with Path(shared, "demo.turn").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not said.exists():
            done = rakkan("demo", "--out", str(folder))
            assert done.returncode == 0, done.stdout + done.stderr
            shutil.copytree(folder, untouched)
            said.write_text(json.dumps([done.stdout, done.stderr]), encoding="utf-8")
    out, err = json.loads(said.read_text(encoding="utf-8"))
    story = json.loads((folder / "story.json").read_text(encoding="utf-8"))
    return Demo(folder, untouched, out, err, story)
