"""Documents to print: a plain one, one with all a quote can say, and random ones that add up."""

import random
from datetime import date
from decimal import Decimal

from servers.finance.documents import QuoteDocument
from servers.finance.facts.blocks import (
    AddressBlock,
    Allowance,
    ApprovalBlock,
    BankBlock,
    ChargeBlock,
    ClauseBlock,
    ComponentBlock,
    CustomerBlock,
    FreightBlock,
    InternalLine,
    MarginBlock,
    OptionBlock,
    PaymentTermsBlock,
    PresentationBlock,
    RecurringBlock,
    RiskRow,
    SellerBlock,
    TaxBlock,
    TaxIdBlock,
    TotalsBlock,
    TraceStep,
)
from servers.finance.law.clauses import hash_of
from servers.toolkit.findings import Finding, Severity
from servers.toolkit.money import from_minor, round_money, to_minor

HOSTILE = '<script>alert(1)</script> ![x](https://evil.example/x.png) "90% off" | Ltd'
CANARY = "7777.77"
NET = hash_of("Net.")


def line(place: int, **changes: object) -> InternalLine:
    fields: dict[str, object] = {
        "position": place,
        "line_id": f"l{place}",
        "sku": "SW-P8-120",
        "name": "8-port PoE+ switch",
        "quantity": 12,
        "unit": "each",
        "unit_price": "389.00",
        "gross_minor": 466800,
        "allowances": [Allowance(label="Volume discount", percent="5", amount_minor=23340)],
        "net_minor": 443460,
        "tax_category": "S",
        "tax_rate": "19",
        "family": "switches",
        "list_unit_price": "389.00",
        "price_book": "PB-EUR",
    }
    return InternalLine.model_validate({**fields, **changes})


def document(**changes: object) -> QuoteDocument:
    address = AddressBlock(lines=["Kai 1"], city="Hamburg", postal_code="20457", country="DE")
    seller = SellerBlock(
        legal_name="Norvane Systems GmbH",
        address=address,
        vat_id="DE1",
        registration="HRB 1",
        email="q@norvane.example",
        phone="+49",
        website="https://norvane.example",
        bank=BankBlock(bank_name="B", account_holder="N", iban="DE19999999990000123456", bic="X"),
        signatory_name="Ingrid Maas",
        signatory_title="Finance Director",
    )
    fields: dict[str, object] = {
        "quote_id": "q_1",
        "number": "Q-2026-000007",
        "revision": 1,
        "status": "issued",
        "currency": "EUR",
        "order_date": date(2026, 11, 23),
        "issued_on": date(2026, 11, 23),
        "valid_until": date(2026, 12, 23),
        "cover": "standard",
        "seller": seller,
        "customer": CustomerBlock(account_id="acc_1", legal_name=HOSTILE, country="DE"),
        "ship_to": address,
        "delivery_terms": "DAP Hamburg",
        "lines": [line(1), line(2, optional=True, name="Spare")],
        "freight": FreightBlock(
            method="ROAD-STD",
            label="Road",
            weight_g=10_800,
            gross_minor=2150,
            net_minor=2150,
            tax_category="S",
            tax_rate="19",
        ),
        "taxes": [TaxBlock(category="S", rate="19", taxable_minor=445610, tax_minor=84666)],
        "totals": TotalsBlock(
            lines_minor=443460,
            freight_minor=2150,
            net_minor=445610,
            tax_minor=84666,
            total_minor=530276,
        ),
        "payment_terms": PaymentTermsBlock(code="NET30", description="30 days net", days=30),
        "clauses": [
            ClauseBlock(
                clause_id="CL-1", version=1, topic="t", title="Prices", text="Net.", sha256=NET
            )
        ],
        "account_id": "acc_1",
        "opportunity_id": "opp_1",
        "contact_id": None,
        "digest": "d" * 64,
        "auto_issue": False,
        "auto_issue_reasons": ["too much"],
        "approvals_needed": [],
        "approvals": [
            ApprovalBlock(
                approval_id="apr_1",
                rule_id="r",
                role="sales_manager",
                reason="discount",
                status="approved",
                requested_by="per_lena",
                requested_at="2026-11-23",
                expires_at="2026-12-01",
            )
        ],
        "findings": [Finding(code="MARGIN_FLOOR", severity=Severity.NEEDS_HUMAN, message="thin")],
        "claims": [],
        "warnings": [],
        "promo_codes": [],
        "discount_bp": 0,
        "generated_by": "offline-playbook/1",
        "created_by": "agent",
        "created_at": "now",
        "requested_by": "per_lena",
        "trace": [TraceStep(step="list", rule_id="LIST", after=CANARY)],
        "margin": MarginBlock(
            net_minor=1, cost_minor=777777, margin_bp=1800, hardware_margin_bp=1800, floor_bp=1800
        ),
    }
    return QuoteDocument.model_validate({**fields, **changes})


