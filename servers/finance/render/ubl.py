"""A quote as UBL 2.1 Quotation XML, its totals by the identities of EN 16931.

Element order is that of UBL-Quotation-2.1.xsd (OASIS, 4 November 2013); a test compares. UBL 2.1
has no place for payment terms in a Quotation, so they are transaction conditions. Lines that are
in no total are notes, because every QuotationLine would count. No profile is named: nothing here
claims to conform to Peppol or to a national rule set.
"""

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from servers.finance.documents import CustomerQuote
from servers.finance.facts.blocks import (
    AddressBlock,
    BankBlock,
    ChargeBlock,
    FreightBlock,
    QuoteLine,
    TaxBlock,
)
from servers.finance.render import words
from servers.finance.render.terms import said_of
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.money import exponent, from_minor
from servers.toolkit.units import UNITS

NAMESPACES = {
    "xmlns": "urn:oasis:names:specification:ubl:schema:xsd:Quotation-2",
    "xmlns:cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "xmlns:cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
}
CREDIT_TRANSFER = "30"  # UNCL4461
SELLERS_OWN = {"AE": "VATEX-EU-AE", "K": "VATEX-EU-IC", "G": "VATEX-EU-G", "O": "VATEX-EU-O"}
"""The code of each category that has exactly one, where the quote does not name another."""


def ubl_quotation(quote: CustomerQuote) -> str:
    """Return the quote as a UBL 2.1 Quotation, or raise InvalidInputError without a total."""
    if quote.totals.total_minor is None:
        fix = "price it; its findings say what is missing"
        raise InvalidInputError(f"{quote.quote_id} has no total yet", fix=fix)
    root = Element("Quotation", NAMESPACES)
    counted = [line for line in quote.lines if line.in_total]
    _head(root, quote, len(counted))
    _parties(root, quote)
    _conditions(root, quote)
    _sums(root, quote)
    for line in counted:
        _line(root, line, quote)
    indent(root)
    text: str = tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _put(parent: Element, name: str, text: object = None, **attributes: str) -> Element:
    """Append `cbc:Name` or `cac:Name`; a text is made fit for XML."""
    child = SubElement(parent, name, attributes)
    if text is not None:
        child.text = words.clean(str(text))
    return child


def _amount(parent: Element, name: str, minor: int | None, currency: str) -> None:
    value = from_minor(minor or 0, currency)
    _put(parent, name, f"{value:.{exponent(currency)}f}", currencyID=currency)


def _head(root: Element, quote: CustomerQuote, count: int) -> None:
    _put(root, "cbc:UBLVersionID", "2.1")
    _put(root, "cbc:ID", quote.number or quote.quote_id)
    _put(root, "cbc:IssueDate", quote.issued_on or quote.order_date)
    standing = words.standing(quote.number, quote.status)
    beside = [_aside(line, quote) for line in quote.lines if not line.in_total]
    for note in (standing, words.cover_text(quote.cover), *beside, quote.notice):
        if note:
            _put(root, "cbc:Note", note)
    _put(root, "cbc:PricingCurrencyCode", quote.currency)
    _put(root, "cbc:LineCountNumeric", count)
    if quote.valid_until is not None:
        period = _put(root, "cac:ValidityPeriod")
        if quote.issued_on is not None:
            _put(period, "cbc:StartDate", quote.issued_on)
        _put(period, "cbc:EndDate", quote.valid_until)
    if quote.replaces:
        replaced = _put(root, "cac:AdditionalDocumentReference")
        _put(replaced, "cbc:ID", quote.replaces)
        _put(replaced, "cbc:DocumentType", "replaced quotation")


def _aside(line: QuoteLine, quote: CustomerQuote) -> str:
    kind = "Alternative" if line.alternative_of else "Option"
    said = ", ".join((line.name, *said_of(line, quote.lines)))
    count = words.quantity(line.quantity, line.unit)
    net = words.money(line.net_minor, quote.currency)
    return f"{kind}, not in the total: {count} {line.sku} {said}: {net} net"


def _address(parent: Element, called: str, address: AddressBlock) -> None:
    found = _put(parent, called)
    streets = ("cbc:StreetName", "cbc:AdditionalStreetName")
    for place, line in zip(streets, address.lines, strict=False):
        _put(found, place, line)
    _put(found, "cbc:CityName", address.city)
    if address.postal_code:
        _put(found, "cbc:PostalZone", address.postal_code)
    if address.region:
        _put(found, "cbc:CountrySubentity", address.region)
    for line in address.lines[2:]:
        _put(_put(found, "cac:AddressLine"), "cbc:Line", line)
    _put(_put(found, "cac:Country"), "cbc:IdentificationCode", address.country)


