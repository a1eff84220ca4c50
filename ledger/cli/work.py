"""`rakkan record` and `rakkan seal`: a step into the log, a manifest onto its files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ledger.cli.common import Moment, device_option, examples, home, json_option, print_json, printable
from ledger.core.artifact import Role
from ledger.core.fields import in_order
from ledger.core.predicates.model_v2 import Service
from ledger.core.predicates.step import Evidence, Place, StepAction, Tool

if TYPE_CHECKING:
    from ledger.adapters.home import Home
    from ledger.adapters.seal_journal import DirectoryJournal
    from ledger.service.record import Used, Work
    from ledger.service.seal import SealedFile, SealingLog
    from ledger.service.studio import Device, Studio

FILE = click.Path(path_type=Path)


@click.command(
    epilog=examples(
        'rakkan record night.png --action generate --tool "painter 1.0" --model sky --prompt "night sky"',
        'rakkan record grade.png --action edit --tool "grade 2" --parent night.png',
        "rakkan record comp.exr --action composite --component night.png --component cel.png",
    )
)
@click.argument("outputs", nargs=-1, required=True, type=FILE)
@click.option(
    "--action",
    type=click.Choice([item.value for item in StepAction]),
    default="import",
    show_default=True,
    help="What kind of step it was.",
)
@click.option(
    "--tool", default="unknown 0", show_default=True, metavar="'NAME VERSION'", help="The program that ran."
)
@click.option("--parent", multiple=True, type=FILE, help="The file that was edited.")
@click.option("--component", multiple=True, type=FILE, help="A file visible in the output.")
@click.option("--reference", multiple=True, type=FILE, help="A file that guided the work.")
@click.option("--control", multiple=True, type=FILE, help="A picture that steered it: a pose, a depth map.")
@click.option("--inpaint", multiple=True, type=FILE, help="A picture part of which was painted over.")
@click.option("--model", multiple=True, help="A registered model, or the path of one's weights.")
@click.option("--service", metavar="VENDOR/PRODUCT[/SNAPSHOT]", help="The remote service that ran it.")
@click.option("--plan", "plan_tier", help="The account's plan: it decides which terms apply.")
@click.option("--person", "people", multiple=True, help="Whose likeness went in. A pseudonym, never a name.")
@click.option("--dataset", multiple=True, help="A registered dataset used directly.")
@click.option("--prompt", help="The prompt. Enters the log only as a salted digest.")
@click.option("--set", "parameter", multiple=True, metavar="NAME=VALUE", help="A parameter, such as seed=42.")
@click.option("--actor", default="actor:unnamed", show_default=True, help="A pseudonym, never a name.")
@click.option("--episode", help="Which episode, such as ep03.")
@click.option("--sequence", help="Where in the production, such as sq010.")
@click.option("--shot", help="Where in the sequence, such as sh0020.")
@click.option("--task", help="Such as background, comp, grade.")
@click.option("--frames", metavar="FIRST-LAST", help="Frame range, both ends included.")
@click.option("--started", type=Moment(), help="Default: when it finished.")
@click.option("--finished", type=Moment(), help="Default: now.")
@device_option
@json_option
def record(outputs: tuple[Path, ...], device: str, *, as_json: bool, **said: Any) -> None:
    """Record the step that wrote OUTPUTS.

    What is typed here is evidence of the class `declared`; a hook's record is `observed`.
    """
    from ledger.service.record import record as record_step
    from ledger.wiring import open_device, open_studio

    place = home()
    with open_studio(place) as studio:
        work = _work(studio, said)
        done = record_step(studio, open_device(place, device), work, outputs)
    index = done.appended.index
    if as_json:
        print_json({"index": index, "subjects": [subject.to_json() for subject in done.subjects]})
        return
    files = "1 file" if len(outputs) == 1 else f"{len(outputs)} files"
    click.echo(printable(f"Entry {index}: {work.action.value} of {files}. Next: rakkan seal {outputs[0]}"))


@click.command(
    epilog=examples(
        "rakkan seal night.png",
        "rakkan seal shot010/*.exr --skip-sealed",
        "rakkan seal night.png --out delivery --timestamp",
        "rakkan seal night.png --server https://ledger.example --device ws-07",
    )
)
@click.argument("paths", nargs=-1, required=True, type=FILE)
@click.option("--out", type=FILE, help="Write the sealed files into this folder instead of in place.")
@click.option(
    "--timestamp", is_flag=True, help="Add a trusted time stamp, so that the seal outlives its certificate."
)
@click.option("--skip-sealed", is_flag=True, help="Leave out files that are sealed already.")
@click.option(
    "--server", metavar="URL", help="Where the ledger is, for a device without one. Default: in the home."
)
@device_option
@json_option
def seal(
    paths: tuple[Path, ...],
    out: Path | None,
    device: str,
    server: str | None,
    *,
    timestamp: bool,
    skip_sealed: bool,
    as_json: bool,
) -> None:
    """Give recorded PATHS their manifests: inside the file where its format can, beside it where not.

    A failure leaves every file as it was. A sidecar is named FILE.c2pa and travels with the file.
    """
    from contextlib import ExitStack

    from ledger.service.files import make_folder
    from ledger.service.seal import seal as seal_files
    from ledger.wiring import open_device, timestamp_authority

    place = home()
    if server is not None and timestamp:
        raise click.UsageError("--timestamp needs the studio's own authority: leave it out with --server.")
    with ExitStack() as stack:
        url = stack.enter_context(timestamp_authority(place).serving()) if timestamp else None
        if out is not None:
            make_folder(out)
        acting = open_device(place, device)
        log, journal = stack.enter_context(_log_of(place, acting, server))
        sealed = seal_files(
            log, acting, paths, out=out, timestamp_url=url, skip_sealed=skip_sealed, journal=journal
        )
    if as_json:
        print_json([_sealed_json(item) for item in sealed])
        return
    for item in sealed:
        click.echo(printable(f"{item.manifest}: {item.form.value}, entry {item.appended.index}"))


@contextmanager
def _log_of(
    place: Home, device: Device, server: str | None
) -> Iterator[tuple[SealingLog, DirectoryJournal | None]]:
    """Open what files are sealed against; on leaving, give a server the manifests that were made."""
    if server is None:
        from ledger.wiring import open_studio

        with open_studio(place) as studio:
            _cosign(place, studio)
            yield studio, None
        return
    from ledger.errors import RakkanError
    from ledger.service.elsewhere import offer
    from ledger.wiring.elsewhere import open_elsewhere, open_journal, open_kept, open_server

    with open_server(place, server, device) as client:
        yield open_elsewhere(place, client), open_journal(place)
        try:
            offer(client, open_kept(place))
        except RakkanError as error:
            words = "warning: the files are sealed; their manifests are kept here and shared the next time"
            click.echo(printable(f"{words}: {error}"), err=True)


def _cosign(place: Home, studio: Studio) -> None:
    """Publish through the witnesses, if the studio has any: a file then carries receipts that they vouch for.

    Whatever goes wrong with that stops nobody's work: the file gets the log's own receipts.
    """
    from ledger.errors import RakkanError
    from ledger.service.log.publish import publish
    from ledger.wiring import publication
    from ledger.wiring.outside import alarms, witnessing

    try:
        found = witnessing(place, studio)
        if found is not None:
            publish(studio.log, publication(place), alarms=alarms(place), witnessing=found)
    except RakkanError as error:
        click.echo(printable(f"warning: no witness vouches for these receipts: {error}"), err=True)


def _sealed_json(item: SealedFile) -> dict[str, Any]:
    return {
        "file": str(item.target),
        "manifest": str(item.manifest),
        "sha256": item.sha256,
        "form": item.form.value,
        "entry": item.appended.index,
    }


def _work(studio: Studio, said: dict[str, Any]) -> Work:
    """Return the step as the options describe it."""
    from ledger.service.record import Used, Work

    finished = said["finished"] or studio.clock.now()
    roles = (Role.PARENT, Role.COMPONENT, Role.REFERENCE, Role.CONTROL, Role.INPAINT)
    files = ((role, said[role.value]) for role in roles)
    used = [Used(role, path) for role, paths in files for path in paths]
    used += [_model(studio, name) for name in said["model"]]
    used += [_dataset(studio, name) for name in said["dataset"]]
    name, _, version = said["tool"].rpartition(" ")
    return Work(
        action=StepAction(said["action"]),
        tool=Tool(name or version, version if name else "0"),
        place=Place(
            studio.production,
            said["sequence"],
            said["shot"],
            said["task"],
            frames=_frames(said["frames"]),
            episode=said["episode"],
        ),
        started=said["started"] or finished,
        finished=finished,
        actor=said["actor"],
        evidence=Evidence.DECLARED,
        used=tuple(used),
        parameters=dict(_parameter(item) for item in said["parameter"]),
        secrets={"prompt": said["prompt"]} if said["prompt"] else {},
        service=_service(said["service"], said["plan_tier"]),
        plan_tier=said["plan_tier"],
        people=tuple(in_order(said["people"])),
    )


def _service(text: str | None, plan_tier: str | None) -> Service | None:
    if text is None:
        if plan_tier is not None:
            raise click.BadParameter("goes with --service.", param_hint="--plan")
        return None
    vendor, _, rest = text.partition("/")
    product, _, snapshot = rest.partition("/")
    if not vendor or not product:
        raise click.BadParameter(f"{text!r} is not VENDOR/PRODUCT.", param_hint="--service")
    return Service(vendor, product, snapshot or None)


def _frames(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    first, _, last = text.partition("-")
    if not (first.isdecimal() and (last or first).isdecimal()):
        raise click.BadParameter(f"{text!r} is not a frame range such as 1001-1024.", param_hint="--frames")
    return int(first), int(last or first)


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.BadParameter(f"{text!r} is not NAME=VALUE.", param_hint="--set")
    return name, value


def _model(studio: Studio, name: str) -> Used:
    """Return a registered model, or an unregistered one by the bytes of its weights."""
    from ledger.core.predicates import Model
    from ledger.errors import UsageError
    from ledger.service.files import identify
    from ledger.service.record import Used
    from ledger.service.rights.reading import find

    try:
        found = find(studio, Model, name)
    except UsageError:
        path = Path(name)
        if not path.is_file():
            raise
        return Used(Role.MODEL, name=path.name, sha256=identify(path).sha256)
    return Used(Role.MODEL, name=found.name, sha256=found.sha256)


def _dataset(studio: Studio, name: str) -> Used:
    from ledger.core.predicates import Dataset
    from ledger.service.record import Used
    from ledger.service.rights.reading import find

    found = find(studio, Dataset, name)
    return Used(Role.DATASET, name=found.name, sha256=found.sha256)
