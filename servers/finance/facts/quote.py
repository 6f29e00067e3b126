"""Everything that the rules of one whole quote look at: pricing, law, credit, screening."""

from collections.abc import Mapping
from dataclasses import dataclass

from servers.finance.facts.clauses import Clause
from servers.finance.facts.credit import CreditFacts
from servers.finance.facts.payment import PaymentTerms
from servers.finance.facts.pricing import PricingFacts
from servers.finance.facts.screening import Party, Review, ScreeningList
from servers.finance.facts.sellers import Entity
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
