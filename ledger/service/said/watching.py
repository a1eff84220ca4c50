"""Names in prompts: where they are taken from, and how one that was found becomes a question on record.

* The list of a production is what its registry names (parties, works, other titles, people with consents) and
  what the studio wrote down itself (CSV or TOML, docs/spec/said.md).
* Names of people and works are secrets: they are read from their openings. What was erased is found no more.
* A hit becomes an open ``finding``: a question, never a block. It commits to the entry that was named, with a
  salt; of the prompt it holds nothing. A person closes it.
* A file is asked about an entry once, however often it is read.
"""

from __future__ import annotations

import csv
import io
import os
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import ledger
from ledger.core.artifact import Artifact
from ledger.core.disclosure import SALT_BYTES, Disclosure, commit, open_disclosure
from ledger.core.predicates import Consent, Finding, Party, Title, Work
from ledger.core.predicates.finding import FindingKind, FindingState
from ledger.core.predicates.party import PartyKind
from ledger.core.watch import Hit, WatchKind, WatchTerm
from ledger.errors import MalformedError, RakkanError
from ledger.service.files import read_whole
from ledger.service.log.sequence import Appended
from ledger.service.rights.reading import records_of
from ledger.service.studio import Device, Studio

MAX_FILE = 32 << 20
MAX_NAME = 200
EVALUATOR = f"rakkan {ledger.__version__} watch list"

_COLUMNS = ("term", "kind", "aliases", "note")


