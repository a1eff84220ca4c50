"""Stretches of a film as artifacts of their own, named ``frames FIRST-LAST of FILM``, counted from 0.

* A film that was made of stretches alone rests, from one frame to another, on those that lie there.
* A stretch that was cut out of a film is made from the film, at the place in the production that it shows.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from ledger.core import canonical
from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.artifact import Artifact, Role
from ledger.core.digest import sha256_hex
from ledger.core.predicates import Step, StepV2
from ledger.core.predicates.step import Evidence, Place, StepAction, Tool
from ledger.core.rights.basis import is_lineage, own_items
from ledger.core.statement import Statement
from ledger.core.tying import Range
from ledger.errors import UsageError
from ledger.service.archive import Archive
from ledger.service.clear.makers import makers
from ledger.service.clear.projecting import bases_of_files
from ledger.service.clear.recorded import File
from ledger.service.files import check_unchanged, identify
from ledger.service.record import uuid7
from ledger.service.studio import Device, Studio

_NAME = re.compile(r"frames ([0-9]{1,9})-([0-9]{1,9}) of (.+)")


def stretch_name(first: int, last: int, film: str) -> str:
    """Return the name of a stretch."""
    return f"frames {first}-{last} of {film}"


def stretches_of(studio: Studio, film: File, frames: Range) -> tuple[File, ...]:
    """Return the stretches that these frames of a film rest on; the film, where nobody can tell them apart.

    What the film rests on apart from its stretches counts for each of them. The bases must have been caught
    up.
    """
    made = list(makers(Archive(studio), Artifact(film.name, film.sha256)))
    if len(made) != 1:
        return (film,)
    _, statement, _ = made[0]
    step = statement.predicate
    lineage = [item for item in step.materials if is_lineage(item)] if isinstance(step, Step) else []
    names = {subject.name for subject in statement.subjects}
    spans = {item.sha256: (item.name, span) for item in lineage if (span := _span(item, names)) is not None}
    bases = bases_of_files(studio, spans)
    seen = [sha256 for sha256, (_, span) in spans.items() if _meet(span, frames)]
    covered = _cover((spans[sha256][1] for sha256 in seen), frames)
    if not isinstance(step, Step) or len(bases) < len(lineage) or not covered:
        return (film,)
    own = film.basis.difference(*bases.values()) | own_items(statement.subjects, step)
    return tuple(File(spans[sha256][0], sha256, bases[sha256] | own) for sha256 in seen)


def record_stretches(
    studio: Studio, device: Device, film: Path, places: Mapping[Range, Place]
) -> tuple[int, ...]:
    """Append for each stretch of a film a step that cut it out, at its place, and return the entries.

    For a film that was generated with several shots in it: each shot then has a final file, which rests on
    the film. Raises ``UsageError`` (``tie.range``, ``tie.no-pictures``, ``file.…``), and what signing and the
    log raise.
    """
    whole, frames = decoded(studio, film)
    now = studio.clock.now()
    device.check_clock(now)
    signed = []
    for (first, last), place in places.items():
        if not 0 <= first <= last < len(frames):
            raise UsageError(
                "tie.range", f"{film.name} has frames 0 to {len(frames) - 1}, and no {first}-{last}."
            )
        digest = sha256_hex(canonical.encode(frames[first : last + 1]))
        step = StepV2(
            step_id=str(uuid7()),
            action=StepAction.CONVERT,
            evidence=Evidence.DECLARED,
            place=place,
            started=now,
            finished=now,
            actor="actor:unnamed",
            tool=Tool("rakkan tie", "1"),
            materials=(replace(whole, role=Role.PARENT),),
        )
        subject = Artifact(stretch_name(first, last, film.name), digest)
        signed.append(dsse.sign(statements.encode(Statement((subject,), step)), device.signer))
    return tuple(appended.index for appended in studio.log.append(signed))


def decoded(studio: Studio, film: Path) -> tuple[Artifact, list[str]]:
    """Return a film as statements name it, and the digest of each of its pictures.

    Raises ``UsageError`` (``file.…``, ``tie.no-pictures``) and ``MalformedError("file.malformed")``.
    """
    identity = identify(film)
    frames = studio.pixels.frames(film)
    check_unchanged(film, identity)
    if not frames:
        raise UsageError("tie.no-pictures", f"Nothing here decodes {film} frame by frame.", path=film)
    media_type = studio.codec.media_type(film)
    return Artifact(film.name, identity.sha256, media_type, studio.pixels.of_frames(frames)), frames


def _span(item: Artifact, films: Collection[str]) -> Range | None:
    found = _NAME.fullmatch(item.name)
    return (int(found[1]), int(found[2])) if found and found[3] in films else None


def _meet(one: Range, other: Range) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def _cover(spans: Iterable[Range], frames: Range) -> bool:
    """Whether the spans leave no frame out."""
    after = frames[0]
    for first, last in sorted(spans):
        if first > after:
            return False
        after = max(after, last + 1)
    return after > frames[1]