def _scheme(parent: Element, scheme: str = "VAT") -> None:
    _put(_put(parent, "cac:TaxScheme"), "cbc:ID", scheme)


def _levy(quote: CustomerQuote) -> str:
    """Return the UNECE 5153 code of the tax that the quote adds."""
    countries = [tax.jurisdiction.partition("-")[0] for tax in quote.taxes]
    return next(
        (words.LEVIES[country][1] for country in countries if country in words.LEVIES), "VAT"
    )


def _parties(root: Element, quote: CustomerQuote) -> None:
    seller, customer = quote.seller, quote.customer
    party = _put(_put(root, "cac:SellerSupplierParty"), "cac:Party")
    _put(party, "cbc:WebsiteURI", seller.website)
    _put(_put(party, "cac:PartyName"), "cbc:Name", seller.legal_name)
    _address(party, "cac:PostalAddress", seller.address)
    others = [one.value for one in seller.tax_ids if one.value != seller.vat_id]
    for value in (seller.vat_id, *others):
        if value:
            taxed = _put(party, "cac:PartyTaxScheme")
            _put(taxed, "cbc:CompanyID", value)
            _scheme(taxed)
    entity = _put(party, "cac:PartyLegalEntity")
    _put(entity, "cbc:RegistrationName", seller.legal_name)
    _put(entity, "cbc:CompanyID", seller.registration)
    contact = _put(party, "cac:Contact")
    _put(contact, "cbc:Name", seller.signatory_name or seller.legal_name)
    _put(contact, "cbc:Telephone", seller.phone)
    _put(contact, "cbc:ElectronicMail", seller.email)

    party = _put(_put(root, "cac:OriginatorCustomerParty"), "cac:Party")
    _put(_put(party, "cac:PartyIdentification"), "cbc:ID", customer.account_id)
    _put(_put(party, "cac:PartyName"), "cbc:Name", customer.legal_name)
    if customer.address is not None:
        _address(party, "cac:PostalAddress", customer.address)
    for tax_id in customer.tax_ids:
        taxed = _put(party, "cac:PartyTaxScheme")
        _put(taxed, "cbc:CompanyID", tax_id.value)
        _scheme(taxed)
    entity = _put(party, "cac:PartyLegalEntity")
    _put(entity, "cbc:RegistrationName", customer.legal_name)


def _conditions(root: Element, quote: CustomerQuote) -> None:
    _address(_put(root, "cac:Delivery"), "cac:DeliveryAddress", quote.ship_to)
    if quote.delivery_terms:
        _put(_put(root, "cac:DeliveryTerms"), "cbc:SpecialTerms", quote.delivery_terms)
    _bank(root, quote.seller.bank)
    terms = _put(root, "cac:TransactionConditions")
    _put(terms, "cbc:ID", quote.payment_terms.code)
    _put(terms, "cbc:Description", f"Payment: {quote.payment_terms.description}")
    for one in quote.clauses:
        said = f"{one.title}: {one.text} ({one.clause_id} v{one.version})"
        _put(terms, "cbc:Description", said)


def _bank(root: Element, bank: BankBlock) -> None:
    number = bank.iban.replace(" ", "") or bank.account_number
    if not number:
        return
    means = _put(root, "cac:PaymentMeans")
    _put(means, "cbc:PaymentMeansCode", CREDIT_TRANSFER)
    account = _put(means, "cac:PayeeFinancialAccount")
    _put(account, "cbc:ID", number)
    _put(account, "cbc:Name", bank.account_holder)
    if branch := bank.bic or bank.routing_number:
        _put(_put(account, "cac:FinancialInstitutionBranch"), "cbc:ID", branch)


def _change(parent: Element, label: str, minor: int, currency: str, *, charge: bool) -> Element:
    """Append a reduction or a charge; the tax of one on the whole document follows."""
    found = _put(parent, "cac:AllowanceCharge")
    _put(found, "cbc:ChargeIndicator", "true" if charge else "false")
    _put(found, "cbc:AllowanceChargeReason", label)
    _amount(found, "cbc:Amount", minor, currency)
    return found


def _category(
    parent: Element,
    category: str,
    rate: str,
    *,
    scheme: str,
    block: TaxBlock | None = None,
    name: str = "cac:TaxCategory",
) -> None:
    found = _put(parent, name)
    _put(found, "cbc:ID", category)
    if category != "O":
        _put(found, "cbc:Percent", rate)
    if block is not None and category not in ("S", "Z"):
        if code := block.reason_code or SELLERS_OWN.get(category):
            _put(found, "cbc:TaxExemptionReasonCode", code)
        if block.note:
            _put(found, "cbc:TaxExemptionReason", block.note)
    _scheme(found, scheme)


