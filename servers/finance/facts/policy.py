"""The limits of the seller, and the people they hold for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from servers.finance.facts.blocks import SellerBlock


@dataclass(frozen=True)
class RoleAbove:
    """The role that decides above a threshold; for a person, for sellers of a role, or for all."""

    rule_id: str
    above: int
    role: str
    person: str = ""
    seller_role: str = ""


@dataclass(frozen=True)
class Requester:
    """Who asks for a price, as far as limits go."""

    person_id: str = ""
    roles: frozenset[str] = frozenset()


NOBODY = Requester()
"""Somebody whom finance does not know; everybody's limits hold for them."""


@dataclass(frozen=True)
class Policy:
    """The seller's own limits."""

    discount_limits: tuple[RoleAbove, ...]
    total_limits: Mapping[str, tuple[RoleAbove, ...]]
    auto_issue: Mapping[str, int]
    margin_floor_bp: int
    margin_role: str
    validity_days: int
    approval_days: int
    standard_terms: str
    finding_roles: Mapping[str, str]
    default_role: str
    mandatory_topics: Mapping[str, str]
    incoterms: Mapping[str, str]
    cash_rounding: Mapping[str, Decimal] = field(default_factory=dict)
    rate_days: int | None = None
    price_lock_days: int | None = None
    average_discount: tuple[RoleAbove, ...] = ()
    line_discount: tuple[RoleAbove, ...] = ()
    validity_limits: tuple[RoleAbove, ...] = ()
    sequence: Mapping[str, int] = field(default_factory=dict)
    cost_needed: bool = True


@dataclass(frozen=True)
class GuidancePolicy:
    """How far guidance may go below the price list, and which quotes it may look at."""

    lowest_bp: int
    """The most below the price list that may be proposed, in basis points."""
    size_factor: int
    """How many times as large or small a quantity is still about as much."""
    days: int
    """How old a quote may be."""
    least: int
    """From how many accepted quotes on the item alone decides, without its family."""
    most: int
    """How many comparable quotes count, the newest first."""


@dataclass(frozen=True)
class Approver:
    """A person who may decide, and how far; a limit that is None is no limit."""

    person_id: str
    name: str
    roles: frozenset[str]
    max_discount_bp: int | None
    max_total: Mapping[str, int] | None
    stands_in_for: tuple["Approver", ...] = ()

    @property
    def every_role(self) -> frozenset[str]:
        """Their own roles and those of whom they stand in for."""
        return self.roles.union(*(one.roles for one in self.stands_in_for))


@dataclass(frozen=True)
class Entity:
    """A legal entity of the seller, and whom it serves."""

    entity_id: str
    countries: frozenset[str]
    is_default: bool
    block: SellerBlock
