"""Studio Kumo makes *Nightfall*: the models, the data, the contracts and the people, day by day.

All of it is invented. As told here everything is in order: each frame is cleared at the highest grade, with
nothing to note. The tests go on from here, and let one thing go wrong.
"""

from datetime import date
from functools import cache

from ledger.core.artifact import Role
from ledger.core.predicates.delivery import Deliverable, Delivery
from ledger.core.predicates.grant import Use
from ledger.core.predicates.grant_v2 import LegalBasis
from ledger.core.predicates.model import TrainingStage
from ledger.core.predicates.model_v2 import ModelKind, ParentRole
from ledger.core.predicates.scope import Media, Term
from ledger.core.predicates.step import StepAction
from ledger.core.rights.profile import OTHER, OverrideRule, Profile
from tests.rights.story import Story, day, scope

FOUNDATION, ADDITIONAL, FOCUSED = TrainingStage.FOUNDATION, TrainingStage.ADDITIONAL, TrainingStage.FOCUSED
BASE, MERGED, ADAPTER = ParentRole.BASE, ParentRole.MERGED, ParentRole.ADAPTER_BASE
OUTPUTS = (Use.OUTPUT_FINAL, Use.OUTPUT_TEMP, Use.OUTPUT_MARKETING)
RUN = (Use.INFERENCE_RUN, *OUTPUTS)

NIGHTFALL, DAWNBREAK = "title:nightfall", "title:dawnbreak"
SERVICE = "lumen/video/2026-02"
CAST = ("akane", "botan", "chidori", "daigo", "emi", "fuji", "gin", "hana", "izumi", "jun", "kaede", "rin")
"""The characters. Each was drawn by somebody, and has a LoRA of its own."""

FRAME = "sh020.1001.png"
MODELS = (
    "tsuki-base",
    "tsuki-vae",
    "enlarge-4x",
    "kumo-anime",
    "kiri-7",
    "line-control",
    "dusk-merge",
    *(f"cast-{name}" for name in CAST),
)
SHOWN = (Media.BROADCAST, Media.HOME_VIDEO, Media.STREAMING)
DELIVERED = day("2026-10-01", 12)
"""When *now* is."""
BROADCAST = Delivery(NIGHTFALL, Deliverable.FINAL, (Media.BROADCAST, Media.STREAMING), ("JP", "KR", "TW"))

_AUTHORISED = frozenset(
    (LegalBasis.LICENCE, LegalBasis.OWN_WORK, LegalBasis.WORK_FOR_HIRE, LegalBasis.PUBLIC_DOMAIN)
)
_EXCEPTED = _AUTHORISED | {LegalBasis.STATUTORY_EXCEPTION}

HOUSE = Profile(
    name="kumo-house",
    summary="Studio Kumo's own rules",
    version="1",
    accepted={
        Use.FOUNDATION_TRAINING.value: _EXCEPTED,
        Use.ADDITIONAL_TRAINING.value: _EXCEPTED,
        Use.FOCUSED_TRAINING.value: _AUTHORISED,
        OTHER: _AUTHORISED | {LegalBasis.VENDOR_TERMS},
    },
    severities={},
    grades={},
    approvals=(),
    principles=(),
    overrides=OverrideRule(approvers=2),
    media=(Media.BROADCAST, Media.STREAMING),
    territories=("JP",),
    licensees=("party:kumo",),
    statutes=frozenset(("JP-30-4",)),
)


def nightfall() -> Story:
    """Return the production as it stood when the last frame of *Nightfall* was rendered, to go on from."""
    return _told().copy()


@cache
def _told() -> Story:
    story = Story()
    _people(story)
    _data(story)
    _contracts(story)
    _models(story)
    _permissions_to_run(story)
    _reviews(story)
    _frames(story)
    return story


def _people(story: Story) -> None:
    story.on("2025-11-03")
    story.party("kumo", "Studio Kumo")
    story.party("kiri", "Estate of Kiri Sayo")
    story.party("hoshi", "Atelier Hoshi")
    story.party("tsuki", "Tsuki Labs")
    story.party("nami", "Nami Broadcasting")
    story.party("7c1e")
    story.title(NIGHTFALL, "Nightfall", "nightfall")
    story.title(DAWNBREAK, "Dawnbreak", "dawnbreak")


def _data(story: Story) -> None:
    """Every inventory is committed before anything is trained on it."""
    story.on("2025-11-05")
    story.dataset("sky-archive", works=40_000, holders=900)
    story.dataset("web-crawl", works=2_000_000, holders=400_000)
    story.dataset("anime-commons", works=90_000, holders=5_200)
    story.dataset("hoshi-backgrounds", works=8_000, holders=2)
    story.dataset("kiri-lineart", works=1_204, holders=1)
    story.dataset("pencil-tests", works=640, holders=1)
    for name in CAST:
        story.dataset(f"sheets-{name}", works=60, holders=1)


