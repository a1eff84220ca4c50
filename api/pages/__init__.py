"""The pages: what a person looks at. One file for each place that people go to; no rule lives here.

* A page is a template of ``ledger.render`` filled with what the use cases answer. It works without scripts.
* Whoever may not is refused as on every other route; ``errors`` turns the refusal into a page.
"""

from api.pages import assets, deciding, decisions, frames, importing, label, log, pictures, sign_in, start

ROUTERS = (
    start.router,
    sign_in.router,
    assets.router,
    deciding.router,
    decisions.router,
    frames.router,
    importing.router,
    label.router,
    log.router,
    pictures.router,
)
