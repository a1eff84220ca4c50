"""What a report says in sentences. Every number is a figure of the report, every name stands in its head.

* Sentences are short, and mean the same to a producer, a lawyer and a machine's translation.
* A verdict is said before its reasons, and what was not looked at in the same breath as what was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ledger.core.audit import Head, Table

VERDICTS = {
    "cleared": "Cleared: for every recorded use the policy found a grant, or only notes that it found none.",
    "needs_review": "Needs review: a person has to decide before this is delivered under the policy.",
    "blocked": "Blocked: the policy forbids the delivery of part of this as it stands.",
    "undecided": "Undecided: part of what was asked for is not on record, so nobody can say.",
}
"""The verdict on the whole, in one sentence."""

EXCLUSIONS = (
    "It does not say that no AI was used. That cannot be proven; that the recorded AI was licensed can.",
    "It says nothing of what nobody recorded. How much was recorded stands under coverage.",
    (
        "It does not say whether a picture resembles somebody else's work, or that it does not. Where a "
        "search or a person has looked, the finding is in the register."
    ),
    (
        "It does not interpret contracts. A grant is on record as the studio's registrar entered it; its "
        "text is committed to by a digest."
    ),
    (
        "A dataset's inventory shows what was committed to, and when; not what a trainer fed to a machine. "
        "An attested training run says who vouches for that."
    ),
    "How much of a frame's area came from a model is not recorded. A frame counts as a whole.",
    "Sound, music and dialogue are in it only as far as files of them were asked for.",
    "It is evidence, not a legal opinion.",
)

GLOSSARY = (
    ("basis", "all models, services, datasets, references and people under a file, by its records"),
    ("checkpoint", "the signed size and root hash of the log: it commits to every entry before it"),
    ("cleared", "for every recorded use, the policy found a grant"),
    ("cosignature", "a witness's signature under a checkpoint: the log showed the same to others"),
    ("coverage", "which share of the files is explained by records, and how well each record is evidenced"),
    ("entry", "one signed statement in the log, by its number"),
    (
        "evidence class",
        "observed (a tool's hook saw it) over inferred (read from a file) over declared (typed)",
    ),
    ("finding", "a reason that speaks against files under the policy, with what would mend it"),
    ("grade", "how much is known, L0 to L4; a file has the grade of its weakest dependency"),
    ("L0", "unknown origin"),
    ("L1", "recorded: tool, model digest and actor are signed"),
    ("L2", "documented: the licence or the terms in force at the use are on record"),
    ("L3", "licensed: a grant covers stage, use, title, territory and term of every dataset under it"),
    ("L4", "authorised and inventoried: committed before the training, attested by the trainer"),
    ("grant", "a rights holder's permission, as an entry of the log"),
    ("hidden", "not shown in this view; the digest in its place commits to it, and the studio can open it"),
    ("log", "an append-only list of signed statements: nothing in it can be changed or taken out unseen"),
    ("override", "a finding that named people accepted until a day"),
    ("step", "one recorded generation or edit: what a tool read, what it wrote, who ran it"),
    ("undecided", "no record explains it: neither cleared nor forged"),
    ("when made / now", "the answer at the time of use, and at the moment of this report"),
    ("witness", "somebody else who signs checkpoints, and only ones that continue what they signed before"),
)
"""Terms and their meanings, in the order of a dictionary (grades in theirs)."""

COMMANDS = (
    ("all of it", "python3 verify.pyz bundle.zip --trust trust.json", "Proven, and exit code 0"),
    (
        "the files of the bundle",
        "unzip bundle.zip -d b && cd b && sha256sum -c SHA256SUMS",
        "OK for each file",
    ),
    ("a delivered file", "rakkan verify FILE --offline --trust trust.json", "Proven, for a sealed file"),
    ("the PDF's signature", "pdfsig report.pdf, by docs/howto/read-a-report.md", "Signature is Valid"),
    (
        "the PDF's own evidence",
        "pdfdetach -saveall report.pdf && cmp report.json b/report.json",
        "no difference",
    ),
    ("an entry's signature", "securesystemslib (DSSE), by docs/howto/check-a-bundle.md", "no error"),
    ("the log's proofs", "aics-tlog, or any client of C2SP tlog, by the same page", "no error"),
)
"""What can be checked, the command, and what it should say."""


@dataclass(frozen=True, slots=True)
class Told:
    """The sentences of each chapter."""

    head: Head
    tables: Mapping[str, Table]
    figures: Mapping[str, int]
    verdict: str

    def of(self, chapter: str) -> tuple[str, ...]:
        """Return the sentences of the chapter with this key."""
        writers = {
            "opinion": self._opinion,
            "summary": self._summary,
            "scope": self._scope,
            "shots": self._shots,
            "services": self._services,
            "models": self._models,
            "datasets": self._datasets,
            "authorship": self._authorship,
            "people": self._people,
            "findings": self._findings,
            "integrity": self._integrity,
            "custody": self._custody,
            "verify": self._verify,
            "policy": self._policy,
        }
        return EXCLUSIONS if chapter == "exclusions" else tuple(writers.get(chapter, self._nothing)())

    def _nothing(self) -> Iterator[str]:
        return iter(())

    def _opinion(self) -> Iterator[str]:
        head, figure = self.head, self.figures
        yield VERDICTS[self.verdict]
        if failed := figure["entries-failed"]:
            yield (
                f"{_of(failed, 'entry', 'entries')} under these files fail verification. They are listed "
                "under Integrity and left out of nothing; what rests on them is not shown to be true."
            )
        yield (
            f"Assertion of the studio: {head.studio} states that this report is of {head.scope}, and that "
            f"what its people and machines recorded of it is in the log {head.origin}."
        )
        yield (
            f"Finding of the engine: under policy {head.policy} {head.policy_version}, on "
            f"{_day(head.at)}, of {_of(figure['frames'], 'file')}: {figure['cleared']:,} cleared, "
            f"{figure['needs-review']:,} to be reviewed, {figure['blocked']:,} blocked, "
            f"{figure['undecided']:,} undecided. At the time of use {figure['cleared-then']:,} were cleared."
        )
        yield (
            f"Basis: the {head.size:,} entries of the log up to root {head.root[:16]}…; the policy by its "
            f"digest {head.policy_sha256[:16]}…. The same log, policy and list of files give this report "
            "again, to the byte."
        )
        yield "This report is evidence, not a legal opinion. What it does not say stands at its end."

    def _summary(self) -> Iterator[str]:
        figure = self.figures
        others = "Under the others none is recorded; that" if figure["ai"] < figure["frames"] else "That"
        yield (
            f"A model or a remote service is on record under {figure['ai']:,} of "
            f"{_of(figure['frames'], 'file')}. {others} is not a statement that nothing else was used."
        )
        yield (
            f"{figure['observed']:,} of {_of(figure['found'], 'recorded file')} were observed in every "
            f"recorded step; {figure['inferred']:,} have a step that was inferred, {figure['declared']:,} "
            "one that was declared."
        )

    def _scope(self) -> Iterator[str]:
        head = self.head
        title = f" It is delivered as “{head.title}”." if head.title else ""
        within = "" if head.production in head.scope else f", in the production {head.production}"
        yield f"This report is of {head.scope}{within}.{title}"
        media = ", ".join(head.delivery.get("media", ()))
        territories = " ".join(head.delivery.get("territories", ())).replace("001", "the whole world")
        yield f"The delivery that was judged: {media}; territories: {territories}."
        yield (
            "Each file was found in the log by the SHA-256 of its bytes; where its bytes are not on record, "
            "by the SHA-256 of its decoded picture; a frame of a cut that lies nowhere here, by its name and "
            "place. The column “known by” says which. What was found in none of these ways is listed."
        )
        yield (
            "What a file rests on is the union of what every recorded step under it used. Each distinct set "
            "was judged once: at the time of each use, and now."
        )
        if head.known:
            yield f"Left out is what the studio came to know after {_day(head.known)}."
        if head.previous is None:
            yield "No earlier report of this scope is on record."
        else:
            changes = len(self.tables["changes"].rows)
            yield f"The report before this one is {head.previous}; {_of(changes, 'difference')} from it."

    def _shots(self) -> Iterator[str]:
        yield (
            "One row for each shot. The strip shows every frame in order. Shots with blocked frames come "
            "first in the summary; here they stand in the order of the film."
        )

    def _services(self) -> Iterator[str]:
        if self.tables["services"].rows:
            yield (
                "Terms are those that were on record for the plan tier at the time of use; indemnity is "
                "given then and now. A vendor's terms change, and services end: what counts is the saved "
                "copy, by its digest."
            )

    def _models(self) -> Iterator[str]:
        if self.tables["models"].rows:
            yield (
                "Models are known by the digest of their weights. A model that was merged, fine-tuned or "
                "adapted has those that it was made from in the same table."
            )

    def _datasets(self) -> Iterator[str]:
        if self.tables["datasets"].rows:
            yield (
                "A dataset is committed to by the root of its inventory: a sorted list of works, against "
                "which the presence or absence of a work can be proven."
            )

    def _authorship(self) -> Iterator[str]:
        yield (
            "By recorded steps: who did what, with or without a model under it. Actors are pseudonyms. It "
            "supports a claim of authorship; it is not one."
        )

    def _people(self) -> Iterator[str]:
        yield "Consents count from the day on which they were given. Decisions name who decided."

    def _findings(self) -> Iterator[str]:
        figure = self.figures
        yield (
            f"{figure['findings-open']:,} open, {figure['findings-accepted']:,} accepted until a day, "
            f"{figure['findings-noted']:,} noted. Every one says what would mend it."
        )

    def _integrity(self) -> Iterator[str]:
        yield (
            "What the log guarantees: each entry's origin (a device's signature), their order, and that "
            "nothing was changed or taken out since it was acknowledged."
        )

    def _custody(self) -> Iterator[str]:
        head = self.head
        yield (
            f"This report was computed by Rakkan's clearance engine, version {head.engine}, from the log "
            f"{head.origin} at {head.size:,} entries, for the moment {head.at}."
        )
        yield (
            "MANIFEST.json in the bundle has the SHA-256 of every file of this report and of its evidence. "
            "Entries are in it byte for byte as they were signed."
        )
        yield f"The list of what was asked for has the digest {self.head.population}."

    def _policy(self) -> Iterator[str]:
        head = self.head
        yield (
            f"Every rule of {head.policy} {head.policy_version}, digest {head.policy_sha256}. A severity "
            "says what a reason does to the verdict."
        )

    def _verify(self) -> Iterator[str]:
        yield (
            "None of this needs the studio's server, a network, or trust in Rakkan. Get trust.json, or the "
            "log's key, from the studio on another way than the report: who forges one would forge both. "
            "README.txt in the bundle has the SHA-256 of verify.pyz; any Rakkan of the same version writes "
            "the same file with `rakkan reports verifier`."
        )


def _of(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def _day(moment: str) -> str:
    return f"{moment[:10]} {moment[11:16]} UTC"