def _document_charges(quote: CustomerQuote) -> list[tuple[str, int, tuple[str, str]]]:
    freight = quote.freight
    parts: list[tuple[str, FreightBlock | ChargeBlock]] = []
    if freight.net_minor:
        parts.append((f"Freight, {freight.label}", freight))
    parts += [(charge.label, charge) for charge in quote.charges]
    return [
        (label, one.net_minor or 0, (one.tax_category or "O", one.tax_rate or "0"))
        for label, one in parts
    ]


def _sums(root: Element, quote: CustomerQuote) -> None:
    currency, sums = quote.currency, quote.totals
    charges = _document_charges(quote)
    for label, minor, tax in charges:
        _category(_change(root, label, minor, currency, charge=True), *tax, scheme=_levy(quote))
    total = _put(root, "cac:TaxTotal")
    _amount(total, "cbc:TaxAmount", sums.tax_minor, currency)
    for block in quote.taxes:
        part = _put(total, "cac:TaxSubtotal")
        _amount(part, "cbc:TaxableAmount", block.taxable_minor, currency)
        _amount(part, "cbc:TaxAmount", block.tax_minor, currency)
        _category(part, block.category, block.rate, scheme=_levy(quote), block=block)
    money = _put(root, "cac:QuotedMonetaryTotal")
    _amount(money, "cbc:LineExtensionAmount", sums.lines_minor, currency)
    _amount(money, "cbc:TaxExclusiveAmount", sums.net_minor, currency)
    _amount(money, "cbc:TaxInclusiveAmount", sums.total_minor, currency)
    if charges:
        _amount(money, "cbc:ChargeTotalAmount", sum(minor for _, minor, _ in charges), currency)
    if sums.payable_minor is not None:
        _amount(money, "cbc:PayableRoundingAmount", sums.rounding_minor, currency)
    payable = sums.total_minor if sums.payable_minor is None else sums.payable_minor
    _amount(money, "cbc:PayableAmount", payable, currency)


def _line(root: Element, line: QuoteLine, quote: CustomerQuote) -> None:
    currency = quote.currency
    outer = _put(root, "cac:QuotationLine")
    _put(outer, "cbc:ID", line.position)
    item_line = _put(outer, "cac:LineItem")
    _put(item_line, "cbc:ID", line.position)
    for note in said_of(line, quote.lines):
        _put(item_line, "cbc:Note", note)
    unit = UNITS[line.unit].code
    _put(item_line, "cbc:Quantity", line.quantity, unitCode=unit)
    _amount(item_line, "cbc:LineExtensionAmount", line.net_minor, currency)
    if line.start or line.end:
        period = _put(_put(item_line, "cac:Delivery"), "cac:RequestedDeliveryPeriod")
        for name, day in (("cbc:StartDate", line.start), ("cbc:EndDate", line.end)):
            if day is not None:
                _put(period, name, day)
    if line.tax_inclusive:  # UBL's prices are without tax: the net, for the whole quantity
        price = _put(item_line, "cac:Price")
        _amount(price, "cbc:PriceAmount", line.net_minor, currency)
        _put(price, "cbc:BaseQuantity", line.quantity, unitCode=unit)
    else:
        for one in line.allowances:
            _change(item_line, words.reduction(one), one.amount_minor, currency, charge=False)
        price = _put(item_line, "cac:Price")
        _put(price, "cbc:PriceAmount", line.unit_price or "0", currencyID=currency)
        _put(price, "cbc:BaseQuantity", 1, unitCode=unit)
    _item(item_line, line, _levy(quote))


def _item(parent: Element, line: QuoteLine, scheme: str) -> None:
    item = _put(parent, "cac:Item")
    if line.description:
        _put(item, "cbc:Description", line.description)
    _put(item, "cbc:Name", line.name)
    _put(_put(item, "cac:SellersItemIdentification"), "cbc:ID", line.sku)
    if line.tax_category is not None:
        rate = line.tax_rate or "0"
        name = "cac:ClassifiedTaxCategory"
        _category(item, line.tax_category, rate, scheme=scheme, name=name)
    for part in line.components:
        _property(item, "includes", f"{part.quantity} x {part.name} ({part.sku})")
    for option in line.options:
        _property(item, "option", f"{option.label} ({option.code})")


def _property(item: Element, name: str, value: str) -> None:
    found = _put(item, "cac:AdditionalItemProperty")
    _put(found, "cbc:Name", name)
    _put(found, "cbc:Value", value)