def _contracts(story: Story) -> None:
    """A photograph archive in the public domain, an exception of the law, and the licences."""
    story.on("2025-11-20")
    since = day("2025-12-01")
    training = (Use.FOUNDATION_TRAINING, Use.ADDITIONAL_TRAINING)
    story.grant("SKY-PD", ["sky-archive"], *training, since=since, legal_basis=LegalBasis.PUBLIC_DOMAIN)
    story.grant(
        "WEB-30-4",
        ["web-crawl"],
        *training,
        since=since,
        legal_basis=LegalBasis.STATUTORY_EXCEPTION,
        statute="JP-30-4",
    )
    story.grant("COMMONS-1", ["anime-commons"], Use.FOUNDATION_TRAINING, *OUTPUTS, since=since)
    # Hoshi's agents: one for Japan, one for the rest of the world.
    home = {"assigner": "party:hoshi", "assignee": "party:kumo"}
    backgrounds = (Use.ADDITIONAL_TRAINING, *OUTPUTS)
    japan, abroad = scope(territories=["JP"]), scope(territories=["001"], except_territories=["JP"])
    story.grant("HOSHI-JP", ["hoshi-backgrounds"], *backgrounds, since=since, scope=japan, **home)
    story.grant("HOSHI-INTL", ["hoshi-backgrounds"], *backgrounds, since=since, scope=abroad, **home)
    # The estate's contract: this title, these media, three years by the calendar of Japan.
    story.grant(
        "KIRI-7",
        ["kiri-lineart"],
        Use.FOCUSED_TRAINING,
        *OUTPUTS,
        since=since,
        valid_until=day("2028-12-01"),
        term=Term(date(2025, 12, 1), "Asia/Tokyo", date(2028, 12, 1)),
        assigner="party:kiri",
        assignee="party:kumo",
        scope=scope(titles=[NIGHTFALL], media=SHOWN),
    )
    story.grant(
        "PENCIL-1", ["pencil-tests"], Use.FOCUSED_TRAINING, since=since, legal_basis=LegalBasis.WORK_FOR_HIRE
    )
    for name in CAST:
        story.grant(
            f"CAST-{name}",
            [f"sheets-{name}"],
            Use.FOCUSED_TRAINING,
            since=since,
            legal_basis=LegalBasis.OWN_WORK,
        )


def _models(story: Story) -> None:
    """The base is trained in December, what is built on it in January; every run is attested."""
    story.on("2026-01-20")
    story.model(
        "tsuki-base",
        on=[("sky-archive", FOUNDATION), ("web-crawl", FOUNDATION), ("anime-commons", FOUNDATION)],
    )
    story.trained("tsuki-base", day("2025-12-02"), day("2025-12-28", 18))
    story.model("tsuki-vae", ModelKind.VAE, on=[("sky-archive", FOUNDATION)])
    story.trained("tsuki-vae", day("2025-12-03"), day("2025-12-04", 18))
    story.model("enlarge-4x", ModelKind.UPSCALER, on=[("sky-archive", ADDITIONAL)])
    story.trained("enlarge-4x", day("2025-12-05"), day("2025-12-06", 18))
    story.model(
        "kumo-anime",
        ModelKind.FINE_TUNE,
        on=[("hoshi-backgrounds", ADDITIONAL)],
        parents=[("tsuki-base", BASE)],
    )
    story.trained("kumo-anime", day("2026-01-07"), day("2026-01-12", 9, 40))
    story.model("kiri-7", ModelKind.LORA, on=[("kiri-lineart", FOCUSED)], parents=[("kumo-anime", ADAPTER)])
    story.trained("kiri-7", day("2026-01-14", 10), day("2026-01-14", 16, 5))
    story.model(
        "line-control",
        ModelKind.CONTROLNET,
        on=[("pencil-tests", FOCUSED)],
        parents=[("tsuki-base", ADAPTER)],
    )
    story.trained("line-control", day("2026-01-15"), day("2026-01-15", 20))
    story.model("dusk-merge", ModelKind.MERGE, parents=[("kumo-anime", MERGED), ("tsuki-base", MERGED)])
    for name in CAST:
        lora = f"cast-{name}"
        story.model(lora, ModelKind.LORA, on=[(f"sheets-{name}", FOCUSED)], parents=[("kumo-anime", ADAPTER)])
        story.trained(lora, day("2026-01-16", 9), day("2026-01-16", 12))
    story.service("lumen", "video", "2026-02")


def _permissions_to_run(story: Story) -> None:
    """What Tsuki Labs made, it licenses; what Kumo made on top of it is Kumo's own."""
    since = day("2026-01-01")
    bought = ["tsuki-base", "tsuki-vae", "enlarge-4x"]
    story.grant("TSUKI-1", bought, *RUN, since=since, assigner="party:tsuki", assignee="party:kumo")
    own = ["kumo-anime", "kiri-7", "line-control", "dusk-merge", *(f"cast-{name}" for name in CAST)]
    story.grant("KUMO-OWN", own, *RUN, since=since, legal_basis=LegalBasis.OWN_WORK)
    story.terms(SERVICE, "studio", since)


def _reviews(story: Story) -> None:
    story.on("2026-01-25")
    since = day("2026-01-25")
    for name in MODELS:
        story.review(name, since=since)
    story.review(SERVICE, since=since)


def _frames(story: Story) -> None:
    """A background, a character over it, the line of the master, and the frame that is delivered."""
    story.on("2026-03-02")
    story.makes("bg.png", ("kumo-anime", Role.MODEL), ("tsuki-vae", Role.MODEL))
    story.makes("akane.png", ("cast-akane", Role.MODEL), ("line-control", Role.MODEL))
    story.on("2026-03-03")
    story.makes("line.png", ("kiri-7", Role.MODEL), ("bg.png", Role.CONTROL))
    story.on("2026-03-05")
    story.makes(
        FRAME,
        ("bg.png", Role.COMPONENT),
        ("akane.png", Role.COMPONENT),
        ("line.png", Role.PARENT),
        ("enlarge-4x", Role.MODEL),
        action=StepAction.COMPOSITE,
    )
