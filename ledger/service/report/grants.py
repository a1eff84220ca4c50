"""The table of grants: each grant about a thing under the files, or about a file, as it stands now.

The rows of a rights holder's view are made from ``holders``: the identifier of who grants, exactly, and of
nobody else. A ``grant/v1`` names no party, so its row is in no such view.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from ledger.core.audit import Row, Table
from ledger.core.audit.tables_of_things import GRANTS
from ledger.core.disclosure import open_disclosure
from ledger.core.fields import format_time
from ledger.core.predicates.grant_v2 import GrantV2, LegalBasis
from ledger.core.predicates.scope import EVERYWHERE
from ledger.core.rights.facts import KnownGrant
from ledger.core.rights.grants import basis_of
from ledger.core.rights.profile import STAGES
from ledger.service.report.ground import Ground, entries_of

_CONTRACT = "contract"
"""The name under which a grant commits to the digest of the contract."""
_SHA256 = "sha256:"


def grants_table(ground: Ground) -> Table:
    """Return the grants, in the order of the log."""
    found, files = _touching(ground)
    rows = [_row(ground, grant, files[index]) for index, grant in sorted(found.items())]
    return Table(GRANTS, tuple((n, *row) for n, row in enumerate(rows, 1)))


def state_of(known: KnownGrant, at: datetime) -> str:
    """Return where a grant stands: ``in force``, ``ended``, ``revoked`` or ``to come``."""
    grant, revoked = known.grant, known.revoked.predicate.effective if known.revoked else None
    if revoked is not None and revoked <= at and (grant.valid_until is None or revoked < grant.valid_until):
        return "revoked"
    if at < grant.valid_from:
        return "to come"
    return "ended" if grant.valid_until is not None and grant.valid_until <= at else "in force"


def _touching(ground: Ground) -> tuple[dict[int, KnownGrant], Counter[int]]:
    """Return the grants by their entries, and how many files rest on what each is about."""
    found: dict[int, KnownGrant] = {}
    files: Counter[int] = Counter()
    for group, things in zip(ground.cleared.groups, ground.things, strict=True):
        under = _about(ground, things)
        found |= under
        files.update(dict.fromkeys(under, len(group.files)))
        for file in group.files:
            own = _about(ground, (file.sha256,))
            found |= own
            files.update(own.keys() - under.keys())
    return found, files


def _about(ground: Ground, things: frozenset[str] | tuple[str]) -> dict[int, KnownGrant]:
    return {item.stated.index: item for sha256 in things for item in ground.facts.grants_about(sha256)}


def _row(ground: Ground, known: KnownGrant, files: int) -> Row:
    grant, terms, revoked = known.grant, known.terms, known.revoked
    scope = terms.scope if terms else EVERYWHERE
    stages = [use.value.removesuffix("-training") for use in grant.uses if use in STAGES]
    without = tuple(f"except {code}" for code in scope.except_territories)
    assigner = terms.assigner if terms else None
    return (
        grant.grant_id,
        terms.version if terms else None,
        tuple(subject.name for subject in known.stated.subjects),
        tuple(use.value for use in grant.uses),
        tuple(stages),
        scope.titles,
        scope.territories + without,
        tuple(medium.value for medium in scope.media),
        _basis(known, terms),
        format_time(grant.valid_from),
        format_time(grant.valid_until) if grant.valid_until else None,
        terms.on_expiry.value if terms else None,
        format_time(revoked.predicate.effective) if revoked else None,
        state_of(known, ground.at),
        _name(ground, assigner),
        (assigner,) if assigner else (),
        files,
        _contract(ground, known),
        entries_of(known),
    )


def _basis(known: KnownGrant, terms: GrantV2 | None) -> str:
    """Return the legal basis; of a statutory exception with its provision: ``… JP-30-4``."""
    basis = basis_of(known)
    return (
        f"{basis.value} {terms.statute}" if terms and basis is LegalBasis.STATUTORY_EXCEPTION else basis.value
    )


def _name(ground: Ground, party: str | None) -> str | None:
    """Return the name of who grants; a person's is no one's business: the pseudonym stands for it."""
    known = ground.facts.parties.get(party) if party else None
    return known.predicate.name or party if known else party


def _contract(ground: Ground, known: KnownGrant) -> str | None:
    """Return the digest of the contract, where the grant commits to one and the opening was kept."""
    commitments = known.grant.commitments
    for digest in commitments:
        text = ground.studio.openings.get(digest)
        if text is not None:
            opened = open_disclosure(text, commitments)
            if opened.name == _CONTRACT and opened.value.startswith(_SHA256):
                return opened.value.removeprefix(_SHA256)
    return None
