"""The tables about what files rest on: tools, services, models, datasets, grants, people, decisions."""

from __future__ import annotations

from ledger.core.audit import Column, Kind, Schema, Sight

_C = Column
_WORK, _RIGHTS, _TERMS, _CREW = Sight.WORK, Sight.RIGHTS, Sight.TERMS, Sight.CREW
_ENTRIES = _C("entries", "Log entries", Kind.ENTRIES)

TOOLS = Schema(
    "tools",
    "Tools",
    "One row for each program and version that a recorded step under the population ran in.",
    (
        _C("tool", "Tool and version"),
        _C("actions", "Actions", Kind.TEXTS),
        _C("steps", "Steps", Kind.COUNT),
        _C("observed", "Observed", Kind.COUNT),
        _C("inferred", "Inferred", Kind.COUNT),
        _C("declared", "Declared", Kind.COUNT),
        _C("generative", "Generates with a model", Kind.FLAG),
        _C("first", "First use", Kind.MOMENT),
        _C("last", "Last use", Kind.MOMENT),
        _C("executables", "SHA-256 of the program", Kind.TEXTS),
        _ENTRIES,
    ),
)

SERVICES = Schema(
    "services",
    "AI usage register: remote services",
    "One row for each remote service, model and plan tier that files rest on, with its terms then and now.",
    (
        _C("service", "No.", Kind.COUNT),
        _C("vendor", "Vendor", sight=_RIGHTS),
        _C("product", "Product", sight=_RIGHTS),
        _C("model", "Model", sight=_RIGHTS),
        _C("tier", "Plan tier", sight=_TERMS),
        _C("files", "Files", Kind.COUNT),
        _C("steps", "Uses", Kind.COUNT),
        _C("first", "First use", Kind.MOMENT),
        _C("last", "Last use", Kind.MOMENT),
        _C("terms", "Terms on record (SHA-256)", Kind.DIGEST),
        _C("fetched", "Terms saved on", Kind.MOMENT),
        _C("ownership", "Output belongs to"),
        _C("inputTraining", "Input trains the vendor's models"),
        _C("retention", "Retention", sight=_TERMS),
        _C("indemnityThen", "Indemnity when used"),
        _C("indemnityNow", "Indemnity now"),
        _C("conditions", "Conditions not met", Kind.TEXTS, _TERMS),
        _C("standing", "Review"),
        _C("approved", "Approved by", Kind.TEXTS, _CREW),
        _ENTRIES,
    ),
)
"""``indemnityThen`` and ``indemnityNow``: ``none``, ``conditional`` (a condition is not met), ``offered`` or
``unknown`` (no terms on record for that moment). *When used* is the weakest of all uses. The other cells
about terms are those of one snapshot: of several at the uses, the one that is worst for the studio."""

MODELS = Schema(
    "models",
    "Models",
    "One row for each model under the population, and for each that one of them was made from.",
    (
        _C("sha256", "Weights (SHA-256)", Kind.DIGEST),
        _C("name", "Name", sight=_RIGHTS),
        _C("version", "Version", sight=_RIGHTS),
        _C("kind", "Kind"),
        _C("used", "Used by a step", Kind.FLAG),
        _C("files", "Files", Kind.COUNT),
        _C("parents", "Made from", Kind.TEXTS, _RIGHTS),
        _C("datasets", "Trained on", Kind.TEXTS, _RIGHTS),
        _C("stages", "Stages of training", Kind.TEXTS),
        _C("licence", "Licence"),
        _C("basis", "Legal basis"),
        _C("attested", "Training attested", Kind.FLAG),
        _C("standing", "Review"),
        _C("grade", "Grade", Kind.GRADE),
        _C("grants", "Grants", Kind.TEXTS, _TERMS),
        _C("approved", "Approved by", Kind.TEXTS, _CREW),
        _ENTRIES,
    ),
)
"""``grade`` is the lowest that anything about it has under this policy, now."""

