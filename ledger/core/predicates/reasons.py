"""Why a verdict is not *cleared*: one stable code for each reason, what it means, and how to mend it.

A code never changes its meaning. How severe it is, a policy profile says. docs/rights/reasons.md is
generated from this table.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import NamedTuple


class Severity(IntEnum):
    """What a reason does to a verdict. The verdict is the worst of its reasons."""

    NOTED = 0
    NEEDS_REVIEW = 1
    BLOCKED = 2


class Verdict(StrEnum):
    """The answer. *Cleared* says: this policy found a grant for every recorded use. It says nothing else."""

    CLEARED = "cleared"
    NEEDS_REVIEW = "needs_review"
    BLOCKED = "blocked"

    @classmethod
    def of(cls, severity: Severity) -> Verdict:
        """Return the verdict that the worst reason leads to."""
        return (cls.CLEARED, cls.NEEDS_REVIEW, cls.BLOCKED)[severity]


class Code(StrEnum):
    """The reasons."""

    NO_GRANT = "NO_GRANT"
    GRANT_NOT_IN_FORCE = "GRANT_NOT_IN_FORCE"
    GRANT_REVOKED = "GRANT_REVOKED"
    USE_NOT_GRANTED = "USE_NOT_GRANTED"
    STAGE_NOT_GRANTED = "STAGE_NOT_GRANTED"
    TITLE_NOT_GRANTED = "TITLE_NOT_GRANTED"
    TERRITORY_NOT_GRANTED = "TERRITORY_NOT_GRANTED"
    MEDIA_NOT_GRANTED = "MEDIA_NOT_GRANTED"
    EXCLUSIVITY_CONFLICT = "EXCLUSIVITY_CONFLICT"
    ATTRIBUTION_MISSING = "ATTRIBUTION_MISSING"
    LEGAL_BASIS_NOT_ACCEPTED = "LEGAL_BASIS_NOT_ACCEPTED"

    MODEL_UNREVIEWED = "MODEL_UNREVIEWED"
    MODEL_CONTESTED = "MODEL_CONTESTED"
    MODEL_WITHDRAWN = "MODEL_WITHDRAWN"
    MODEL_OPAQUE = "MODEL_OPAQUE"
    WEIGHTS_HASH_UNKNOWN = "WEIGHTS_HASH_UNKNOWN"
    TRAINING_ATTESTATION_MISSING = "TRAINING_ATTESTATION_MISSING"
    INVENTORY_MISSING = "INVENTORY_MISSING"
    INVENTORY_AFTER_TRAINING = "INVENTORY_AFTER_TRAINING"

    TERMS_SNAPSHOT_MISSING = "TERMS_SNAPSHOT_MISSING"
    PLAN_TIER_UNKNOWN = "PLAN_TIER_UNKNOWN"
    INPUT_TRAINING_NOT_DISABLED = "INPUT_TRAINING_NOT_DISABLED"
    INDEMNITY_CONDITION_UNMET = "INDEMNITY_CONDITION_UNMET"
    OUTPUT_AS_TRAINING_PROHIBITED = "OUTPUT_AS_TRAINING_PROHIBITED"

    REFERENCE_RIGHTS_MISSING = "REFERENCE_RIGHTS_MISSING"
    LIKENESS_CONSENT_MISSING = "LIKENESS_CONSENT_MISSING"
    PERFORMER_NAME_IN_PROMPT = "PERFORMER_NAME_IN_PROMPT"
    STYLE_REFERENCE = "STYLE_REFERENCE"
    SIMILARITY_HIT_OPEN = "SIMILARITY_HIT_OPEN"
    APPROVAL_MISSING = "APPROVAL_MISSING"

    CHAIN_GAP = "CHAIN_GAP"
    SIGNATURE_INVALID = "SIGNATURE_INVALID"
    WEAK_EVIDENCE = "WEAK_EVIDENCE"
    CYCLE_OR_FORK = "CYCLE_OR_FORK"
    OVERRIDE_EXPIRED = "OVERRIDE_EXPIRED"
    GRADE_BELOW_POLICY = "GRADE_BELOW_POLICY"


CONSEQUENCES = frozenset((Code.GRADE_BELOW_POLICY,))
"""Codes that follow from the others: they stand after those of the same severity."""


class Explained(NamedTuple):
    """What a code means and how to mend it, in plain words, and its severity where a profile says nothing."""

    meaning: str
    mend: str
    severity: Severity


_REVIEW, _BLOCK, _NOTE = Severity.NEEDS_REVIEW, Severity.BLOCKED, Severity.NOTED

EXPLAINED: dict[Code, Explained] = {
    Code.NO_GRANT: Explained(
        "Nobody has recorded a permission for it.",
        "Record the contract with `rakkan rights import`, or make the work again without it.",
        _BLOCK,
    ),
    Code.GRANT_NOT_IN_FORCE: Explained(
        "There is a grant, and its term does not cover this moment.",
        "Have the term extended to cover the moment, or make the work again without it.",
        _REVIEW,
    ),
    Code.GRANT_REVOKED: Explained(
        "The grant was revoked, and by this moment the revocation had taken effect.",
        "Settle with the rights holder and record the new grant, or make the work again without it.",
        _BLOCK,
    ),
    Code.USE_NOT_GRANTED: Explained(
        "What is permitted does not include this use.",
        "Ask the rights holder, or the vendor, for this use, and record what they grant.",
        _BLOCK,
    ),
    Code.STAGE_NOT_GRANTED: Explained(
        "The grant permits training, but not at this stage.",
        "Ask the rights holder for this stage of training, or train again without the dataset.",
        _BLOCK,
    ),
    Code.TITLE_NOT_GRANTED: Explained(
        "The grant is for other titles.",
        "Have the title added to the grant, or make the work again without it.",
        _BLOCK,
    ),
    Code.TERRITORY_NOT_GRANTED: Explained(
        "The grant does not reach every territory of the delivery.",
        "Have the territories added to the grant, or deliver without them.",
        _REVIEW,
    ),
    Code.MEDIA_NOT_GRANTED: Explained(
        "The grant does not cover every medium of the delivery.",
        "Have the medium added to the grant, or deliver without it.",
        _REVIEW,
    ),
    Code.EXCLUSIVITY_CONFLICT: Explained(
        "Somebody else holds an exclusive grant for the same use, at the same time and place.",
        "Ask the rights holder which of the grants is right, and record the correction.",
        _REVIEW,
    ),
    Code.ATTRIBUTION_MISSING: Explained(
        "The grant asks for a credit that the title does not show.",
        "Add the credit to the title, and record it with the title's `credits`.",
        _REVIEW,
    ),
    Code.LEGAL_BASIS_NOT_ACCEPTED: Explained(
        "It is permitted on a legal basis that this policy does not accept.",
        "Get a licence for it, or ask whoever set the policy.",
        _BLOCK,
    ),
    Code.MODEL_UNREVIEWED: Explained(
        "Nobody at the studio has reviewed the model.",
        "Look at its licence and its training, and record a review.",
        _REVIEW,
    ),
    Code.MODEL_CONTESTED: Explained(
        "Somebody claims that the model was trained on what it may not have been.",
        "Read the claim. Stop using the model, or record what came of it as a review.",
        _REVIEW,
    ),
    Code.MODEL_WITHDRAWN: Explained(
        "The model was withdrawn, by its maker or by the studio.",
        "Make the work again with another model.",
        _BLOCK,
    ),
    Code.MODEL_OPAQUE: Explained(
        "What the model was trained on is not on record.",
        "Ask its maker for the datasets and their grants and register them, or keep it out of such work.",
        _REVIEW,
    ),
    Code.WEIGHTS_HASH_UNKNOWN: Explained(
        "A model was used, or merged into another, whose weights are not registered.",
        "Register the exact weights with `rakkan model add`, with what they were trained on.",
        _BLOCK,
    ),
    Code.TRAINING_ATTESTATION_MISSING: Explained(
        "Nobody who ran the training has signed which datasets went in.",
        "Have the trainer attest the run, with the digests of the weights and of the inventories.",
        _NOTE,
    ),
    Code.INVENTORY_MISSING: Explained(
        "The dataset commits to no list of works that proofs could be made against.",
        "Build the inventory with `rakkan inventory build`, and register the dataset's next version.",
        _NOTE,
    ),
    Code.INVENTORY_AFTER_TRAINING: Explained(
        "The inventory was committed only after the training had begun: it may have been made to fit.",
        "Train again from the committed inventory, or accept the lower grade.",
        _REVIEW,
    ),
    Code.TERMS_SNAPSHOT_MISSING: Explained(
        "The service's terms, as they stood when it was used, are not on record.",
        "Record a copy of the terms that were in force then.",
        _REVIEW,
    ),
    Code.PLAN_TIER_UNKNOWN: Explained(
        "It is not on record which plan the service was used under, so nobody can say which terms applied.",
        "Ask whoever holds the account, and record the step's plan tier in the hook.",
        _REVIEW,
    ),
    Code.INPUT_TRAINING_NOT_DISABLED: Explained(
        "By the terms, what was sent to the service may train the vendor's models.",
        "Switch it off in the account, or use a plan that excludes it, and record the terms again.",
        _BLOCK,
    ),
    Code.INDEMNITY_CONDITION_UNMET: Explained(
        "The vendor's indemnity has conditions that the studio does not meet.",
        "Meet the condition, or accept the work without the indemnity.",
        _REVIEW,
    ),
    Code.OUTPUT_AS_TRAINING_PROHIBITED: Explained(
        "A dataset holds output of a model, or of a service, that forbids training on it.",
        "Take that output out of the dataset and train again, or get the permission.",
        _BLOCK,
    ),
    Code.REFERENCE_RIGHTS_MISSING: Explained(
        "A picture from outside went in, and no permission for that is on record.",
        "Record the permission for this picture, or that it is the studio's own.",
        _REVIEW,
    ),
    Code.LIKENESS_CONSENT_MISSING: Explained(
        "A person's face or voice went in without a consent that covers it.",
        "Record the consent for this title and this use.",
        _BLOCK,
    ),
    Code.PERFORMER_NAME_IN_PROMPT: Explained(
        "A prompt names a performer, and no consent of theirs is on record.",
        "Record the consent, or look at the finding and close it.",
        _REVIEW,
    ),
    Code.STYLE_REFERENCE: Explained(
        "A prompt asks for the manner of a named artist, studio or work.",
        "Look at the picture beside what was named, and close the finding with what you decided.",
        _NOTE,
    ),
    Code.SIMILARITY_HIT_OPEN: Explained(
        "A search found a work that it resembles, and nobody has dismissed the finding.",
        "Look at both pictures and close the finding; if it stands, make the picture again.",
        _REVIEW,
    ),
    Code.APPROVAL_MISSING: Explained(
        "The policy asks for an approval that is not on record.",
        "Ask for the approval, and record it with its reference.",
        _REVIEW,
    ),
    Code.CHAIN_GAP: Explained(
        "It was made from a file, or trained on a dataset, that no record explains.",
        "Find out where the file or the dataset came from, and record it.",
        _REVIEW,
    ),
    Code.SIGNATURE_INVALID: Explained(
        "A record under it can no longer be relied on: its key was in other hands, or was not valid.",
        "Make the step again with a device whose key is good.",
        _BLOCK,
    ),
    Code.WEAK_EVIDENCE: Explained(
        "No tool saw this happen: somebody typed it, or it was read from a file. And nobody has reviewed it.",
        "Look at it, and record a review; or capture the work with a hook.",
        _NOTE,
    ),
    Code.CYCLE_OR_FORK: Explained(
        "The records contradict one another: a thing under itself, or two accounts of the same bytes.",
        "Find the wrong record, and end the key that made it. What was registered wrongly, register again.",
        _REVIEW,
    ),
    Code.OVERRIDE_EXPIRED: Explained(
        "This finding had been accepted, and the acceptance has ended.",
        "Mend the finding, or have it accepted again until a later day.",
        _REVIEW,
    ),
    Code.GRADE_BELOW_POLICY: Explained(
        "The grade is lower than the policy asks for this class of deliverable.",
        "Mend what has the lowest grade: L1 has a record, L2 also terms, L3 grants, L4 an early inventory.",
        _REVIEW,
    ),
}
