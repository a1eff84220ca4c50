"""Plain words for what the log says in terms. For readers who have never seen a manifest."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.core.report import Outcome, Status, VerificationReport
from ledger.demo.page.story import Node, Story, StoryGrant, StoryThing, Trial
from ledger.render.words import USES, counted, day, listed

ACTIONS = {
    "generate": "Generated",
    "edit": "Edited",
    "composite": "Put together",
    "draw": "Drawn",
    "render": "Rendered",
    "convert": "Converted",
    "import": "Brought in",
}

FORMATS = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/tiff": "TIFF",
    "image/x-exr": "OpenEXR",
    "video/mp4": "MP4",
}

MARKS = {
    Status.PASSED: ("passed", "✓", "passed"),
    Status.FAILED: ("failed", "✕", "failed"),
    Status.UNDECIDED: ("open", "–", "could not be decided"),
}
"""For each status: its class, its mark, its word."""

ANSWERS = {
    Outcome.PROVEN: ("passed", "✓", "Proven"),
    Outcome.SIGNED: ("open", "–", "Signed by somebody else"),
    Outcome.RECORDED: ("open", "–", "Recorded, not sealed"),
    Outcome.ALTERED: ("failed", "✕", "Altered"),
    Outcome.UNDECIDED: ("open", "–", "Cannot decide"),
}

EVIDENCE = {
    "observed": "Recorded by the studio's tools as it happened",
    "inferred": "Read from the file afterwards",
    "declared": "Declared by a person",
}

_SHOWN = 4
"""How many files a sentence names before it counts the rest."""


def format_of(media_type: str) -> str:
    """Return what people call a file format."""
    return FORMATS.get(media_type, media_type.rpartition("/")[2].removeprefix("x-").upper())


def verdict(story: Story) -> str:
    """Return the one sentence at the top."""
    proven = sum(file.report.outcome is Outcome.PROVEN for file in story.files)
    altered = sum(file.report.outcome is Outcome.ALTERED for file in story.files)
    total = len(story.files)
    if not total:
        return "There are no files to judge."
    if proven == total:
        return (
            f"Every one of the {counted(total, 'file')} of this cut is proven."
            if total > 1
            else "The file is proven."
        )
    rest = [counted(altered, "file was", "files were") + " altered"] if altered else []
    open_ = total - proven - altered
    rest += [counted(open_, "file", "files") + " could not be decided"] if open_ else []
    return f"{proven:,} of {counted(total, 'file')} are proven; {listed(rest)}."


def because(story: Story) -> str:
    """Return what the verdict rests on; only where everything is proven, and only positives."""
    if not all_proven(story):
        return "The list below says for each other file what was found, or what is missing."
    return (
        "Not a byte has changed since they were sealed. Every seal is the studio's own. The log holds the "
        "record of every step, and for every model and dataset that the records name, a grant was on record "
        "when it was used."
    )


def holders(thing: StoryThing) -> str:
    """Return who holds the rights in a dataset's works, as far as the studio shows it."""
    if thing.holders:
        return listed([f"{name} ({counted(count, 'work')})" for name, count in sorted(thing.holders.items())])
    return counted(thing.rights_holders, "rights holder") if thing.rights_holders else "not known"


def grant(item: StoryGrant) -> str:
    """Return what a grant permits, by whom, and for how long."""
    by = f" by {item.shown['licensor']}" if "licensor" in item.shown else ""
    uses = listed([USES.get(use, use) for use in item.uses])
    until = f"to {day(item.valid_until)}" if item.valid_until else "without end"
    return f"Grant {item.grant_id}{by} permits {uses}; from {day(item.valid_from)} {until}."


def made(node: Node, materials: Sequence[tuple[str, str]]) -> str:
    """Return how a file came to be. ``materials`` are pairs of role and name."""
    models = [f"the model “{name}”" for role, name in materials if role == "model"]
    files = [f"“{name}”" for role, name in materials if role not in ("model", "dataset")]
    sentence = f"“{node.name}” was {ACTIONS.get(node.action or '', 'made').lower()}"
    if files:
        shown = files if len(files) <= _SHOWN else [*files[:2], f"{len(files) - 2} more"]
        sentence += f" from {listed(shown)}"
    if models:
        sentence += f" with {listed(models)}"
    return sentence + ("." if materials else "; its record names no model and no other file.")


def answer(trial: Trial) -> str:
    """Return the answer's decisive check in words."""
    return trial.report.check(trial.check).words


def passed(trial: Trial) -> str:
    """Return how much of the file is proven all the same."""
    checks = trial.report.checks
    count = sum(check.status is Status.PASSED for check in checks)
    return f"({count} of {len(checks)} checks passed.)"


def signer(report: VerificationReport) -> str:
    """Return who sealed a file."""
    return report.signer or "nobody known"


def all_proven(story: Story) -> bool:
    """Return whether there are files, and every one is proven."""
    return bool(story.files) and all(file.report.outcome is Outcome.PROVEN for file in story.files)


def short(path: str) -> str:
    """Return the frame number in a file's name, or else the name: ``a/sh020.final.1006.png`` is 1006."""
    name = path.rpartition("/")[2]
    numbers = [part for part in name.split(".") if part.isdigit()]
    return numbers[-1] if numbers else name