DATASETS = Schema(
    "datasets",
    "Datasets",
    "One row for each dataset that a step read, or that a model under the population was trained on.",
    (
        _C("sha256", "Digest", Kind.DIGEST),
        _C("name", "Name", sight=_RIGHTS),
        _C("version", "Version", sight=_RIGHTS),
        _C("works", "Works", Kind.COUNT),
        _C("holdersCount", "Rights holders", Kind.COUNT),
        _C("inventory", "Inventory root", Kind.DIGEST),
        _C("committed", "Committed on", Kind.MOMENT),
        _C("stages", "Stages of training", Kind.TEXTS),
        _C("models", "Models trained on it", Kind.TEXTS, _RIGHTS),
        _C("files", "Files", Kind.COUNT),
        _C("licence", "Licence"),
        _C("standing", "Review"),
        _C("grade", "Grade", Kind.GRADE),
        _C("grants", "Grants", Kind.TEXTS, _TERMS),
        _C("holders", "Granted by", Kind.TEXTS, _TERMS),
        _C("composition", "Composition", Kind.TEXTS, _RIGHTS),
        _ENTRIES,
    ),
    owner="holders",
)

GRANTS = Schema(
    "grants",
    "Grants",
    "One row for each grant about a model, a dataset, or a file under the population.",
    (
        _C("row", "No.", Kind.COUNT),
        _C("grant", "Grant", sight=_TERMS),
        _C("version", "Version", Kind.COUNT),
        _C("about", "About", Kind.TEXTS, _RIGHTS),
        _C("uses", "Uses", Kind.TEXTS),
        _C("stages", "Stages", Kind.TEXTS),
        _C("titles", "Titles", Kind.TEXTS, _TERMS),
        _C("territories", "Territories", Kind.TEXTS, _TERMS),
        _C("media", "Media", Kind.TEXTS, _TERMS),
        _C("basis", "Legal basis"),
        _C("from", "From", Kind.MOMENT, _TERMS),
        _C("until", "Until", Kind.MOMENT, _TERMS),
        _C("onExpiry", "On expiry", sight=_TERMS),
        _C("revoked", "Revoked with effect from", Kind.MOMENT),
        _C("state", "Now"),
        _C("holder", "Rights holder", sight=_RIGHTS),
        _C("holders", "Parties", Kind.TEXTS, _RIGHTS),
        _C("files", "Files", Kind.COUNT),
        _C("contract", "Contract (SHA-256)", Kind.DIGEST, _TERMS),
        _ENTRIES,
    ),
    owner="holders",
)
"""``state``: ``in force``, ``ended``, ``revoked`` or ``to come``, at the moment of the report."""

AUTHORSHIP = Schema(
    "authorship",
    "Human authorship",
    "One row for each actor, task and action: what people did by hand or decided, by recorded steps.",
    (
        _C("row", "No.", Kind.COUNT),
        _C("actor", "Actor", sight=_CREW),
        _C("task", "Task"),
        _C("action", "Action"),
        _C("steps", "Steps", Kind.COUNT),
        _C("withModel", "Of them with a model", Kind.COUNT),
        _C("files", "Files written", Kind.COUNT),
        _C("shots", "Shots", Kind.COUNT),
        _C("evidence", "Weakest evidence"),
        _C("first", "First", Kind.MOMENT),
        _C("last", "Last", Kind.MOMENT),
        _ENTRIES,
    ),
)
"""``withModel``: a model or a service is under what the step wrote. A step whose signature cannot be relied
on is not in it, nor one that only published what another step made."""

PEOPLE = Schema(
    "people",
    "People and consents",
    "One row for each person whose likeness or voice a step under the population used.",
    (
        _C("row", "No.", Kind.COUNT),
        _C("person", "Person", sight=_CREW),
        _C("files", "Files", Kind.COUNT),
        _C("first", "First use", Kind.MOMENT),
        _C("consent", "Consent", sight=_TERMS),
        _C("covers", "Covers", sight=_TERMS),
        _C("from", "From", Kind.MOMENT, _TERMS),
        _C("until", "Until", Kind.MOMENT, _TERMS),
        _C("before", "Given before the first use", Kind.FLAG),
        _ENTRIES,
    ),
)
"""``before``: a consent that reaches this delivery held at the first use and was on record by then. Empty: it
says that it held, and was recorded later. ``first`` is also when a prompt was found to name the person."""

REVIEWS = Schema(
    "decisions",
    "Approvals, reviews and overrides",
    "One row for each decision of a person about a thing under the population.",
    (
        _C("row", "No.", Kind.COUNT),
        _C("kind", "Kind"),
        _C("about", "About", sight=_RIGHTS),
        _C("sha256", "SHA-256", Kind.DIGEST),
        _C("decision", "Decision"),
        _C("by", "By", Kind.TEXTS, _CREW),
        _C("from", "From", Kind.MOMENT),
        _C("until", "Until", Kind.MOMENT),
        _C("reference", "Reference", sight=_TERMS),
        _ENTRIES,
    ),
)
