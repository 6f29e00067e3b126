"""The legal entities of the seller."""

from dataclasses import dataclass

from servers.finance.facts.blocks import SellerBlock


@dataclass(frozen=True)
class Entity:
    """A legal entity of the seller, and whom it serves."""

    entity_id: str
    countries: frozenset[str]
    is_default: bool
    block: SellerBlock
