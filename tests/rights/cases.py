"""What can go wrong with *Nightfall*: for each reason code a continuation that produces it, and one mended.

A case is told twice: with `mended` false the one thing goes wrong, with `mended` true that one thing is as it
should be. So the mended case is the nearest innocent one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ledger.core.predicates.delivery import Delivery
from ledger.core.predicates.reasons import Code
from ledger.core.rights.clearance import Clearance
from ledger.core.rights.profile import Profile
from tests.rights.nightfall import BROADCAST, DELIVERED, FRAME, HOUSE
from tests.rights.story import Story


@dataclass(frozen=True)
class Question:
    """What is asked at the end of a continuation: of which picture, under which policy, for what, when."""

    picture: str = FRAME
    profile: Profile = HOUSE
    delivery: Delivery = BROADCAST
    at: datetime = DELIVERED
    known: datetime | None = None

    def put(self, story: Story) -> Clearance:
        return story.clear(self.picture, self.profile, self.delivery, self.at, self.known)


Telling = Callable[[Story, bool], Question]


@dataclass(frozen=True)
class Case:
    """`too` comes along with the trouble; `always` is there mended or not."""

    code: Code
    tell: Telling
    too: frozenset[Code]
    always: frozenset[Code]


CASES: list[Case] = []


def shows(
    code: Code, too: tuple[Code, ...] = (), always: tuple[Code, ...] = ()
) -> Callable[[Telling], Telling]:
    """Enter a telling as the case of this code."""

    def entered(tell: Telling) -> Telling:
        CASES.append(Case(code, tell, frozenset(too), frozenset(always)))
        return tell

    return entered


def codes(found: Clearance) -> set[Code]:
    """Return the codes of all reasons, of both sides, however severe."""
    return {reason.code for answer in (found.then, found.now) for reason in answer.reasons}
