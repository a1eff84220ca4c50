"""The page of a report: one file that fetches nothing, the verdict first, and every name only a text."""

import base64
import io
import re
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ledger.core.audit import Hidden, Lineage, Report, Stop
from ledger.core.audit.tables import TABLES
from ledger.core.audit.views import Reader, View, seen_by
from ledger.render.report.html import ROOM, page, verdict
from tests.support.reports import finding, report, row, shot

HOSTILE = [
    "</title><script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "a\x00b\x1b[31m",
    "gnp.emarf\u202efinal",
    "{{ 7 * 7 }}{% raw %}",
    "落款 مسودة Nguyễn",
    "\ud800lone",
    "`code` and `half",
]
ALLOWED = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "link",
        "style",
        "body",
        "a",
        "header",
        "b",
        "span",
        "main",
        "section",
    ),
    *(
        "p",
        "strong",
        "h1",
        "h2",
        "h3",
        "h4",
        "figure",
        "figcaption",
        "svg",
        "desc",
        "rect",
        "path",
        "text",
        "g",
    ),
    *(
        "ol",
        "ul",
        "li",
        "img",
        "div",
        "em",
        "code",
        "nav",
        "i",
        "dl",
        "dt",
        "dd",
        "table",
        "caption",
        "thead",
    ),
    *("tbody", "tr", "th", "td", "article", "details", "summary", "footer", "image"),
}


