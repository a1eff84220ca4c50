"""The page: every fact escaped, the verdict never softer than the reports, only positives claimed."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from ledger.core.lineage import Link
from ledger.core.report import Check, NamedThing, Outcome, Status, VerificationReport
from ledger.demo.page.html import Pictures, page
from ledger.demo.page.story import LogState, Node, Story, StoryFile, StoryGrant, StoryThing, Trained, Trial
from ledger.demo.page.words import verdict
from ledger.render.words import counted, listed

NOW = datetime(2026, 11, 22, 4, 5, 6, tzinfo=UTC)
DATASET, MODEL, FRAME, SEALED = (letter * 64 for letter in "abcd")
PICTURE = "data:image/jpeg;base64,AAAA"


def report(status: Status = Status.PASSED, sha256: str = SEALED) -> VerificationReport:
    return VerificationReport(
        file="a.1001.png",
        sha256=sha256,
        checks=(Check("bytes", "The bytes are unchanged", status, "Every byte is as it was."),),
        things=(NamedThing("model", "brush", MODEL, 4),),
        signer="ws, Studio",
        log="log.example/p",
        facts={"mediaType": "image/png"},
    )


def an_audit(*statuses: Status, name: str = "brush") -> Story:
    files = tuple(
        StoryFile(f"files/a.{1001 + number}.png", 10, None, FRAME, report(status, SEALED))
        for number, status in enumerate(statuses)
    )
    return Story(
        studio=name,
        production=name,
        made=NOW,
        note=name,
        log=LogState("log.example/p", 9, "ee" * 32, "log.example/p\n9\nAAAA\n\n— log AAAA\n", "log+key"),
        things=(
            StoryThing("dataset", name, "1", DATASET, 3, 6, 2, (), {name: 6}, 1, True),
            StoryThing(
                "model", name, "1", MODEL, 4, None, None, (Trained(DATASET, "focused"),), {}, 1, False
            ),
        ),
        grants=(StoryGrant("G-1", 5, (DATASET,), ("inference-run",), NOW, None, {"licensor": name}, 1),),
        files=files,
        nodes=(
            Node(DATASET, name, "dataset", None, 3),
            Node(MODEL, name, "model", None, 4),
            Node(
                FRAME,
                name,
                "file",
                SEALED,
                6,
                "generate",
                name,
                f"{name} 1",
                "observed",
                NOW,
                1,
                {"seed": "8"},
            ),
        ),
        links=(Link(MODEL, DATASET, "focused training"), Link(FRAME, MODEL, "model")),
        trials=(
            Trial("t", name, name, "attacked/t.png", False, Outcome.ALTERED, "bytes", report(Status.FAILED)),
        ),
    )


def rendered(story: Story) -> str:
    return page(story, story.files[0].path, Pictures({SEALED: PICTURE, DATASET: PICTURE}, PICTURE))


class _Tags(HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@pytest.mark.parametrize(
    ("statuses", "sentence"),
    [
        ([Status.PASSED] * 3, "Every one of the 3 files of this cut is proven."),
        ([Status.PASSED], "The file is proven."),
        ([Status.PASSED, Status.FAILED], "1 of 2 files are proven; 1 file was altered."),
        (
            [Status.FAILED, Status.FAILED, Status.UNDECIDED],
            "0 of 3 files are proven; 2 files were altered and 1 file could not be decided.",
        ),
        ([], "There are no files to judge."),
    ],
)
def test_the_verdict_counts_every_file(statuses: list[Status], sentence: str) -> None:
    assert verdict(an_audit(*statuses)) == sentence


def test_one_open_file_takes_the_reasons_and_the_seal_away() -> None:
    sealed, open_ = rendered(an_audit(Status.PASSED)), rendered(an_audit(Status.PASSED, Status.UNDECIDED))
    assert "Not a byte has changed" in sealed
    assert 'class="stamp"' in sealed
    assert "Not a byte has changed" not in open_
    assert 'class="stamp"' not in open_
    assert "Cannot decide: Every byte is as it was." in open_


@pytest.mark.parametrize(
    "name",
    ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "x\x00\u202egnp", "{{ 1234*9999 }}"],
)
def test_a_hostile_name_is_only_text(name: str) -> None:
    text = rendered(an_audit(Status.PASSED, name=name))
    tags = _Tags(text).tags
    assert "script" not in {tag for tag, _ in tags}
    assert not any(attribute.startswith("on") for _, attributes in tags for attribute in attributes)
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", text)
    assert str(1234 * 9999) not in text


@pytest.mark.parametrize("path", ['javascript:alert(1)//a"b.png', "//example.org/a.png"])
def test_a_hostile_path_stays_a_path_inside_the_folder(path: str) -> None:
    story = an_audit(Status.PASSED)
    evil = replace(story, files=(replace(story.files[0], path='javascript:alert(1)//a"b.png'),))
    links = [attributes.get("href") or "" for tag, attributes in _Tags(rendered(evil)).tags if tag == "a"]
    assert all(link.startswith(("./", "#", "story.json")) for link in links)


def test_the_page_loads_and_runs_nothing() -> None:
    text = rendered(an_audit(Status.PASSED))
    tags = _Tags(text).tags
    assert not {"script", "iframe", "object", "embed", "form"} & {tag for tag, _ in tags}
    assert not any("style" in attributes for _, attributes in tags)
    addresses = [attributes[name] or "" for _, attributes in tags for name in ("src",) if name in attributes]
    assert all(address.startswith("data:image/") for address in addresses)
    assert "url(" not in text
    assert "@import" not in text


def test_every_picture_has_a_text_and_every_section_a_heading() -> None:
    tags = _Tags(rendered(an_audit(Status.PASSED))).tags
    assert all(attributes.get("alt") for tag, attributes in tags if tag == "img")
    ids = {attributes["id"] for _, attributes in tags if "id" in attributes}
    assert all(attributes.get("aria-labelledby") in ids for tag, attributes in tags if tag == "section")
    assert [tag for tag, _ in tags].count("h1") == 1
    assert [attributes.get("lang") for tag, attributes in tags if tag == "html"] == ["en"]


def test_a_thing_without_a_grant_says_so() -> None:
    text = rendered(an_audit(Status.PASSED))
    assert "No grant on record" in text
    assert "! no grant on record" in text  # in the picture too


def test_a_grant_that_did_not_hold_at_the_time_of_use_is_no_good_mark() -> None:
    story = an_audit(Status.PASSED)
    late = rendered(replace(story, things=tuple(replace(thing, licensed=False) for thing in story.things)))
    assert "Grant out of term" in late
    assert "! grant out of term" in late
    assert "✓ grant" not in late


def test_a_wrong_answer_is_not_hidden() -> None:
    story = an_audit(Status.PASSED)
    wrong = replace(story.trials[0], outcome=Outcome.UNDECIDED)
    assert "This is not the answer it should be." not in rendered(story)
    assert "This is not the answer it should be." in rendered(replace(story, trials=(wrong,)))


@pytest.mark.parametrize("claim", ["AI-free", "copyright-safe", "AI free", "no AI was used"])
def test_only_positives_are_claimed(claim: str) -> None:
    assert claim.lower() not in rendered(an_audit(Status.PASSED)).lower()


def test_the_checkpoint_keeps_its_lines() -> None:
    assert "log.example/p\n9\nAAAA\n" in rendered(an_audit(Status.PASSED))


def test_the_same_audit_gives_the_same_page() -> None:
    assert rendered(an_audit(Status.PASSED)) == rendered(an_audit(Status.PASSED))


def test_a_story_of_a_file_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError):
        page(an_audit(Status.PASSED), "files/none.png", Pictures({}, PICTURE))


def test_small_words() -> None:
    assert counted(1, "file") == "1 file"
    assert counted(1200, "file") == "1,200 files"
    assert listed([]) == ""
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"


def _luminance(colour: str) -> float:
    full = "".join(char * 2 for char in colour) if len(colour) == 3 else colour
    parts = [int(full[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(first: str, second: str) -> float:
    low, high = sorted((_luminance(first), _luminance(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "paper"),
    [
        *(
            (ink, paper)
            for ink in ("ink", "soft", "deep", "passed", "failed", "open")
            for paper in ("paper", "card")
        ),
        *((ink, f"{ink}-bg") for ink in ("passed", "failed", "open", "b", "r", "u", "c")),
        *((ink, "paper") for ink in ("b", "r", "u", "c")),
        ("seal", "paper"),
    ],
)
def test_everything_can_be_read(scheme: str, ink: str, paper: str) -> None:
    colours: dict[str, str] = {}
    for sheet in ("base.css", "report/report.css"):
        style = files("ledger.render").joinpath("templates", sheet).read_text(encoding="utf-8")
        light, dark, *_ = re.findall(r":root\{([^}]*)\}", style)
        for chosen in (light, dark) if scheme == "dark" else (light,):
            colours |= dict(re.findall(r"--([\w-]+):#([0-9a-f]{3,6})", chosen))
    assert _contrast(colours[ink], colours[paper]) >= 4.5
