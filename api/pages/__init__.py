"""The pages: what a person looks at. One file for each place that people go to; no rule lives here.

* A page is a template of ``ledger.render`` filled with what the use cases answer. It works without scripts.
* Whoever may not is refused as on every other route; ``errors`` turns the refusal into a page.
"""

from api.pages import (
    activity,
    assets,
    board,
    changes,
    deciding,
    decisions,
    findings,
    frames,
    handed,
    importing,
    label,
    log,
    own_works,
    pictures,
    productions,
    reports,
    rights,
    rights_impact,
    shared,
    shots,
    sign_in,
    start,
    verify,
)

ROUTERS = (
    start.router,
    sign_in.router,
    assets.router,
    activity.router,
    board.router,
    changes.router,
    deciding.router,
    decisions.router,
    findings.router,
    frames.router,
    handed.router,
    importing.router,
    label.router,
    log.router,
    own_works.router,
    pictures.router,
    productions.router,
    reports.router,
    rights.router,
    rights_impact.router,
    shared.described,
    shots.router,
    verify.router,
    verify.described,
)
