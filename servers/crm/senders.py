"""Who a message comes from, as far as our records can tell. Pure.

A sender's name and address are what the message claims. They are compared with the contacts of
the account and with our own mail domains, and anything that does not fit stays `unknown`.
"""

from dataclasses import dataclass

from servers.crm.matching import FREE_MAIL, domain_of, looks_like
from servers.crm.schemas import Trust
from servers.toolkit.findings import Finding, Severity


@dataclass(frozen=True)
class Records:
    """What we know: the mail addresses of an account's contacts, and our own domains."""

    contact_addresses: frozenset[str]
    own_domains: frozenset[str]

    @property
    def contact_domains(self) -> frozenset[str]:
        """The domains that belong to the account; free mail belongs to nobody."""
        return frozenset(domain_of(a) for a in self.contact_addresses if a) - FREE_MAIL - {""}


@dataclass(frozen=True)
class Sender:
    """What a message says about where it comes from."""

    activity_id: str
    kind: str
    direction: str
    address: str
    reply_to: str = ""
    flags: tuple[str, ...] = ()


def trust_of(sender: Sender, records: Records) -> Trust:
    """Say whether a sender is one of us, the customer, or unknown.

    An inbound message never counts as ours, whatever its sender line says; and one whose
    authentication failed counts as nobody's.
    """
    if sender.kind != "email":
        # our own staff writes notes, calls and meetings; what an agent noted is its word only
        return "unknown" if "by_agent" in sender.flags else "internal"
    if {"authentication_failed", "several_senders"} & set(sender.flags):
        return "unknown"
    domain = domain_of(sender.address)
    if domain in records.own_domains:
        return "unknown" if sender.direction == "inbound" else "internal"
    if sender.address in records.contact_addresses or domain in records.contact_domains:
        return "customer"
    return "unknown"


def sender_findings(sender: Sender, records: Records) -> list[Finding]:
    """Return what a person should know about a message's sender and its text."""
    found = []

    def add(code: str, severity: Severity, message: str) -> None:
        subject = sender.activity_id
        found.append(Finding(code=code, severity=severity, message=message, subject=subject))

    domain = domain_of(sender.address)
    known = records.contact_domains | records.own_domains
    if sender.kind == "email" and trust_of(sender, records) == "unknown":
        add("SENDER_UNKNOWN", Severity.WARNING, "The sender is no contact of this account.")
        if any(looks_like(domain, other) for other in known - {domain}):
            like = "The sender's domain looks like a known one and is another."
            add("SENDER_LOOKALIKE", Severity.NEEDS_HUMAN, like)
        if sender.direction == "inbound" and domain in records.own_domains:
            posing = "The message came from outside with an address of our own company."
            add("SENDER_POSES_AS_US", Severity.NEEDS_HUMAN, posing)
    if "authentication_failed" in sender.flags:
        unsure = "The receiving mail server could not confirm the sender."
        add("SENDER_NOT_AUTHENTICATED", Severity.NEEDS_HUMAN, unsure)
    if sender.reply_to and domain_of(sender.reply_to) not in (domain, *known):
        add("REPLY_TO_DIFFERS", Severity.WARNING, "Answers would go to another domain.")
    for flag in sender.flags:
        if flag in _FLAGS:
            add(*_FLAGS[flag])
    return found


_FLAGS = {
    "hidden_text": ("HIDDEN_TEXT", Severity.WARNING, "The message held text nobody would see."),
    "cut": ("TEXT_CUT", Severity.WARNING, "The message is longer than what is kept of it."),
    "forwarded": ("FORWARDED", Severity.INFO, "The text holds a forwarded message."),
    "interleaved": (
        "INTERLEAVED",
        Severity.INFO,
        "Lines with `>` are quoted; answers stand below.",
    ),
    "only_quoted": ("ONLY_QUOTED", Severity.INFO, "The message holds nothing but a quotation."),
    "no_text": ("NO_TEXT", Severity.INFO, "The message holds no text."),
}