SHARE = Allowance(label="Share of the document discount", amount_minor=10000)


def rich(**changes: object) -> QuoteDocument:
    """A quote with everything in it; its numbers hold together."""
    parts = [
        ComponentBlock(sku="PSU-120", name="Power supply 120 W", quantity=2),
        ComponentBlock(sku="CBL-C6-02", name="Patch cable Cat 6, 2 m", quantity=8),
    ]
    memory = [OptionBlock(code="RAM64", label="64 GB memory", unit_extra="312.00")]
    year = {"unit": "license", "term_months": 12, "name": "Device management", "sku": "SUB-DM"}
    full = {"allowances": [], "net_minor": 466800}
    first = {"start": date(2027, 1, 1), "end": date(2027, 12, 31)}
    second = {"start": date(2028, 1, 1), "end": date(2028, 12, 31), "segment_of": "l3"}
    camera = Allowance(label="Promotion CAMERA", percent="100", amount_minor=38900)
    lines = [
        line(1, components=parts, description="Kit for a small cabinet"),
        line(2, sku="SRV-D1-16", name="DIN-rail server, 16 GB", options=memory, **full),
        line(3, **year, **first, **full),
        line(4, **year, **second, allowances=[SHARE], net_minor=456800),
        line(
            5,
            name="Dome camera",
            free=True,
            quantity=1,
            gross_minor=38900,
            allowances=[camera],
            net_minor=0,
        ),
        line(
            6,
            name="Analytics",
            change="renew",
            subscription_id="sub_0042",
            term_months=36,
            start=date(2027, 1, 1),
            tax_rate="7",
            **full,
        ),
        line(
            7,
            name="Power supply",
            part_of="l1",
            unit_price="0.00",
            gross_minor=0,
            **{**full, "net_minor": 0},
        ),
        line(8, optional=True, name="Spare"),
        line(9, alternative_of="l2", name="Rack server"),
    ]
    standard = 443460 + 466800 + 466800 + 456800 + 2150 + 1500
    taxes = [
        TaxBlock(
            category="S",
            rate="19",
            taxable_minor=standard,
            tax_minor=349127,
            jurisdiction="DE",
        ),
        TaxBlock(
            category="S",
            rate="7",
            taxable_minor=466800,
            tax_minor=32676,
            note="A reduced rate.",
            reason_code="VATEX-TEST",
        ),
    ]
    net = standard + 466800
    total = net + 349127 + 32676
    found: dict[str, object] = {
        "lines": lines,
        "charges": [
            ChargeBlock(
                charge_id="chg_1",
                label="Small-order charge",
                net_minor=1500,
                tax_category="S",
                tax_rate="19",
            )
        ],
        "taxes": taxes,
        "totals": TotalsBlock(
            lines_minor=net - 3650,
            freight_minor=2150,
            charges_minor=1500,
            net_minor=net,
            tax_minor=381803,
            total_minor=total,
            rounding_minor=2,
            payable_minor=total + 2,
        ),
        "recurring": RecurringBlock(
            monthly_minor=38900,
            annual_minor=466800,
            contract_minor=1390400,
            one_time_minor=net - 1390400,
        ),
        "presentation": PresentationBlock(
            currency="USD",
            rate="1.0876",
            rate_date=date(2026, 11, 20),
            source="reference rate of the central bank",
            total_minor=to_minor(
                round_money(from_minor(total, "EUR") * Decimal("1.0876"), "USD"), "USD"
            ),
        ),
        "revision": 2,
        "replaces": "Q-2026-000003",
        "customer": CustomerBlock(
            account_id="acc_1",
            legal_name="Alder & Finch Ltd",
            country="IE",
            address=AddressBlock(lines=["Unit 4"], city="Cork", postal_code="T12", country="IE"),
            tax_ids=[TaxIdBlock(scheme="eu_vat", country="IE", value="IE9900100DH")],
        ),
        "risks": [
            RiskRow(
                area="credit", rule_id="CREDIT-1", severity="needs_human", fact="12 days overdue"
            )
        ],
        "claims": ["exemption"],
        "trace": [],
    }
    return document(**{**found, **changes})


