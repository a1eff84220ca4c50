"""A report of a studio in memory: asked by the shipped broadcast policy, at one moment."""

from __future__ import annotations

from ledger.adapters.profiles import load
from ledger.service.clear.question import Asked, Clearer, ask, clearer_over, see
from ledger.service.report.entries import Rests, rests_on
from ledger.service.report.population import Population, of_targets
from ledger.service.studio import Studio
from tests.support.builders import NOW


def asked(studio: Studio, *targets: str) -> tuple[Clearer, Population]:
    """Return the question, and what these targets stand for; without any, all final files."""
    seen = see(studio)
    question = ask(studio, load("broadcast-jp"), Asked(at=NOW))
    return clearer_over(seen, question), of_targets(studio, targets or (".",))


def rests(studio: Studio, *targets: str) -> Rests:
    """Return the entries that these targets rest on."""
    return rests_on(studio, *asked(studio, *targets))
