"""`rakkan verify`: is this file what it claims, who made it, from what, and does the log hold it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ledger.cli.common import examples, home_folder, json_option, print_json, printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ledger.core.policy import Policy
    from ledger.core.report import VerificationReport
    from ledger.core.trust import Lists, TrustRoot
    from ledger.service.clear.verdicts import Recorded
    from ledger.service.report.received import Told
    from ledger.service.verify import Also

MARKS = {"passed": ("✓", "green"), "failed": ("✕", "red"), "undecided": ("–", "yellow")}
FILE = click.Path(path_type=Path)
MAX_TRUST = 1024 * 1024
"""A trust root is a few kilobytes; what is larger is no trust root."""
UPLOAD_SECONDS = 3600.0
"""How long sending a file and examining it may take."""


@click.command(
    epilog=examples(
        "rakkan verify night.png --trust trust.json --offline",
        "rakkan verify night.png --trust trust.json --offline --policy our-witnesses.policy",
        "rakkan verify night.png --server https://ledger.example --upload",
    )
)
@click.argument("file", type=FILE)
@click.option(
    "--trust", "trust_file", type=FILE, help="The studio's trust root. Default: that of RAKKAN_HOME."
)
@click.option("--sidecar", type=FILE, help="The manifest, when it is not FILE.c2pa.")
@click.option(
    "--policy",
    "policy_file",
    type=FILE,
    help="Witnesses (C2SP tlog-policy) that must have cosigned the log, so that it cannot show two.",
)
@click.option(
    "--trust-list",
    "lists",
    multiple=True,
    metavar="NAME=FILE",
    help="Signers of others (PEM): known by this name, and not as the studio's. May be given several times.",
)
@click.option("--offline", is_flag=True, help="Do not ask the ledger of RAKKAN_HOME, even if it is there.")
@click.option("--server", metavar="URL", help="Ask a service instead. It is sent the file's SHA-256 only.")
@click.option("--upload", is_flag=True, help="With --server: send the file, too, to be examined there.")
@json_option
def verify(
    file: Path,
    trust_file: Path | None,
    sidecar: Path | None,
    policy_file: Path | None,
    lists: tuple[str, ...],
    *,
    as_json: bool,
    **asked: Any,
) -> int:
    """Verify FILE: its bytes, who sealed it, from what, and that the log holds it.

    Needs only the file (with its sidecar FILE.c2pa, where it has one) and the studio's trust.json. Where
    RAKKAN_HOME holds a ledger, it is asked too, and finds a file whose manifest was stripped. So are the
    bundles that were imported there (`rakkan reports import`), about files that nobody else knows.

    Exit code: 0 proven, 1 altered, 2 usage, 3 anything else: undecided, recorded, signed by somebody else.
    """
    if asked["server"] is not None or asked["upload"]:
        if asked["server"] is None or asked["offline"] or trust_file or policy_file or lists:
            raise click.UsageError("--server asks somebody else: it goes with --sidecar and --upload only.")
        return _ask(asked["server"], file, sidecar, upload=asked["upload"], as_json=as_json)
    from ledger.core.report import Outcome
    from ledger.service.verify import Also

    also = Also(_policy(policy_file), _lists(lists))
    report, cleared = _verify(file, trust_file, sidecar, also, offline=asked["offline"])
    told = None
    if trust_file is None and report.outcome is Outcome.UNDECIDED:
        report, told = _received(file, sidecar, also, report)
    if as_json:
        print_json({**report.to_json(), **_clearance(cleared), **_told(told)})
    else:
        _print(report.to_json())
        _print_clearance(cleared)
        _print_told(told)
    return report.exit_code


def _received(
    file: Path, sidecar: Path | None, also: Also, report: VerificationReport
) -> tuple[VerificationReport, Told | None]:
    """Return what a bundle that was imported here comes to, where one knows the file; else the report."""
    from ledger.wiring.received import find

    known = find(home_folder(), file, sidecar, also)
    return (known.report, known.told) if known else (report, None)


def _told(told: Told | None) -> dict[str, Any]:
    if told is None:
        return {}
    said = {"policy": told.policy, "view": told.view, "at": told.at, "then": told.then, "now": told.now}
    return {"auditReport": {"identifier": told.identifier, **said}}


def _print_told(told: Told | None) -> None:
    if told is not None:
        said = f"{told.then} when made, {told.now} on {told.at[:10]} (policy {told.policy})"
        click.echo(printable(f"  the studio's report {told.identifier}: {said}"))


def _verify(
    file: Path, trust_file: Path | None, sidecar: Path | None, also: Also, *, offline: bool
) -> tuple[VerificationReport, Recorded | None]:
    """Return the report and, where the ledger is asked, the newest verdict on record for the file."""
    from ledger.wiring import home_at, offline_reader, open_studio

    place = home_at(home_folder())
    trust = _trust(trust_file)
    if offline or not place.holds_ledger():
        return offline_reader().verify(file, trust, sidecar, also), None
    from ledger.service.archive import Archive
    from ledger.service.clear.verdicts import newest_about
    from ledger.service.verify import verify_online

    with open_studio(place) as studio:
        report = verify_online(studio, file, trust or studio.trust, sidecar, also)
        return report, newest_about(Archive(studio), report.sha256)


def _policy(policy_file: Path | None) -> Policy | None:
    from ledger.core.policy import MAX_POLICY, parse_policy
    from ledger.service.files import read_whole

    return None if policy_file is None else parse_policy(read_whole(policy_file, MAX_POLICY + 1))


def _lists(given: tuple[str, ...]) -> Lists:
    from ledger.core.trust import Lists, read_list
    from ledger.service.files import read_whole

    found = []
    for item in given:
        name, _, path = item.partition("=")
        if not name or not path:
            raise click.BadParameter("give NAME=FILE", param_hint="--trust-list")
        found.append((name, read_list(read_whole(Path(path), MAX_TRUST))))
    return Lists(tuple(found))


def _trust(trust_file: Path | None) -> TrustRoot | None:
    """Return the given trust root, else the home's own, else none: then no signer is known."""
    from ledger.core.trust import parse_trust
    from ledger.errors import MalformedError
    from ledger.service.files import read_whole

    if trust_file is None:
        own = home_folder() / "trust.json"
        if not own.is_file():
            return None
        trust_file = own
    try:
        return parse_trust(read_whole(trust_file, MAX_TRUST))
    except MalformedError as error:
        words = f"{trust_file} is not a trust root: {error.message}"
        raise MalformedError("trust.malformed", words, path=trust_file, cause=error.code) from error


