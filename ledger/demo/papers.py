"""The studio's papers: the contract, and the facts about rights as `rakkan rights import` reads them.

They come in two files, because the highest grade asks for an order: the contract and the list of works are on
record before the training begins; the model, which only the training gives a digest, comes after it.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from ledger.demo import cast

BEFORE, AFTER = "rights-before-training.toml", "rights-after-training.toml"

_CONTRACT = f"""Licence {cast.GRANT} (invented for the demo)

{cast.LICENSOR} permit {cast.STUDIO} to train a model on the
six works of the dataset "{cast.DATASET}" (focused training), and to show what the model makes of them in the
finished production "{cast.TITLE}" and in its advertising, in any medium, worldwide. If the licence is
revoked, nothing that rests on these works is newly exploited from that day on.
"""

_BEFORE = """\
# What is on record before anything is trained: who is who, the title, the list of works, the contract.
zone = "{zone}"

[[party]]
id = "{us}"
kind = "organisation"
name = "{studio}"

[[party]]
id = "atelier-tsukikage"
kind = "organisation"
name = "Atelier Tsukikage"

[[party]]                              # a person: the log holds a pseudonym, and commits to the name
id = "painter-2"
kind = "person"
name = "Ran Minazuki"

[[party]]                              # both together: they signed one contract
id = "{holders}"
kind = "collective"
name = "The rights holders of {dataset}"

[[title]]
id = "{title_id}"
name = "{title}"
productions = ["{production}"]

[[dataset]]                            # its entry commits to every work in the list
name = "{dataset}"
version = "{dataset_version}"
inventory = "{dataset}.csv"

[[grant]]
id = "{grant}"
covers = ["{dataset}"]
uses = ["focused-training", "output-final", "output-marketing"]
from = {first}
until_including = {last}
titles = ["{title_id}"]
territories = ["001"]                  # the world
assigner = "{holders}"
assignee = "{us}"
licensor = "{licensor}"
contract = "{contract}"
on_expiry = "outputs-survive"
on_revocation = "outputs-cease-new-exploitation"
"""

_AFTER = """\
# What is on record once the model exists. The farm itself attests the training, with its own key.
zone = "{zone}"

[[model]]
name = "{model}"
version = "{model_version}"
weights = "{model}.safetensors"
trained_on = ["{dataset}:focused"]

[[grant]]                              # the studio trained it: to run it, nobody else has to be asked
id = "{own}"
basis = "own-work"
covers = ["{model}"]
uses = ["inference-run", "output-final", "output-marketing"]
from = {first}
assigner = "{us}"
assignee = "{us}"

[[review]]                             # what somebody typed counts only after somebody looked
about = ["{dataset}", "{model}"]
standing = "accepted"
reviewer = "actor:rights-desk"
since = {today}

[[model]]                              # found on the web: nobody knows what it was trained on
name = "{unlicensed}"
version = "{unlicensed_version}"
weights = "{unlicensed}.safetensors"
"""


def write_contract(folder: Path) -> None:
    """Write the contract that the grant commits to."""
    (folder / f"licence-{cast.GRANT}.txt").write_text(_CONTRACT, encoding="utf-8")


def write_before(folder: Path, today: date) -> Path:
    """Write the facts that come before the training; return the file."""
    return _write(folder / BEFORE, _BEFORE, today)


def write_after(folder: Path, today: date) -> Path:
    """Write the facts that come after it; return the file."""
    return _write(folder / AFTER, _AFTER, today)


def _write(path: Path, text: str, today: date) -> Path:
    filled = text.format(
        zone=cast.ZONE,
        studio=cast.STUDIO,
        us=cast.STUDIO_PARTY,
        holders=cast.HOLDERS_PARTY,
        title_id=cast.TITLE_ID,
        title=cast.TITLE,
        production=cast.PRODUCTION,
        dataset=cast.DATASET,
        dataset_version=cast.DATASET_VERSION,
        model=cast.MODEL,
        model_version=cast.MODEL_VERSION,
        unlicensed=cast.UNLICENSED,
        unlicensed_version=cast.UNLICENSED_VERSION,
        grant=cast.GRANT,
        own=cast.OWN_GRANT,
        licensor=cast.LICENSOR,
        contract=f"licence-{cast.GRANT}.txt",
        first=today - timedelta(days=30),
        last=today + timedelta(days=700),
        today=today,
    )
    path.write_text(filled, encoding="utf-8")
    return path
