"""What the page about a file says, by what was found: never by the English words of a report.

``HEADLINES`` by situation: the verdict, what it means, what it does not mean. ``CHECKS`` by check and status,
or by a code that says more. Both are chosen in ``verified``.
"""

from __future__ import annotations

from typing import NamedTuple

from ledger.render.pages.languages import N_


class Headline(NamedTuple):
    """``look`` is a key of ``ink.VERDICTS``; the others are texts, which may hold ``%(signer)s``."""

    look: str
    title: str
    means: str
    limits: str


_NOT_ALONE = N_(
    "It does not say that nothing else was used, or that the picture "
    "resembles no other: nobody can prove that."
)
_NO_SIGN = N_("That is no sign of forgery. It only means that nothing can be proven here.")
HEADLINES = {
    "proven": Headline(
        "cleared",
        N_("This file is exactly what was sealed, and how it was made is on record."),
        N_(
            "Nothing was changed since “%(signer)s” sealed it. The studio's ledger "
            "holds the signed record of its "
            "making, with a licence on record for each model and dataset that the record names."
        ),
        _NOT_ALONE,
    ),
    "proven-bare": Headline(
        "cleared",
        N_("This file is exactly what was sealed, and how it was made is on record."),
        N_(
            "Nothing was changed since “%(signer)s” sealed it. The studio's ledger "
            "holds the signed record of its "
            "making. The record names no model and no dataset."
        ),
        _NOT_ALONE,
    ),
    "signed": Headline(
        "cleared",
        N_("This file is as its signer left it."),
        N_(
            "Nothing was changed since “%(signer)s” sealed it, who is known to an outside list. "
            "This studio does not vouch for how it was made."
        ),
        N_("It does not say that what the signer claims is true, or that licences were checked here."),
    ),
    "recorded": Headline(
        "cleared",
        N_("This file is on record."),
        N_("The studio's ledger knows exactly these bytes, and proves that it recorded them."),
        N_(
            "It carries no seal of its own: away from this page, nothing in the "
            "file proves where it comes from."
        ),
    ),
    "recorded-digest": Headline(
        "cleared",
        N_("A file with this fingerprint is on record."),
        N_("The studio's ledger knows exactly this fingerprint, and proves that it recorded such a file."),
        N_("Nobody looked at a file: check the file itself to learn about its seal, too."),
    ),
    "changed": Headline(
        "blocked",
        N_("This file was changed after it was sealed."),
        N_("What you have is not what was sealed. Do not rely on what its seal says of it."),
        N_("It does not say who changed it, or why. Saving a sealed file again in some programs is enough."),
    ),
    "tampered": Headline(
        "blocked",
        N_("The seal on this file was tampered with."),
        N_("What the seal says is not what its signer signed. Do not rely on anything that it claims."),
        N_("It does not say who did it, and nothing about the picture itself."),
    ),
    "contradicted": Headline(
        "blocked",
        N_("What this file says of itself does not fit together."),
        N_("Two things that must agree do not; the checks below say which. Do not rely on its seal."),
        N_("It does not say who is to blame, or why."),
    ),
    "copy": Headline(
        "needs_review",
        N_("The picture is on record; this copy lost its seal on the way."),
        N_(
            "Every pixel is that of a file in the studio's ledger. The seal is "
            "gone, as happens when a file is "
            "saved again, captured from a screen, or sent through a service that cleans files."
        ),
        N_(
            "It does not prove anything else that travels in this copy. Where it "
            "counts, ask for the sealed file."
        ),
    ),
    "copy-digest": Headline(
        "needs_review",
        N_("A picture with this fingerprint is on record."),
        N_("The studio's ledger holds a file whose picture has exactly this fingerprint."),
        N_("Nobody looked at a file: check the file itself to learn about its seal, too."),
    ),
    "resealed": Headline(
        "needs_review",
        N_("The picture is on record, but this copy carries a seal that could not be confirmed."),
        N_("Every pixel is that of a file in the studio's ledger. The seal on this copy is another one."),
        N_(
            "An unconfirmed seal is no sign of forgery. Where it counts, ask for "
            "the studio's own sealed file."
        ),
    ),
    "unlicensed": Headline(
        "needs_review",
        N_("This file is what it says it is, but a licence is missing."),
        N_(
            "Nothing was changed since “%(signer)s” sealed it, and its making is on "
            "record. For something that was "
            "used to make it, no licence on record covered that use."
        ),
        N_("It does not say that there is no licence: only that none is on record here."),
    ),
    "gaps": Headline(
        "needs_review",
        N_("This file is unchanged since it was sealed, but its history has gaps."),
        N_(
            "“%(signer)s” sealed it, and its making is on record. Something that it "
            "was made from has no record "
            "of its own."
        ),
        N_("A gap is no sign of forgery: only what was recorded can be proven."),
    ),
    "stranger": Headline(
        "undecided",
        N_("This file carries a seal, by somebody who is not known here."),
        N_("Nothing was changed since it was sealed. Who sealed it is not on this studio's list of signers."),
        N_("Not being known is no sign of forgery. It only means that nobody here vouches for the signer."),
    ),
    "alone": Headline(
        "undecided",
        N_("This is a seal without its file."),
        N_(
            "The ledger knows the file that it belongs to. Whether you have that "
            "file, only the file can tell."
        ),
        N_("Drop the file here, and add this seal as its sidecar."),
    ),
    "broken": Headline(
        "undecided",
        N_("This file could not be examined to the end."),
        N_("It is damaged, too costly to read, or made to break its reader."),
        N_("That is no proof of bad intent. What the ledger knows of its bytes is said below all the same."),
    ),
    "unreadable": Headline(
        "undecided",
        N_("This file could not be read."),
        N_("Its content is damaged, or is something else than its name says. Nothing is on record about it."),
        _NO_SIGN,
    ),
    "torn": Headline(
        "undecided",
        N_("The seal on this file is damaged and cannot be read."),
        N_("The ledger knows neither the bytes of this file nor its picture, so nothing else speaks for it."),
        _NO_SIGN,
    ),
    "unknown": Headline(
        "undecided",
        N_("Nothing is on record about this file."),
        N_("It carries no seal, and the ledger knows neither its bytes nor its picture."),
        _NO_SIGN,
    ),
    "unknown-digest": Headline(
        "undecided",
        N_("Nothing is on record about this fingerprint."),
        N_("No file that the ledger knows has it."),
        _NO_SIGN,
    ),
    "open": Headline(
        "undecided",
        N_("It could not be decided whether this file is what it claims to be."),
        N_("Some of the checks below could not be made. None of them found a contradiction."),
        _NO_SIGN,
    ),
}

