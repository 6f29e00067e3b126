"""The words that go with a quote in a message: the approved cover text, and the facts of the offer.

Nothing in it is written by a model or taken from a message.
"""

from servers.finance.documents import CustomerQuote
from servers.finance.render import words


def letter(quote: CustomerQuote) -> str:
    currency, sums = quote.currency, quote.totals
    payable = sums.total_minor if sums.payable_minor is None else sums.payable_minor
    facts = [("Quote", quote.number or f"{quote.quote_id} ({quote.status}, not an offer)")]
    if quote.replaces:
        facts.append(("Replaces", quote.replaces))
    facts += [
        ("Total", f"{words.money(payable, currency)}, {_taxed(quote)}"),
        ("Valid until", words.day(quote.valid_until)),
        ("Payment", quote.payment_terms.description),
    ]
    if quote.delivery_terms:
        facts.append(("Delivery", quote.delivery_terms))
    width = max(len(label) for label, _ in facts) + 2
    seller = quote.seller
    lines = [
        words.cover_text(quote.cover),
        "",
        *(f"{label + ':':<{width}}{value}" for label, value in facts),
        "",
        "The quote is attached. The offer is what the attached document says.",
        "",
        seller.signatory_name,
        f"{seller.signatory_title}, {seller.legal_name}",
        f"{seller.email}, {seller.phone}",
        seller.website,
    ]
    return "\n".join(words.clean(line) for line in lines) + "\n"


def _taxed(quote: CustomerQuote) -> str:
    if not quote.totals.tax_minor:
        return "no tax added"
    return f"of which tax {words.money(quote.totals.tax_minor, quote.currency)}"