def _clearance(found: Recorded | None) -> dict[str, Any]:
    if found is None:
        return {}
    verdict = found.verdict
    return {
        "clearance": {
            "entry": found.index,
            "policy": verdict.policy,
            "deliverable": verdict.delivery.deliverable.value,
            "then": verdict.then.verdict.value,
            "now": verdict.now.verdict.value,
            "grade": verdict.now.grade.name,
        }
    }


def _print_clearance(found: Recorded | None) -> None:
    from ledger.render.verdicts import pair

    if found is not None:
        verdict = found.verdict
        asked = f"{verdict.delivery.deliverable.value}, policy {verdict.policy}"
        click.echo(printable(f"  clearance on record: {pair(verdict)} ({asked}; entry {found.index})"))


def _ask(url: str, file: Path, sidecar: Path | None, *, upload: bool, as_json: bool) -> int:
    """Print what a service says, and return its exit code. It is believed as far as the service is."""
    from ledger.client import Client
    from ledger.core.report import EXIT_CODES, Outcome
    from ledger.errors import UndecidedError
    from ledger.service.files import beside, identify

    sha256 = identify(file).sha256
    with Client(url, timeout=UPLOAD_SECONDS if upload else 60.0) as client:
        found = client.verify_file(file, sidecar or beside(file)) if upload else client.verify_digest(sha256)
    try:
        if found["sha256"] != sha256:
            raise ValueError
        code = EXIT_CODES[Outcome(found["outcome"])]
        print_json(found) if as_json else _print(found)
    except (KeyError, TypeError, ValueError) as error:
        raise UndecidedError(
            "server.unreachable", f"{url}: its answer is not about this file.", url=url
        ) from error
    return code


def _print(report: Mapping[str, Any]) -> None:
    """Print a report as JSON has it: ours, or a service's."""
    mark, colour = {"proven": MARKS["passed"], "altered": MARKS["failed"]}.get(
        report["outcome"], MARKS["undecided"]
    )
    click.secho(f"{mark} {printable(report['verdict'])}", fg=colour, bold=True)
    click.echo()
    for check in report["checks"]:
        mark, colour = MARKS[check["status"]]
        codes = f" [{', '.join(check['codes'])}]" if check["status"] != "passed" and check["codes"] else ""
        click.echo(f"  {click.style(mark, fg=colour)} {printable(check['title'])}")
        click.echo(f"    {printable(check['words'] + codes)}")
    if report["named"]:
        click.echo()
    for thing in report["named"]:
        stages = f" ({', '.join(thing['stages'])} training)" if thing["stages"] else ""
        held = [grant["grantId"] for grant in thing["grants"] if grant["inTerm"]]
        grants = ", ".join(held) or "no grant on record"
        click.echo(printable(f"  {thing['kind']} “{thing['name'] or 'not shown'}”{stages}: {grants}"))
    click.echo(f"\n  sha256 {report['sha256']}")
