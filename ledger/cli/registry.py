"""`rakkan dataset`, `rakkan model`, `rakkan grant`: what a frame may later be said to rest on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ledger.cli.common import examples, home, json_option, print_json, printable
from ledger.cli.rights_state import FILE, LICENCE, LICENCE_TEXT, said, say_registered, state_one
from ledger.core.predicates.grant import Use
from ledger.core.predicates.grant_v2 import Afterwards, LegalBasis
from ledger.core.predicates.model_v2 import ModelKind
from ledger.core.predicates.scope import Media

_MANY = "; may be given several times."


@click.group()
def dataset() -> None:
    """Register datasets: what models were trained on, work by work."""


@dataset.command(
    "add",
    epilog=examples(
        "rakkan dataset add plates plates.csv",
        "rakkan dataset add crowd crowd.parquet --dataset-version 2 --licence LicenseRef-Mori-7",
    ),
)
@click.argument("name")
@click.argument("inventory", type=FILE)
@click.option(
    "--dataset-version", "version", default="1", show_default=True, help="Its version, as you count them."
)
@LICENCE
@LICENCE_TEXT
@click.option("--curation", type=FILE, help="The curation record, as JSON: how the works were chosen.")
@click.option("--outputs-of", multiple=True, help=f"A registered model whose output is in it{_MANY}")
@json_option
def add_dataset(name: str, inventory: Path, *, as_json: bool, **options: Any) -> None:
    """Register the dataset NAME by its INVENTORY: .csv, .ndjson, .jsonl or .parquet.

    The columns are work, sha256, rights_holder and, if there is one, grant. The inventory's index is built
    beside it, for proofs that a work is in the dataset, or is not.
    """
    done = state_one("dataset", said(name=name, inventory=inventory, **options))
    say_registered("Dataset", name, done, inventory, as_json=as_json)
    if not as_json:
        click.echo("A grant makes it licensed: rakkan grant add.")


@click.group()
def model() -> None:
    """Register models: the weights that generate, and what they were made from."""


@model.command(
    "add",
    epilog=examples(
        "rakkan model add sky sky.safetensors --trained-on plates:focused",
        "rakkan model add mix mix.safetensors --kind merge --parent sky:merged:0.6 --parent sea:merged:0.4",
        "rakkan model add gpt-image --service openai/gpt-image/2026-04-21",
    ),
)
@click.argument("name")
@click.argument("weights", type=FILE, required=False)
@click.option(
    "--model-version", "version", default="1", show_default=True, help="Its version, as you count them."
)
@click.option("--kind", type=click.Choice([kind.value for kind in ModelKind]), help="Needed with --parent.")
@click.option(
    "--trained-on", multiple=True, metavar="DATASET:STAGE", help="Stage: foundation, additional or focused."
)
@click.option(
    "--parent",
    "parents",
    multiple=True,
    metavar="NAME[:ROLE[:WEIGHT]]",
    help="A model that it was made from. Role: base, merged or adapter-base.",
)
@click.option("--service", metavar="VENDOR/PRODUCT[/SNAPSHOT]", help="A remote service, in place of weights.")
@LICENCE
@LICENCE_TEXT
@json_option
def add_model(name: str, weights: Path | None, *, as_json: bool, **options: Any) -> None:
    """Register the model NAME by its WEIGHTS, or a remote service by its name, with what it was made from.

    A parent that is not registered is recorded all the same, and whatever is made with the model is then of
    unknown origin.
    """
    if (weights is None) == (options["service"] is None):
        raise click.UsageError("Give the path of the WEIGHTS, or --service.")
    done = state_one("model", said(name=name, weights=weights, **options))
    say_registered("Model", name, done, weights, as_json=as_json)


@model.command(
    epilog=examples(
        "rakkan model show mix",
    ),
)
@click.argument("name")
@json_option
def show(name: str, *, as_json: bool) -> None:
    """Show the model NAME with all that it was made from, where each stands, and the grants about it."""
    from ledger.cli.rights_words import tree_lines
    from ledger.core.predicates import Model
    from ledger.service.rights.lineage import tree_of
    from ledger.service.rights.reading import facts_of, find
    from ledger.wiring import open_studio

    with open_studio(home()) as studio:
        tree = tree_of(facts_of(studio), find(studio, Model, name), studio.clock.now())
    if as_json:
        print_json(tree.to_json())
        return
    for line in tree_lines(tree):
        click.echo(printable(line))


@model.command(
    "verify",
    epilog=examples(
        "rakkan model verify sky/model.sig --public-key maker.pub",
        "rakkan model verify model.sig --root sky.safetensors --roots maker-ca.pem",
    ),
)
@click.argument("signature", type=FILE)
@click.option(
    "--root", type=FILE, help="The signed model: a folder or a file. Default: the signature's folder."
)
@click.option("--public-key", type=FILE, help="The key that must have signed, PEM.")
@click.option("--roots", type=FILE, help="Certificates, PEM, to one of which the signer's must lead.")
@json_option
def verify_model(
    signature: Path, root: Path | None, public_key: Path | None, roots: Path | None, *, as_json: bool
) -> int:
    """Compare a model with its OpenSSF model signature (model.sig), file by file. Needs no studio.

    It proves whose files these are, and nothing about what they were trained on. Without --public-key or
    --roots nobody is known to have signed, and the answer is undecided.

    Exit code: 0 verified, 1 changed, 3 cannot decide.
    """
    from datetime import UTC, datetime

    from ledger.core.report import Status
    from ledger.wiring.rights import verify_signed_model

    report = verify_signed_model(
        signature, root or signature.parent, datetime.now(UTC), public_key=public_key, roots=roots
    )
    if as_json:
        print_json(report.to_json())
    else:
        signer = report.signer or "nobody known"
        click.echo(printable(f"{report.model}: {report.status.value}; signed by {signer}"))
        for line in (*report.words, *(f"{file.result.value}: {file.name}" for file in report.files)):
            click.echo(printable(f"  {line}"))
    return {Status.PASSED: 0, Status.FAILED: 1, Status.UNDECIDED: 3}[report.status]


@click.group()
def grant() -> None:
    """Record grants: what rights holders permit, for what, where and until when."""


@grant.command(
    "add",
    epilog=examples(
        'rakkan grant add G-1 --covers sky --use output-final --from 2026-01-01 --licensor "Mori Studio"',
        "rakkan grant add G-2 --covers plates --use focused-training --from 2026-04-01 \\",
        "    --until-including 2027-03-31 --zone Asia/Tokyo --territory JP --title nightfall",
    ),
)
@click.argument("grant_id")
@click.option(
    "--covers",
    multiple=True,
    required=True,
    help=f"A registered dataset or model by name or SHA-256, service:NAME, or a file{_MANY}",
)
@click.option(
    "--use",
    "uses",
    multiple=True,
    required=True,
    type=click.Choice([use.value for use in Use]),
    help=f"What is granted{_MANY}",
)
@click.option("--from", "from", required=True, metavar="DAY", help="First day of the term.")
@click.option("--until", metavar="DAY", help="First day after the term; leave out for a perpetual grant.")
@click.option("--until-including", metavar="DAY", help="Last day of the term, in place of --until.")
@click.option("--zone", default="UTC", show_default=True, help="The time zone of the contract's days.")
@click.option("--licensor", help="Who grants. Enters the log only as a salted digest.")
@click.option("--contract", type=FILE, help="The contract. Its digest enters the log, salted.")
@click.option("--version", type=click.IntRange(min=1), help="2 and up for a grant that changes.")
@click.option(
    "--basis", type=click.Choice([basis.value for basis in LegalBasis]), help="Why it is permitted."
)
@click.option("--statute", help="The provision of a statutory exception, such as JP-30-4.")
@click.option("--assigner", metavar="PARTY", help="Who grants, as a registered party.")
@click.option("--assignee", metavar="PARTY", help="Who is granted it, as a registered party.")
@click.option("--title", "titles", multiple=True, help=f"A registered title; none given: every title{_MANY}")
@click.option(
    "--media",
    multiple=True,
    type=click.Choice([item.value for item in Media]),
    help=f"How the title is shown; none given: in every way{_MANY}",
)
@click.option(
    "--territory",
    "territories",
    multiple=True,
    metavar="CODE",
    help=f"ISO 3166 or UN M49; 001 is the world{_MANY}",
)
@click.option(
    "--except-territory", "except_territories", multiple=True, metavar="CODE", help=f"Not there{_MANY}"
)
@click.option("--exclusive", is_flag=True, help="Nobody else is granted the same.")
@click.option("--attribution", help="The credit that it asks for.")
@click.option("--sublicence", is_flag=True, help="It may be passed on.")
@click.option(
    "--on-expiry",
    type=click.Choice([item.value for item in Afterwards]),
    help="What becomes of what was made.  [default: renegotiate]",
)
@click.option(
    "--on-revocation",
    type=click.Choice([item.value for item in Afterwards]),
    help="What becomes of what was made.  [default: renegotiate]",
)
@click.option("--anyway", is_flag=True, help="Also where it contradicts an exclusive grant.")
@json_option
def add_grant(grant_id: str, *, anyway: bool, as_json: bool, **options: Any) -> None:
    """Record under GRANT_ID that a rights holder grants uses of datasets, models or files."""
    done = state_one("grant", said(id=grant_id, **options), anyway=anyway)
    say_registered("Grant", grant_id, done, as_json=as_json)


@grant.command(
    epilog=examples(
        "rakkan grant revoke G-1 --effective 2026-09-01 --zone Asia/Tokyo",
    ),
)
@click.argument("grant_id")
@click.option("--effective", required=True, metavar="DAY", help="The first day on which it does not hold.")
@click.option("--zone", default="UTC", show_default=True, help="The time zone of that day.")
@click.option("--reason", help="Why. Enters the log only as a salted digest.")
@click.option("--letter", type=FILE, help="The notice. Its digest enters the log, salted.")
@json_option
def revoke(grant_id: str, *, as_json: bool, **options: Any) -> None:
    """Record that the grant GRANT_ID ends before its term. The day may lie in the past."""
    done = state_one("revocation", said(grant=grant_id, **options))
    say_registered("Revocation of", grant_id, done, as_json=as_json)


@grant.command(
    "list",
    epilog=examples(
        "rakkan grant list --expiring 90d",
    ),
)
@click.option(
    "--expiring", metavar="DAYSd", help="Only those in force that end within so many days, such as 90d."
)
@json_option
def list_grants(expiring: str | None, *, as_json: bool) -> None:
    """List the grants in their newest versions: what is granted, of what, and until when."""
    from ledger.cli.rights_words import grant_lines
    from ledger.service.rights.lineage import grants_of, within_days
    from ledger.service.rights.reading import facts_of
    from ledger.wiring import open_studio

    days = within_days(expiring)
    with open_studio(home()) as studio:
        now = studio.clock.now()
        found = grants_of(facts_of(studio), now, days)
    if as_json:
        print_json([item.to_json() for item in found])
        return
    for line in grant_lines(found):
        click.echo(printable(line))
    if not found:
        click.echo("No grant is on record." if days is None else f"No grant ends within {days} days.")
