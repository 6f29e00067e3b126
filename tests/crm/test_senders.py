import pytest

from servers.crm.senders import Records, Sender, sender_findings, trust_of

RECORDS = Records(
    frozenset(("orla@larkspur.example", "tim.moss@gmail.com")), frozenset(("norvane.example",))
)


def mail(address: str, direction: str = "inbound", **more: object) -> Sender:
    return Sender("act_1", "email", direction, address, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sender", "trust", "codes"),
    [
        (mail("orla@larkspur.example"), "customer", []),
        (mail("other@larkspur.example"), "customer", []),
        (mail("tim.moss@gmail.com"), "customer", []),
        (mail("someone@gmail.com"), "unknown", ["SENDER_UNKNOWN"]),
        (mail("x@elsewhere.example"), "unknown", ["SENDER_UNKNOWN"]),
        (mail(""), "unknown", ["SENDER_UNKNOWN"]),
        (mail("lena@norvane.example", "outbound"), "internal", []),
        (mail("lena@norvane.example"), "unknown", ["SENDER_UNKNOWN", "SENDER_POSES_AS_US"]),
        (mail("o@larkspur-group.example"), "unknown", ["SENDER_UNKNOWN", "SENDER_LOOKALIKE"]),
        (
            mail("orla@larkspur.example", flags=("authentication_failed",)),
            "unknown",
            ["SENDER_UNKNOWN", "SENDER_NOT_AUTHENTICATED"],
        ),
        (
            mail("orla@larkspur.example", reply_to="pay@elsewhere.example"),
            "customer",
            ["REPLY_TO_DIFFERS"],
        ),
        (mail("orla@larkspur.example", flags=("hidden_text",)), "customer", ["HIDDEN_TEXT"]),
        (Sender("act_1", "call", "internal", ""), "internal", []),
        (Sender("act_1", "note", "internal", "", flags=("by_agent",)), "unknown", []),
    ],
)
def test_who_a_message_comes_from(sender: Sender, trust: str, codes: list[str]) -> None:
    assert trust_of(sender, RECORDS) == trust
    assert [finding.code for finding in sender_findings(sender, RECORDS)] == codes