NOBODY = N_("somebody")
"""In place of a signer whose name could not be read."""
STATUSES = {
    "passed": ("c", "✓", N_("Holds")),
    "failed": ("b", "✕", N_("Does not hold")),
    "undecided": ("u", "–", N_("Not decided")),
}
"""How a check's status looks: class, mark, word."""

CHECKS = {
    "bytes": N_("The file itself"),
    "claim": N_("The seal"),
    "signer": N_("Who sealed it"),
    "time": N_("When it was sealed"),
    "ancestry": N_("Seals of what it was made from"),
    "log": N_("The proof of the record"),
    "statement": N_("Who signed the record"),
    "subject": N_("What the record is about"),
    "history": N_("Where its parts come from"),
    "materials": N_("Models and datasets"),
    "grants": N_("Licences"),
    "ledger": N_("What the ledger knows"),
}
"""What each check looks at."""

ANSWERS = {
    ("bytes", "passed"): N_("Every byte is as it was when the file was sealed."),
    ("bytes", "failed"): N_("The bytes are not those that were sealed."),
    ("bytes", "undecided"): N_(
        "The seal does not say which bytes it is about, so they could not be compared."
    ),
    ("claim", "passed"): N_("The seal is exactly as its signer signed it."),
    ("claim", "failed"): N_("The seal was changed after it was signed, or was never properly signed."),
    ("claim", "undecided"): N_("A part of the seal could not be checked here."),
    ("claim", "verify.no-manifest"): N_("The file carries no seal, and none was given with it."),
    ("claim", "verify.digest-only"): N_("Only a fingerprint was given: nobody looked at a seal."),
    ("claim", "verify.crashed"): N_("The file broke its reader, so its seal was not checked."),
    ("claim", "verify.too-costly"): N_("Reading the file takes more than is allowed here."),
    ("claim", "verify.timeout"): N_("Reading the file takes longer than is allowed here."),
    ("claim", "file.malformed"): N_("The file could not be read, so its seal was not checked."),
    ("claim", "manifest.malformed"): N_("The seal is damaged and cannot be read."),
    ("claim", "manifest.too-large"): N_("The seal is larger than any that is read here."),
    ("signer", "passed"): N_("Whoever sealed it is known to the studio."),
    ("signer", "failed"): N_("What the seal says of its signer contradicts itself."),
    ("signer", "undecided"): N_("Whoever sealed it is not known here. That is no sign of forgery."),
    ("signer", "signer.listed"): N_("Whoever sealed it is known to an outside list, not to this studio."),
    ("time", "passed"): N_("The signer's certificate is valid today, so no outside clock is needed."),
    ("time", "timeStamp.trusted"): N_("A trusted clock saw the seal when it was made."),
    ("time", "failed"): N_("The time stamp does not belong to this seal."),
    ("time", "undecided"): N_("Nothing confirms that the signer's certificate was valid at that time."),
    ("ancestry", "passed"): N_("Every part that carries a seal of its own was intact."),
    ("ancestry", "failed"): N_("Something that it was made from did not fit its own seal."),
    ("ancestry", "undecided"): N_("A part was sealed by somebody unknown here, or could not be checked."),
    ("log", "passed"): N_("The ledger holds the record: the proof was computed again, and it fits."),
    ("log", "failed"): N_("The proof that the ledger holds the record does not fit."),
    ("log", "undecided"): N_("No proof was at hand that a known ledger holds a record of it."),
    ("statement", "passed"): N_("Every record was signed by a device that was allowed to sign it."),
    ("statement", "failed"): N_("A record was signed by a key that was not allowed to sign it."),
    ("statement", "undecided"): N_("It could not be checked who signed the records."),
    ("subject", "passed"): N_("The record is about this very file, or this very picture."),
    ("subject", "failed"): N_("The record is about another picture than this one."),
    ("subject", "undecided"): N_("No proven record of this file was at hand."),
    ("history", "passed"): N_("Everything that it was made from has a record of its own, back to the first."),
    ("history", "failed"): N_("The records of what it was made from contradict each other."),
    ("history", "undecided"): N_("No record says what it was made from."),
    ("history", "lineage.unattributed"): N_("It was made from files that no record at hand explains."),
    ("materials", "passed"): N_("Every model and dataset that the record names is registered."),
    ("materials", "failed"): N_("The register of models and datasets contradicts itself."),
    ("materials", "undecided"): N_(
        "A model or dataset in it is not registered, or no record says what was used."
    ),
    ("grants", "passed"): N_("Nothing that the record names lacked a licence when it was used."),
    ("grants", "failed"): N_("The licences on record contradict each other."),
    ("grants", "undecided"): N_("No record says what was used, so no licence could be looked up."),
    ("grants", "grant.missing"): N_("For a model or dataset in it, no licence on record covered the use."),
    ("ledger", "passed"): N_("The ledger knows exactly these bytes."),
    ("ledger", "failed"): N_("The ledger contradicts the file."),
    ("ledger", "undecided"): N_("The ledger knows the file that this seal is about, or could not be asked."),
    ("ledger", "ledger.pixels"): N_(
        "The ledger knows this picture, but not these bytes: it was saved again."
    ),
    ("ledger", "log.no-such-entry"): N_("The ledger knows neither these bytes nor this picture."),
}
"""The answer of each check in plain words: by its status, or by a code that says more than that."""

EVIDENCE = {
    "observed": N_("observed by the tool itself"),
    "inferred": N_("read from the file or the workflow"),
    "declared": N_("declared by a person"),
}
"""How the record of a step came to be."""
DELIVERABLES = {
    "final": N_("the finished production"),
    "temp": N_("tests and previews"),
    "marketing": N_("advertising"),
    "merch": N_("merchandise"),
}
"""What a verdict was asked for (``core.predicates.delivery.Deliverable``)."""
PHASES = {
    "queued": N_("It waits for its turn."),
    "running": N_("It is being made."),
    "done": N_("It is done."),
    "failed": N_("It could not be made."),
}
"""How a report that was asked for stands (``service.report.jobs.State``)."""
VIEWS = {
    "studio": N_("for the studio itself: everything"),
    "distributor": N_("for a distributor"),
    "insurer": N_("for an insurer"),
    "rights-holder": N_("for a rights holder"),
    "public": N_("for anybody"),
}
"""Whom a report is for (``core.audit.views.View``)."""
