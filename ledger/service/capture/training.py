"""What a training run read: known datasets by their inventories, and a list of everything else.

* Pictures that an inventory of this device lists stand for that dataset. The run is then attested: observed
  by the device, for the stage that its settings name.
* Pictures that none lists are written down as an inventory of their own, so that somebody can register it as
  a dataset: its SHA-256 is what the step names.
* An inventory is read row by row: only the digests that were read are kept in memory.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from ledger.core.artifact import Artifact, Role
from ledger.core.predicates.model import Training, TrainingStage
from ledger.core.rights.inventory import Rows
from ledger.errors import RakkanError
from ledger.service.files import identify, make_folder, write_new

UNKNOWN_HOLDER = "unknown"


@dataclass(frozen=True, slots=True)
class Datasets:
    """The inventories that a device knows, each with the stage that runs on it are of.

    ``trainer`` is the party that trains; without one nothing is attested. ``kept`` is the folder for lists of
    what no inventory holds. ``rows`` reads an inventory.
    """

    kept: Path
    rows: Callable[[Path], Iterator[Rows]]
    stages: Mapping[Path, TrainingStage]
    trainer: str | None = None

    def gather(self, pictures: Sequence[Artifact]) -> tuple[tuple[Artifact, ...], tuple[Training, ...]]:
        """Return the datasets as materials, and what is to be attested.

        Raises ``target.…`` when the list cannot be kept. An inventory that cannot be read holds nothing.
        """
        left = {item.sha256: item.name for item in pictures}
        materials: list[Artifact] = []
        attested: list[Training] = []
        for path, stage in self.stages.items():
            held, digest = self._held(path, left)
            if held:
                materials.append(Artifact(path.stem, digest, role=Role.DATASET))
                attested.append(Training(path.stem, digest, stage))
                left = {key: name for key, name in left.items() if key not in held}
        if left:
            materials.append(self._listed(left))
        return tuple(materials), tuple(attested) if self.trainer and not left else ()

    def _held(self, path: Path, wanted: Mapping[str, str]) -> tuple[set[str], str]:
        try:
            digest = identify(path).sha256
            return {key for rows in self.rows(path) for key in map(str, rows.keys) if key in wanted}, digest
        except RakkanError:
            return set(), ""

    def _listed(self, pictures: Mapping[str, str]) -> Artifact:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("work", "sha256", "rights_holder"))
        writer.writerows((name, digest, UNKNOWN_HOLDER) for digest, name in sorted(pictures.items()))
        data = text.getvalue().encode()
        digest = sha256(data).hexdigest()
        make_folder(self.kept)
        write_new(self.kept / f"{digest}.csv", data)
        count = "1 picture" if len(pictures) == 1 else f"{len(pictures)} pictures"
        return Artifact(f"{count} of no known dataset", digest, role=Role.DATASET)