def read_watch_list(path: Path) -> tuple[WatchTerm, ...]:
    """Return the entries of a studio's own list: CSV, or TOML by its name.

    Raises ``MalformedError("watch.malformed")``, naming the row, and ``file.…``.
    """
    data = read_whole(path, MAX_FILE + 1)
    if len(data) > MAX_FILE:
        raise _malformed(path, f"is larger than {MAX_FILE:,} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _malformed(path, f"is not UTF-8 at byte {error.start}") from error
    rows = _toml_rows(text, path) if path.suffix.lower() == ".toml" else _csv_rows(text, path)
    return tuple(_term(path, where, row) for where, row in rows)


def registered_terms(studio: Studio) -> tuple[WatchTerm, ...]:
    """Return the names that the registry holds and that can still be opened, each once."""
    own = studio.production
    found: dict[tuple[str, WatchKind], WatchTerm] = {}
    for record in records_of(studio):
        if record.by_registrar:
            for term in _terms(studio, record.statement.predicate, own):
                found[term.term, term.kind] = term
    return tuple(found.values())


@dataclass(frozen=True, slots=True)
class Question:
    """A finding that is not stated yet, and the opening of its commitment, which is kept before it is."""

    finding: Finding
    opening: Disclosure


def questions(hits: Iterable[Hit], now: datetime, asked: Iterable[str] = ()) -> tuple[Question, ...]:
    """Return a question for each entry that was hit and is not in ``asked`` (``artist: NAME``)."""
    known, found = set(asked), []
    for hit in hits:
        named = f"{hit.entry.kind.value}: {hit.entry.term}"
        if named in known:
            continue
        known.add(named)
        opening = commit(os.urandom(SALT_BYTES), "named", named)
        finding = Finding(
            # The digest is salted: as an identifier it is unique, and tells nobody the name.
            finding_id=f"prompt-{opening.digest[:16]}",
            kind=_kind(hit.entry),
            state=FindingState.OPEN,
            evaluator=EVALUATOR,
            evidence=hit.evidence,
            recorded=now,
            person=hit.entry.person,
            commitments=(opening.digest,),
        )
        found.append(Question(finding, opening))
    return tuple(found)


def open_findings(
    studio: Studio, device: Device, file: Artifact, hits: Iterable[Hit]
) -> tuple[Appended, ...]:
    """State a finding about the file for each entry that none of its findings names, durable on return.

    Raises as ``Device.check_clock``, and the log's own errors.
    """
    now = studio.clock.now()
    device.check_clock(now)
    done = []
    for question in questions(hits, now, _asked(studio, file)):
        studio.openings.put({question.opening.digest: question.opening.text})
        done.append(studio.state(device.signer, (file,), question.finding))
    return tuple(done)


def _kind(entry: WatchTerm) -> FindingKind:
    performer = entry.kind is WatchKind.PERFORMER
    return FindingKind.PERFORMER_NAME if performer else FindingKind.STYLE_REFERENCE


def _asked(studio: Studio, file: Artifact) -> Iterator[str]:
    """Yield what the findings about a file name already."""
    for row in studio.entries.artifacts(sha256=file.sha256):
        predicate = studio.statement(row.index).predicate
        if isinstance(predicate, Finding):
            yield from (value for name, value in _opened(studio, predicate.commitments) if name == "named")


def _terms(studio: Studio, predicate: object, own: str) -> Iterator[WatchTerm]:
    match predicate:
        case Party():
            kind = WatchKind.ARTIST if predicate.kind is PartyKind.PERSON else WatchKind.BRAND
            for name in [predicate.name] if predicate.name else _names(studio, predicate.commitments):
                yield WatchTerm(name, kind, note=f"party {predicate.party_id}")
        case Work():
            for name in _names(studio, predicate.commitments):
                yield WatchTerm(name, WatchKind.WORK, note=f"work {predicate.work_id}")
        case Title() if own not in predicate.productions:
            yield WatchTerm(predicate.name, WatchKind.WORK, note=f"title {predicate.title_id}")
        case Consent():
            for name in _names(studio, predicate.commitments):
                note = f"consent {predicate.consent_id}"
                yield WatchTerm(name, WatchKind.PERFORMER, note=note, person=predicate.person)


def _names(studio: Studio, commitments: Sequence[str]) -> list[str]:
    return [value for name, value in _opened(studio, tuple(commitments)) if name == "name"]


def _opened(studio: Studio, commitments: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for digest in commitments:
        text = studio.openings.get(digest)
        # A damaged opening is for fsck to report; here it is one name less to look for.
        with suppress(RakkanError):
            if text is not None:
                found = open_disclosure(text, commitments)
                yield found.name, found.value


def _csv_rows(text: str, path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        if not {"term", "kind"} <= set(reader.fieldnames or ()):
            raise _malformed(path, "has no columns term and kind in its first row")
        for row in reader:
            aliases = [item.strip() for item in (row.get("aliases") or "").split("|")]
            given = {name: row.get(name) or None for name in ("term", "kind", "note")}
            yield f"row {reader.line_num}", given | {"aliases": [item for item in aliases if item]}
    except csv.Error as error:
        raise _malformed(path, f"row {reader.line_num} is not CSV: {error}") from error


def _toml_rows(text: str, path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise _malformed(path, f"is not TOML: {error}") from error
    tables = document.pop("term", [])
    if document or not isinstance(tables, list) or not all(isinstance(item, dict) for item in tables):
        raise _malformed(path, "must have its entries as [[term]], and nothing else")
    for number, table in enumerate(tables, 1):
        if unknown := set(table) - set(_COLUMNS):
            raise _malformed(path, f"entry {number} has {min(unknown)[:40]!r}; known: {', '.join(_COLUMNS)}")
        yield f"entry {number}", table


def _term(path: Path, where: str, row: dict[str, Any]) -> WatchTerm:
    term, kind, aliases, note = (row.get(name) for name in _COLUMNS)
    names = [term, *(aliases if isinstance(aliases, list) else [aliases] if aliases else [])]
    if not all(isinstance(name, str) and 2 <= len(name.strip()) <= MAX_NAME for name in names):
        raise _malformed(path, f"{where}: a term, and each alias, has 2 to {MAX_NAME} characters")
    if kind not in [item.value for item in WatchKind]:
        known = ", ".join(item.value for item in WatchKind)
        raise _malformed(path, f"{where}: the kind must be one of {known}, not {str(kind)[:40]!r}")
    if note is not None and not isinstance(note, str):
        raise _malformed(path, f"{where}: the note must be a text")
    return WatchTerm(str(term).strip(), WatchKind(kind), tuple(name.strip() for name in names[1:]), note)


def _malformed(path: Path, problem: str) -> MalformedError:
    return MalformedError("watch.malformed", f"{path.name} {problem}.", path=path)