class Read(HTMLParser):
    """What a page holds."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def ids(self) -> list[str]:
        return [attributes["id"] or "" for _, attributes in self.tags if "id" in attributes]

    def values(self, tag: str, name: str) -> list[str]:
        return [attributes.get(name) or "" for found, attributes in self.tags if found == tag]


def jpeg(colour: int = 40, size: tuple[int, int] = (32, 18)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (colour, 80, 120)).save(out, "JPEG")
    return out.getvalue()


def full(name: str = "sq010/sh020") -> Report:
    """Return a report with something in every place, everywhere under this name."""
    way = Lineage(
        "way",
        name,
        "b" * 64,
        name,
        (
            Stop("b" * 64, "file", name, (name,), name, None, 3),
            Stop("c" * 64, "model", name, (), "", True, 4),
        ),
        (("c" * 64, "b" * 64, name),),
    )
    named: dict[str, Any] = dict.fromkeys(("name", "version", "kind", "licence", "basis", "standing"), name)
    named |= {"grants": (name,), "parents": (name,), "datasets": (name,), "approved": (name,)}
    made = report(
        [shot(1, "cc"), shot(2, "cbb", name=name, picture="d" * 64), shot(3, "u", name=name)],
        {
            "findings": [finding(1, subject=name, detail=name, path=(name,), mend=name)],
            "models": [row(TABLES["models"], sha256="e" * 64, grade="L1", entries=(3,), **named)],
            "tools": [row(TABLES["tools"], tool=name, steps=1234, actions=(name,))],
        },
        scope=name,
        title=name,
    )  # fmt: skip
    chapters = tuple(
        replace(item, lineages=("way",)) if item.key == "models" else item for item in made.chapters
    )
    return replace(made, lineages={"way": way}, chapters=chapters)


@pytest.fixture(scope="module")
def made() -> Report:
    return full()


@pytest.fixture(scope="module")
def read(made: Report) -> Read:
    return Read(page(made, {"d" * 64: jpeg()}))


def test_the_first_heading_is_the_verdict_and_failing_entries_stand_before_it(made: Report) -> None:
    failing = row(TABLES["checks"], check="entries", result="failed", looked=9, failed=2, words="Two fail.")
    tables = dict(made.tables) | {"checks": replace(made.tables["checks"], rows=(failing,))}
    text = Read(page(replace(made, tables=tables), {})).text.split("Skip to the verdict")[1]
    assert text.index("Two fail.") < text.index("2 of 6 files are blocked under broadcast-jp.")


def test_where_all_is_cleared_and_an_entry_fails_the_verdict_says_so() -> None:
    failing = row(TABLES["checks"], check="entries", result="failed", looked=9, failed=1, words="One fails.")
    found = replace(report([shot(1, "cc")], {"checks": [failing]}), verdict_now="undecided")
    assert verdict(found) == "Undecided: 1 entry under 2 files cannot be believed."


@pytest.mark.parametrize(
    ("strip", "said"),
    [
        ("c", "The file is cleared under broadcast-jp."),
        ("cc", "All 2 files are cleared under broadcast-jp."),
        ("cr", "1 of 2 files is to be reviewed by a person under broadcast-jp."),
        ("ccu", "1 of 3 files is undecided: what is on record does not explain it."),
        ("cuu", "2 of 3 files are undecided: what is on record does not explain them."),
        ("bb", "All 2 files are blocked under broadcast-jp."),
    ],
)
def test_the_verdict_is_one_sentence_with_its_numbers(strip: str, said: str) -> None:
    assert verdict(report([shot(1, strip)])) == said


def test_the_worst_shot_is_on_the_first_screen_with_its_reason_and_its_mend(read: Read) -> None:
    text = " ".join(read.text.split())
    first = text[: text.index("What this report says")]
    for said in ("sq010/sh020 ✕ Blocked", "of 3 frames: 2 blocked", "Nobody has recorded", "To mend it:"):
        assert said in first


def test_every_link_within_the_page_leads_somewhere_and_every_id_is_one(made: Report, read: Read) -> None:
    ids = read.ids()
    assert len(ids) == len(set(ids))
    links = read.values("a", "href")
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)
    files = {link for link in links if not link.startswith("#")}
    assert files == {"report.json"} | {
        f"tables/{table.schema.key}.csv" for table in made.tables.values() if table.rows
    }
    named = [
        part for _, attributes in read.tags for part in (attributes.get("aria-labelledby") or "").split()
    ]
    assert set(named) <= set(ids)


def test_nothing_is_fetched_and_the_policy_allows_only_this_style(made: Report) -> None:
    text = page(made, {"d" * 64: jpeg()})
    read = Read(text)
    style = text[text.index("<style>") + 7 : text.index("</style>")]
    digest = base64.b64encode(sha256(style.encode()).digest()).decode()
    policy = next(
        a["content"] or "" for _, a in read.tags if a.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert f"style-src 'sha256-{digest}'" in policy
    assert "url(" not in style
    assert "@import" not in style
    loaded = [
        a.get(name) or "" for tag, a in read.tags if tag != "a" for name in ("src", "href") if name in a
    ]
    assert loaded
    assert all(address.startswith("data:") for address in loaded)
    assert not any("style" in attributes for _, attributes in read.tags)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_only_text(name: str) -> None:
    text = page(full(name), {})
    read = Read(text)
    assert {tag for tag, _ in read.tags} <= ALLOWED
    assert not any(key.startswith("on") for _, attributes in read.tags for key in attributes)
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)
    text.encode()


@settings(max_examples=10, deadline=None)
@given(st.text(max_size=20))
def test_any_name_can_be_shown(name: str) -> None:
    assert {tag for tag, _ in Read(page(full(name), {})).tags} <= ALLOWED


@pytest.mark.parametrize("view", [View.DISTRIBUTOR, View.INSURER, View.RIGHTS_HOLDER, View.PUBLIC])
def test_what_a_view_hides_is_not_on_its_page_and_is_said_to_be_hidden(view: View) -> None:
    secret = replace(full("Secret Name"), head=full().head)
    assert "Secret Name" in page(secret, {})
    found = seen_by(secret, Reader(view, "me" if view is View.RIGHTS_HOLDER else None), b"k" * 32)
    text = " ".join(Read(page(found, {})).text.split())
    if view in (View.PUBLIC, View.RIGHTS_HOLDER):
        assert (
            "Secret Name" not in text.replace("Secret Name: ", "").replace("Moonrise", "") or found.head.title
        )
    assert "Hidden in this view:" in text or "hidden in this view" in text
    for count in found.withheld.values():
        assert f"{count:,}:" in text


def test_a_rights_holder_sees_how_many_rows_are_hidden() -> None:
    grants = [row(TABLES["grants"], row=n, grant=f"G-{n}", holders=("other",)) for n in (1, 2)]
    whole = report([shot(1, "c")], {"grants": grants})
    text = " ".join(Read(page(seen_by(whole, Reader(View.RIGHTS_HOLDER, "me"), b"k" * 32), {})).text.split())
    assert "Hidden in this view: 2 rows." in text
    assert "G-1" not in text


def test_a_hidden_cell_among_others_is_marked(made: Report) -> None:
    table = made.tables["shots"]
    place = table.schema.place("name")
    rows = [
        (*item[:place], Hidden("x"), *item[place + 1 :]) if n else item for n, item in enumerate(table.shown)
    ]
    found = replace(made, tables=dict(made.tables) | {"shots": replace(table, rows=tuple(rows))})
    assert page(found, {}).count("<i class=hid>hidden in this view</i>") == 2


def test_every_figure_of_a_chapter_is_on_the_page(made: Report, read: Read) -> None:
    text = " ".join(read.text.split())
    for chapter in made.chapters:
        for key in chapter.figures:
            figure = made.figure(key)
            assert f"{figure.value:,} {figure.title}" in text


def test_the_same_report_gives_the_same_bytes(made: Report) -> None:
    pictures = {"d" * 64: jpeg()}
    assert page(made, pictures) == page(made, pictures)


def feature(**more: Any) -> Report:
    """Return 1,700 shots, and 300 findings."""
    strips = ["c" * 76] * 1700
    strips[7], strips[900], strips[1200] = "b" * 12 + "c" * 64, "r" * 76, "u" * 76
    shots = [
        shot(number, strip, models=("kiri-7", "moonlit-brush"), picture=f"{number:064x}", **more)
        for number, strip in enumerate(strips, 1)
    ]
    made = report(shots, {"findings": [finding(n, subject=f"model-{n}") for n in range(1, 301)]})
    return replace(made, worst=("8", "901", "1201"))


def test_a_feature_is_a_page_that_can_be_mailed() -> None:
    text = page(feature(), {})
    assert len(text.encode()) < 400_000
    assert Read(text).ids().count("shot-1700") == 1


def test_pictures_stay_in_their_room_and_the_worst_shot_has_its_own() -> None:
    one = jpeg(size=(320, 180)) + b"\0" * 12_000
    text = page(feature(), {f"{number:064x}": one for number in range(1, 1701)})
    assert len(text) < ROOM + 400_000
    worst = text[text.index('<ol class="worst">') :]
    assert worst.index("data:image/jpeg") < worst.index("</li>")