PLAIN = document(trace=[], margin=None)


def adding_up(dice: random.Random, currency: str) -> QuoteDocument:
    """A random quote in a currency, priced line by line; its numbers hold together."""
    lines: list[InternalLine] = []
    bases: dict[str, int] = {}
    for place in range(1, dice.randint(2, 9)):
        price = Decimal(dice.randint(1, 10**6)).scaleb(-dice.choice((0, 2, 4)))
        count, rate = dice.randint(1, 400), dice.choice(("0", "7", "19", "25.5"))
        gross = to_minor(round_money(price * count, currency), currency)
        off = sorted(dice.randint(0, gross) for _ in range(dice.randint(0, 3)))
        taken = [new - old for old, new in zip([0, *off], off, strict=False)]
        beside = place > 1 and dice.random() < 0.15
        said: dict[str, object] = {
            "position": place,
            "line_id": f"l{place}",
            "quantity": count,
            "unit_price": f"{price:f}",
            "gross_minor": gross,
            "allowances": [Allowance(label="Discount", amount_minor=part) for part in taken],
            "net_minor": gross - sum(taken),
            "tax_rate": rate,
            "optional": beside,
        }
        lines.append(PLAIN.lines[0].model_copy(update=said))
        if not beside:
            bases[rate] = bases.get(rate, 0) + gross - sum(taken)
    freight, charge = dice.choice((0, dice.randint(1, 99_999))), dice.choice((0, 2500))
    bases["19"] = bases.get("19", 0) + freight + charge
    taxes = [
        TaxBlock(
            category="S",
            rate=rate,
            taxable_minor=base,
            tax_minor=to_minor(
                round_money(from_minor(base, currency) * Decimal(rate) / 100, currency), currency
            ),
        )
        for rate, base in sorted(bases.items())
    ]
    net, tax = sum(bases.values()), sum(block.tax_minor for block in taxes)
    step = dice.choice((0, 5))
    rounded = (net + tax + step // 2) // step * step if step else None
    fee = ChargeBlock(charge_id="c", label="Fee", net_minor=charge, tax_category="S", tax_rate="19")
    totals = TotalsBlock(
        lines_minor=net - freight - charge,
        freight_minor=freight,
        charges_minor=charge,
        net_minor=net,
        tax_minor=tax,
        total_minor=net + tax,
        rounding_minor=0 if rounded is None else rounded - net - tax,
        payable_minor=rounded,
    )
    carriage = {"gross_minor": freight, "net_minor": freight}
    return PLAIN.model_copy(
        update={
            "currency": currency,
            "lines": lines,
            "freight": PLAIN.freight.model_copy(update=carriage),
            "charges": [fee] if charge else [],
            "taxes": taxes,
            "totals": totals,
        }
    )
