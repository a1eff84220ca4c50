"""What prompts and files say, as a record carries it: a short line, commitments to prompts, questions.

* What a hook saw is better than what a file says: a file is read only where no hook gave the prompt.
* A file's words stand in one parameter, ``fileSays``, so that nobody takes them for what was observed: the
  step's evidence is that of its files.
* A name of the watch list in a prompt becomes an open finding about each picture, and blocks nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from ledger.core.artifact import Artifact
from ledger.core.predicates.capture import Capture
from ledger.core.predicates.step import Evidence
from ledger.core.said import Account, PromptRole, Said
from ledger.core.spooled import Spooled, printable_name
from ledger.core.watch import Hit, WatchList, find_in
from ledger.errors import RakkanError
from ledger.service.capture.drafts import Draft
from ledger.service.said.watching import questions

PROMPT = "prompt"
FILE_SAYS = "fileSays"
_READ = ("image/", "video/")
MOST = 8
"""Files of one step that are read: the frames of a range say the same."""


@dataclass(frozen=True, slots=True)
class Words:
    """What is known of one record's words. ``said`` is of its outputs, where no hook gave the prompt."""

    prompts: tuple[str, ...] = ()
    said: tuple[Said, ...] = ()

    @property
    def parameters(self) -> dict[str, str]:
        """What the files say of tools and models, in a line."""
        lines = dict.fromkeys(
            line for said in self.said for account in said.accounts if (line := _line(account))
        )
        return {FILE_SAYS: printable_name("; ".join(lines))} if lines else {}

    @property
    def secrets(self) -> dict[str, str]:
        """The prompts that stand in the files."""
        accounts = [account for said in self.said for account in said.accounts]
        found = dict.fromkeys(prompt.text for account in accounts for prompt in account.prompts)
        return {f"prompt in a file {number}": text for number, text in enumerate(found, 1)}

    def hits(self, watch: WatchList) -> tuple[Hit, ...]:
        """Return the names of the list that are in the prompts."""
        seen = [replace(hit, evidence=Evidence.OBSERVED) for text in self.prompts for hit in watch.find(text)]
        return (*seen, *(hit for said in self.said for hit in find_in(watch, said)))


Reader = Callable[[Path], Said]
"""Returns what a file says. Raises ``RakkanError`` for one that cannot be read."""


def words_of(record: Spooled, subjects: Sequence[Artifact], read: Reader) -> Words:
    """Return the words of a record: its prompts, or else those of the pictures that it wrote."""
    prompts = tuple(text for name, text in record.secrets.items() if name.partition(" ")[0] == PROMPT)
    if prompts:
        return Words(prompts)
    pictures = {item.name for item in subjects if (item.media_type or "").startswith(_READ)}
    paths = [item.path for item in record.outputs if item.path and item.shown in pictures]
    return Words(said=tuple(_read(paths[:MOST], read)))


def findings(
    words: Words, watch: WatchList, subjects: tuple[Artifact, ...], capture: Capture, now: datetime
) -> Iterator[Draft]:
    """Yield a question for each name, about all of the step's files."""
    for question in questions(words.hits(watch), now.replace(microsecond=0)):
        yield Draft(subjects, question.finding, capture, {question.opening.digest: question.opening.text})


def _read(paths: Sequence[str], read: Reader) -> Iterator[Said]:
    for path in paths:
        with suppress(RakkanError):
            yield read(Path(path))


def _line(account: Account) -> str:
    tool = " ".join(filter(None, (account.tool or account.service, account.version)))
    models = [
        " ".join((model.kind.value, model.name, *map(str, model.hashes[:1]))) for model in account.models
    ]
    asked = any(prompt.role is not PromptRole.NEGATIVE for prompt in account.prompts)
    if not (models or asked or account.service):
        return ""  # whoever saved it, it says nothing of how it was generated
    return f"{account.convention}: {', '.join(filter(None, (tool, *models)))}"
