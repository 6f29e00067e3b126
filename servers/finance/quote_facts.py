"""Everything that the rules of one whole quote look at: pricing, law, credit, screening."""

from collections.abc import Mapping
from dataclasses import dataclass

from servers.finance.facts import PricingFacts
from servers.finance.law.clauses import Clause
from servers.finance.law.credit import CreditFacts
from servers.finance.law.payment import PaymentTerms
from servers.finance.law.screening import Party, Review, ScreeningList
from servers.finance.seller import Entity
from servers.toolkit.findings import Finding


@dataclass(frozen=True)
class QuoteFacts:
    """Everything that pricing, terms, credit and screening of one quote look at."""

    pricing: PricingFacts
    clauses: tuple[Clause, ...]
    payment_terms: Mapping[str, PaymentTerms]
    credit: CreditFacts
    screening: ScreeningList
    seller: Entity | Finding
    parties: tuple[Party, ...] = ()
    reviews: tuple[Review, ...] = ()
