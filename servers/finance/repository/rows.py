"""From table rows to the plain facts that the rules read."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from servers.finance import models as m
from servers.finance.facts.blocks import AddressBlock, BankBlock, SellerBlock, TaxIdBlock
from servers.finance.facts.charges import FreightRate
from servers.finance.facts.customers import Address, Customer, Exemption, TaxId
from servers.finance.facts.items import Item
from servers.finance.facts.policy import Policy, RoleAbove
from servers.finance.facts.sellers import Entity
from servers.finance.facts.windows import Window
from servers.toolkit.money import from_micro, to_minor


def customer(
    row: m.CustomerRow,
    tree: tuple[str, ...],
    tax_ids: list[m.CustomerTaxId],
    addresses: list[m.CustomerAddress],
    exemptions: list[m.ExemptionRow],
) -> Customer:
    """Return a customer with its own parts."""
    return Customer(
        account_id=row.account_id,
        legal_name=row.legal_name,
        country=row.country,
        kind=row.kind,
        channel=row.channel,
        currency=row.currency,
        payment_terms_code=row.payment_terms_code,
        language=row.language,
        industry=row.industry,
        family_tree=tree,
        tax_ids=tuple(TaxId(t.scheme, t.country, t.value, t.verified_at) for t in tax_ids),
        exemptions=tuple(
            Exemption(
                e.certificate_id,
                tuple(e.jurisdictions),
                e.reason,
                e.number,
                Window(e.issued, e.expires),
                e.status,
                e.reason_code,
            )
            for e in exemptions
        ),
        addresses=tuple(
            Address(
                a.address_id, a.kind, tuple(a.lines), a.city, a.region, a.postal_code, a.country
            )
            for a in addresses
        ),
        segment=row.segment,
    )


def item(row: m.ItemRow) -> Item:
    """Return an item."""
    return Item(
        sku=row.sku,
        name=row.name,
        description=row.description,
        family=row.family,
        kind=row.kind,
        weight_g=row.weight_g,
        cost=None if row.cost_micro is None else from_micro(row.cost_micro),
        cost_currency=row.cost_currency,
        tax_class=row.tax_class,
        flags=frozenset(row.flags),
    )


def freight_rate(row: m.FreightRateRow) -> FreightRate:
    """Return a freight rate."""
    return FreightRate(
        row.rate_id,
        row.method,
        row.label,
        row.zone,
        row.currency,
        from_micro(row.base_micro),
        from_micro(row.per_kg_micro),
        row.physical,
    )


def policy(value: Mapping[str, Any]) -> Policy:
    """Return the house's limits; amounts are written in major units in the file."""
    return Policy(
        discount_limits=_limits(value["discount_limits"], "above_bp"),
        total_limits={
            code: tuple(_limit(one, to_minor(Decimal(one["above"]), code)) for one in limits)
            for code, limits in value["total_limits"].items()
        },
        auto_issue={
            code: to_minor(Decimal(amount), code) for code, amount in value["auto_issue"].items()
        },
        margin_floor_bp=int(value["margin_floor_bp"]),
        margin_role=value["margin_role"],
        validity_days=int(value["validity_days"]),
        approval_days=int(value["approval_days"]),
        standard_terms=value["standard_terms"],
        finding_roles=value["finding_roles"],
        default_role=value["default_role"],
        mandatory_topics=value["mandatory_topics"],
        incoterms=value["incoterms"],
        cash_rounding={
            code: Decimal(coin) for code, coin in value.get("cash_rounding", {}).items()
        },
        rate_days=value.get("rate_days"),
        price_lock_days=value.get("price_lock_days"),
        average_discount=_limits(value.get("average_discount_limits", ()), "above_bp"),
        line_discount=_limits(value.get("line_discount_limits", ()), "above_bp"),
        validity_limits=_limits(value.get("validity_limits", ()), "above_days"),
        sequence=value.get("sequence", {}),
    )


def _limits(said: Iterable[Mapping[str, Any]], unit: str) -> tuple[RoleAbove, ...]:
    return tuple(_limit(one, int(one[unit])) for one in said)


def _limit(said: Mapping[str, Any], above: int) -> RoleAbove:
    return RoleAbove(
        said["rule_id"], above, said["role"], said.get("person", ""), said.get("seller_role", "")
    )


def entity(row: m.Seller) -> Entity:
    """Return a legal entity with whom it serves."""
    return Entity(row.entity_id, frozenset(row.countries), row.is_default, seller_block(row))


def seller_block(row: m.Seller) -> SellerBlock:
    """Return the seller as a quote prints it."""
    said = row.details
    address = {k: v for k, v in said["address"].items() if k in AddressBlock.model_fields}
    return SellerBlock(
        legal_name=row.legal_name,
        address=AddressBlock(**address),
        vat_id=said["vat_id"],
        registration=said["registration"],
        email=said["email"],
        phone=said["phone"],
        website=said["website"],
        bank=BankBlock(**said["bank"]),
        signatory_name=said["signatory"]["name"],
        signatory_title=said["signatory"]["title"],
        entity_id=row.entity_id,
        country=row.country,
        time_zone=row.time_zone,
        tax_ids=[TaxIdBlock(**one) for one in said.get("tax_ids", ())],
        logo=said.get("logo", ""),
    )
