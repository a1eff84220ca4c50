"""Trust policies: the example of the specification, what each quorum takes, and what is refused."""

import itertools
from pathlib import Path

import pytest

from ledger.core.cosignature import CosignatureSigner
from ledger.core.note import NoteSigner
from ledger.core.policy import MAX_MEMBERS, format_policy, parse_policy
from ledger.errors import MalformedError, UndecidedError
from ledger.testing import SeedSigner
from tests.support.witness import LOG, cosigner_key, policy_of

KEYS = {name: cosigner_key(name) for name in ("X1", "X2", "X3", "Y1", "Y2", "Y3")}
# The example of c2sp.org/tlog-policy, with keys.
EXAMPLE = f"""
log {LOG.vkey}

# By one organisation.
witness X1 {KEYS["X1"].verifier.vkey}
\twitness  X2\t{KEYS["X2"].verifier.vkey} https://x2.example/ \t
witness X3 {KEYS["X3"].verifier.vkey}
group X-witnesses 2 X1 X2 X3

witness Y1 {KEYS["Y1"].verifier.vkey}
witness Y2 {KEYS["Y2"].verifier.vkey}
witness Y3 {KEYS["Y3"].verifier.vkey}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""
W, V = KEYS["X1"].verifier.vkey, KEYS["X2"].verifier.vkey


def test_the_example_of_the_specification() -> None:
    policy = parse_policy(EXAMPLE.encode())
    assert [log.verifier for log in policy.logs] == [LOG]
    assert [witness.url for witness in policy.witnesses] == [
        None,
        "https://x2.example/",
        None,
        None,
        None,
        None,
    ]
    assert [(group.name, group.threshold) for group in policy.groups] == [
        ("X-witnesses", 2),
        ("Y-witnesses", 1),
        ("X-and-Y", 2),
    ]
    assert parse_policy(format_policy(policy)) == policy
    for count in range(7):
        for names in itertools.combinations(KEYS, count):
            quorum = policy.evaluate([KEYS[name].verifier for name in names])
            enough = len({"X1", "X2", "X3"} & set(names)) >= 2 and bool({"Y1", "Y2", "Y3"} & set(names))
            assert quorum.met == enough
            assert (quorum.signed, set(quorum.missing)) == (names, set(KEYS) - set(names))


@pytest.mark.parametrize(("quorum", "needed"), [("any", 1), ("2", 2), ("all", 3), ("1", 1), ("3", 3)])
def test_any_all_and_k_of_n(quorum: str, needed: int) -> None:
    policy = policy_of(quorum, KEYS["X1"], KEYS["X2"], KEYS["X3"])
    for count in range(4):
        signed = [KEYS[name].verifier for name in ("X3", "X1", "X2")[:count]]
        assert policy.evaluate(signed).met == (count >= needed)


def test_a_quorum_of_none_is_always_met_and_one_witness_may_be_the_quorum() -> None:
    assert parse_policy(b"quorum none\n").evaluate([]).met
    policy = parse_policy(f"witness w {W}\nquorum w\n".encode())
    assert not policy.evaluate([]).met
    assert not policy.evaluate([KEYS["X2"].verifier]).met
    assert policy.evaluate([KEYS["X1"].verifier]).met


def test_opening_below_the_quorum_is_undecided() -> None:
    from ledger.core.checkpoint import sign_checkpoint
    from tests.support.log import ORIGIN, new_log

    data = sign_checkpoint(ORIGIN, 3, bytes(32), [new_log().signer])
    with pytest.raises(UndecidedError) as error:
        policy_of("any", KEYS["X1"]).open(data)
    assert error.value.code == "witness.quorum"
    assert parse_policy(f"log {LOG.vkey}\nquorum none\n".encode()).open(data)[0].size == 3


def test_names_are_opaque_octets() -> None:
    policy = parse_policy(
        f"witness K {W}\n".encode() + b"witness \xe2\x84\xaa " + V.encode() + b"\nquorum K\n"
    )
    assert [item.name.encode() for item in policy.witnesses] == [b"K", b"\xe2\x84\xaa"]
    raw = b"witness \xff\xfe " + W.encode() + b" http://\xff/\nquorum \xff\xfe\n"
    assert format_policy(parse_policy(raw)) == raw


POST_QUANTUM = cosigner_key("pq", post_quantum=True).verifier.vkey
SAME_KEY = CosignatureSigner("another.name", SeedSigner("X1")).verifier.vkey


@pytest.mark.parametrize(
    "text",
    [
        "",
        "quorum none",
        "quorum none\r\n",
        "quorum none\nquorum none\n",
        "quorum w\n",
        f"quorum w\nwitness w {W}\n",
        f"witness none {W}\nquorum none\n",
        f"witness w {W}\nwitness w {V}\nquorum w\n",
        f"witness w {W}\nwitness v {W}\nquorum w\n",
        f"witness w {W}\nwitness v {SAME_KEY}\nquorum w\n",
        f"witness w {LOG.vkey}\nquorum w\n",
        f"log {W}\nquorum none\n",
        f"log {POST_QUANTUM}\nquorum none\n",
        f"log {LOG.vkey}\nlog {LOG.vkey} http://x/\nquorum none\n",
        f"log {LOG.vkey} a b\nquorum none\n",
        "log\nquorum none\n",
        f"witness {W}\nquorum none\n",
        f"witness w {W} u v\nquorum none\n",
        f"witness w {W}\ngroup g any\nquorum g\n",
        f"witness w {W}\ngroup g 0 w\nquorum g\n",
        f"witness w {W}\ngroup g 2 w\nquorum g\n",
        f"witness w {W}\ngroup g 01 w\nquorum g\n",
        f"witness w {W}\ngroup g +1 w\nquorum g\n",
        f"witness w {W}\ngroup g some w\nquorum g\n",
        f"witness w {W}\ngroup g any w w\nquorum g\n",
        f"witness w {W}\ngroup g any w\ngroup h any w\nquorum h\n",
        f"witness w {W}\ngroup g any g\nquorum g\n",
        f"witness w {W}\ngroup g any none\nquorum g\n",
        f"witness w {W}\ngroup none any w\nquorum w\n",
        f"group g any w\nwitness w {W}\nquorum g\n",
        f"witness w {W}\ngroup w any w\nquorum w\n",
        "quorum none extra\n",
        "Quorum none\n",
        "policy x\nquorum none\n",
        "quorum none\n\x00\n",
        "quorum none\n\x7f\n",
        "quorum\u00a0none\n",
    ],
    ids=range(37),
)
def test_what_is_no_policy_is_malformed(text: str) -> None:
    with pytest.raises(MalformedError) as error:
        parse_policy(text.encode())
    assert error.value.code == "policy.malformed"


def test_thirty_two_of_each_are_accepted_and_a_hundred_and_one_are_not() -> None:
    def text(count: int) -> bytes:
        logs = [NoteSigner(f"log{n}", SeedSigner(f"log{n}")).verifier.vkey for n in range(count)]
        lines = [f"log {vkey}\n" for vkey in logs]
        for number in range(count):
            lines.append(f"witness w{number} {cosigner_key(str(number)).verifier.vkey}\n")
            lines.append(f"group g{number} all w{number}\n")
        lines.append(
            f"group everyone all {' '.join(f'g{number}' for number in range(count))}\nquorum everyone\n"
        )
        return "".join(lines).encode()

    assert len(parse_policy(text(32)).groups) == 33
    with pytest.raises(MalformedError):
        parse_policy(text(MAX_MEMBERS + 1))


def test_the_example_of_our_own_specification_meets_its_policy() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "spec" / "witness.md").read_text(encoding="utf-8")
    checkpoint = page.split("```\n")[1].encode()
    log, witness = (line.strip("`,.*") for line in page.split("Keys:\n")[1].split("\n")[:2])
    policy = parse_policy(f"log {log}\nwitness w {witness}\nquorum w\n".encode())
    assert policy.open(checkpoint)[0].size == 3
