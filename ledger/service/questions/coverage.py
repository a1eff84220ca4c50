"""How far the making of the final files is on record, by who made them and where."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from ledger.service.clear.question import see
from ledger.service.clear.store import Where
from ledger.service.questions.finals import NO_EPISODE, NO_SHOT, File, in_batches, makers, on_record, unnamed
from ledger.service.questions.origin import Origin
from ledger.service.reading.pages import Listing, Page, caught_up
from ledger.service.studio import Studio

NO_TASK = "no task on record"
DERIVED = (
    "A vendor is, of a file that came in as it is, the party that granted the dataset which it came out of;"
    " else what stands before the first dot in the name of the device that recorded its making."
)


class Axis(StrEnum):
    """By what files are counted together."""

    VENDOR = "vendor"
    DEVICE = "device"
    TASK = "task"
    EPISODE = "episode"
    SHOT = "shot"


_BY_MAKER = (Axis.VENDOR, Axis.DEVICE)
_NAMES: Mapping[Axis, Callable[[File, str, str], str]] = {
    Axis.VENDOR: lambda _file, _device, vendor: vendor,
    Axis.DEVICE: lambda _file, device, _vendor: device,
    Axis.TASK: lambda file, _device, _vendor: file.task or NO_TASK,
    Axis.EPISODE: lambda file, _device, _vendor: file.episode or NO_EPISODE,
    Axis.SHOT: lambda file, _device, _vendor: file.shot or NO_SHOT,
}


def coverage(studio: Studio, axis: Axis, where: Where, page: Page, *, parties: bool = True) -> Listing:
    """Return a page of groups in the order of their names: files, by how far their making is on record.

    Without ``parties``, who a file came from is not named. Raises ``RefusedError("log.behind")`` and
    ``MalformedError("page.cursor")``.
    """
    (after,) = page.place(str) or ("",)
    caught_up(studio)
    seen, known = see(studio), makers(studio)
    found: dict[str, Counter[Origin]] = defaultdict(Counter)
    for some in in_batches(on_record(studio, seen.facts, where)):
        files = some if parties else list(map(unnamed, some))
        told = known.of(files) if axis in _BY_MAKER else ((file, "", "") for file in files)
        for file, device, vendor in told:
            found[_NAMES[axis](file, device, vendor)][file.origin] += 1
    total = sum(found.values(), Counter[Origin]())
    left = sorted(name for name in found if name > after)
    listed = left[: page.limit]
    return Listing(
        "groups",
        [{"name": name, **_counts(found[name])} for name in listed],
        page.cursor(listed[-1]) if len(left) > len(listed) else None,
        {
            "tree": {"size": seen.size},
            "by": axis.value,
            "of": len(found),
            **_counts(total),
            **({"derived": DERIVED} if axis is Axis.VENDOR else {}),
        },
    )


def _counts(counts: Counter[Origin]) -> dict[str, Any]:
    return {"files": counts.total(), **{origin.value: counts[origin] for origin in Origin}}
