"""What of each table is printed, and where: a table of twenty columns is no table on paper.

A printed column stacks several columns of the table. What is left out is in the attached document, and in
``tables/<key>.csv``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Printed:
    """A column on paper: its title, its width (a weight), the keys of what stands in it, one below another.

    ``*key`` is set as the name of the row, ``label|key`` with a label before it, ``key`` as it is,
    ``one+other`` both in one line. ``number``: set flush right.
    """

    title: str
    width: float
    keys: tuple[str, ...]
    number: bool = False


_P = Printed

PLANS: dict[str, tuple[Printed, ...]] = {
    "shots": (
        _P("No.", 0.7, ("shot",), number=True),
        _P("Shot", 2.6, ("*name", "in+out")),
        _P("Picture", 1.7, ("picture",)),
        _P(
            "Frames",
            2.7,
            ("strip", "frames", "unexplained|unknown", "absent|absent", "in two versions|versions"),
        ),
        _P("Rests on a model", 2.2, ("ai", "models")),
        _P("Grade", 0.9, ("grade",)),
        _P("When made → now", 2.1, ("then", "now")),
        _P("Findings", 1.5, ("findings",)),
    ),
    "episodes": (
        _P("Episode", 2.4, ("*episode",)),
        _P("Shots", 1, ("shots",), number=True),
        _P("Frames", 1.2, ("frames",), number=True),
        _P("Now", 1.6, ("now",)),
        _P("Lowest grade", 1, ("grade",)),
        _P("Cleared", 1.2, ("cleared",), number=True),
        _P("Needs review", 1.2, ("needs_review",), number=True),
        _P("Blocked", 1.2, ("blocked",), number=True),
        _P("Undecided", 1.2, ("undecided",), number=True),
        _P("Rests on a model", 1.2, ("ai",), number=True),
    ),
    "gaps": (
        _P("No.", 0.6, ("gap",), number=True),
        _P("What", 1.4, ("*kind",)),
        _P("Shot", 0.8, ("shot",), number=True),
        _P("Name", 3, ("name", "sha256")),
        _P("Frames", 0.9, ("frames",), number=True),
        _P("In words", 4, ("words",)),
    ),
    "changes": (
        _P("What changed", 2, ("*kind", "entries|entries")),
        _P("Where", 3, ("name",)),
        _P("Before", 2, ("before",)),
        _P("Now", 2, ("after",)),
        _P("Files", 1, ("files",), number=True),
    ),
    "policy": (
        _P("Rule", 2, ("*rule",)),
        _P("About", 2.4, ("about",)),
        _P("Says", 5, ("value",)),
    ),
    "services": (
        _P("Service", 2.6, ("*vendor", "product", "model", "tier|tier")),
        _P("Files", 0.8, ("files",), number=True),
        _P("Used", 1.8, ("uses|steps", "first", "last")),
        _P("Terms on record", 2, ("terms", "saved|fetched", "output|ownership")),
        _P("Input", 1.7, ("training|inputTraining", "kept|retention")),
        _P("Indemnity", 1.9, ("then|indemnityThen", "now|indemnityNow", "not met|conditions")),
        _P("Review", 1.4, ("standing", "by|approved")),
    ),
    "tools": (
        _P("Tool", 3, ("*tool", "executables")),
        _P("Actions", 2, ("actions",)),
        _P("Steps", 0.9, ("steps",), number=True),
        _P("Evidence", 1.9, ("observed|observed", "inferred|inferred", "declared|declared")),
        _P("With a model", 1.2, ("generative",)),
        _P("Used", 2, ("first", "last")),
    ),
    "models": (
        _P("Model", 2.7, ("*name", "version", "sha256")),
        _P("Kind", 1.3, ("kind", "used|used")),
        _P("Files", 0.8, ("files",), number=True),
        _P("Made from, trained on", 2.6, ("parents", "datasets", "stages")),
        _P("Licence", 2, ("licence", "basis|basis", "grants|grants")),
        _P("Attested", 1.1, ("attested",)),
        _P("Review", 1.6, ("standing", "by|approved")),
        _P("Grade", 0.8, ("grade",)),
    ),
    "datasets": (
        _P("Dataset", 2.7, ("*name", "version", "sha256")),
        _P("Works", 1.1, ("works",), number=True),
        _P("Inventory", 2.1, ("inventory", "on|committed", "rights holders|holdersCount")),
        _P("Trained", 2, ("models", "stages")),
        _P("Files", 0.8, ("files",), number=True),
        _P("Licence", 2, ("licence", "grants|grants", "by|holders")),
        _P("Review", 1.2, ("standing",)),
        _P("Grade", 0.8, ("grade",)),
    ),
    "grants": (
        _P("Grant", 1.6, ("*grant", "contract")),
        _P("About", 2, ("about", "by|holder")),
        _P("Permits", 2.4, ("uses", "stages")),
        _P("For", 2, ("titles", "territories", "media")),
        _P("Term", 2.7, ("from|from", "until|until", "then|onExpiry", "revoked|revoked")),
        _P("Files", 0.8, ("files",), number=True),
        _P("Now", 1.2, ("*state",)),
    ),
    "authorship": (
        _P("Actor", 2, ("*actor",)),
        _P("Task", 1.8, ("task", "action")),
        _P("Steps", 0.9, ("steps",), number=True),
        _P("With a model", 1.2, ("withModel",), number=True),
        _P("Files", 0.9, ("files",), number=True),
        _P("Shots", 0.9, ("shots",), number=True),
        _P("Evidence", 1.4, ("evidence",)),
        _P("From, to", 2.2, ("first", "last")),
    ),
    "people": (
        _P("Person", 2, ("*person",)),
        _P("Files", 0.8, ("files",), number=True),
        _P("First use", 1.8, ("first",)),
        _P("Consent", 1.8, ("consent", "given before|before")),
        _P("Covers", 2.6, ("covers",)),
        _P("Term", 2, ("from|from", "until|until")),
    ),
    "decisions": (
        _P("Decision", 1.8, ("*kind", "decision")),
        _P("About", 2.4, ("about", "sha256")),
        _P("By", 2, ("by",)),
        _P("Term", 2.2, ("from|from", "until|until")),
        _P("Reference", 2, ("reference",)),
    ),
    "findings": (
        _P("Finding", 1.6, ("*finding", "severity", "state")),
        _P("What speaks against it", 4.5, ("*subject", "meaning", "detail", "way|path", "known since|since")),
        _P("How to mend it", 3.2, ("mend", "accepted by|approvers", "until|expires")),
        _P("Files", 1.4, ("now|now", "when made|then", "shots|shots", "entries|entries")),
        _P("Code", 2.1, ("code", "use", "sha256")),
    ),
    "checks": (
        _P("Check", 1.8, ("*check",)),
        _P("Result", 1.5, ("result",)),
        _P("Looked at", 1.1, ("looked",), number=True),
        _P("Failed", 1, ("failed", "entries|entries"), number=True),
        _P("In words", 4.5, ("words",)),
    ),
    "checkpoints": (
        _P("Tree", 1, ("size",), number=True),
        _P("Root", 2, ("root",)),
        _P("Signed by", 3.2, ("*signer", "role")),
        _P("When", 2, ("when",)),
        _P("Result", 1.6, ("result",)),
    ),
    "devices": (
        _P("Key", 2.2, ("*keyid", "device", "role")),
        _P("Entries", 1, ("entries_signed",), number=True),
        _P("Valid", 2.4, ("from|from", "until|until", "revoked|revoked")),
        _P("Suspect from entry", 1.4, ("suspect",), number=True),
        _P("Missing", 1, ("gaps",), number=True),
        _P("Told late", 1, ("late",), number=True),
    ),
}
"""The tables that are printed. One that is not here is a file to work with (``Schema.long``)."""
