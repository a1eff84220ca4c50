"""A production at a glance: its log, its title, and what the viewer may do there."""

from __future__ import annotations

from typing import Any

from ledger.core.access import PUBLIC, Action, Viewer
from ledger.core.checkpoint import parse_checkpoint
from ledger.core.fields import present
from ledger.service.rights.reading import facts_of
from ledger.service.studio import Studio


def may_see(viewer: Viewer, production: str) -> bool:
    """Whether the viewer may do anything there that not everybody may."""
    return any(viewer.may(action, production) for action in Action if action not in PUBLIC)


def glance(studio: Studio, viewer: Viewer) -> dict[str, Any]:
    """Return a production as this viewer sees it."""
    head = studio.entries.head()
    root = parse_checkpoint(head.checkpoint).root.hex() if head.size else None
    title = facts_of(studio).title_of(studio.production) if _may_know_title(studio, viewer) else None
    return {
        "production": studio.production,
        "log": {"origin": studio.log.origin, "size": head.size},
        **present(root=root, title=title and {"id": title.predicate.title_id, "name": title.predicate.name}),
        "may": [action.value for action in Action if viewer.may(action, studio.production)],
    }


def _may_know_title(studio: Studio, viewer: Viewer) -> bool:
    return viewer.may(Action.READ_WORK, studio.production) or viewer.may(
        Action.READ_REGISTRY, studio.production
    )
