"""The pages: what a person looks at. One file for each place that people go to; no rule lives here.

* A page is a template of ``ledger.render`` filled with what the use cases answer. It works without scripts.
* Whoever may not is refused as on every other route; ``errors`` turns the refusal into a page.
"""

from api.pages import (
    activity,
    assets,
    board,
    changes,
    findings,
    handed,
    pictures,
    productions,
    shots,
    sign_in,
    start,
)

ROUTERS = (
    *(page.router for page in (start, sign_in, assets, pictures)),
    *(page.router for page in (productions, handed, board, shots, findings, changes, activity)),
)
