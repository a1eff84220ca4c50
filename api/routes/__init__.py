"""The routes, one file per thing that people come for."""

from api.routes import (
    assets,
    clearances,
    disclosures,
    entries,
    events,
    log,
    own_works,
    productions,
    registry,
    shares,
    shots,
    steps,
    tokens,
    verdicts,
    verify,
)

ROUTERS = (
    entries.direct,
    entries.router,
    verify.router,
    log.router,
    productions.router,
    assets.router,
    steps.router,
    shots.router,
    registry.router,
    verdicts.router,
    clearances.router,
    own_works.router,
    events.router,
    disclosures.router,
    shares.router,
    shares.opened,
    tokens.router,
)
