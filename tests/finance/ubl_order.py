"""The order in which UBL 2.1 wants the elements that we write, and which it needs (`!`).

Taken from UBL-Quotation-2.1.xsd and UBL-CommonAggregateComponents-2.1.xsd (OASIS, os-UBL-2.1,
4 November 2013), read on 2026-11-26 and cut to the elements that a quote of ours can have.
"""

ORDER = {
    "AdditionalDocumentReference": "ID! IssueDate DocumentType ValidityPeriod",
    "AdditionalItemProperty": "ID Name! Value",
    "AllowanceCharge": (
        "ID ChargeIndicator! AllowanceChargeReason Amount! TaxCategory TaxTotal PaymentMeans"
    ),
    "ClassifiedTaxCategory": "ID Name Percent TaxScheme!",
    "Contact": "ID Name Telephone ElectronicMail Note",
    "Country": "IdentificationCode Name",
    "Delivery": "ID Quantity DeliveryAddress RequestedDeliveryPeriod DeliveryTerms",
    "DeliveryAddress": "ID StreetName CityName PostalZone Country",
    "DeliveryTerms": "ID SpecialTerms Amount AllowanceCharge",
    "FinancialInstitutionBranch": "ID Name",
    "Item": (
        "Description Name SellersItemIdentification TransactionConditions "
        "ClassifiedTaxCategory AdditionalItemProperty"
    ),
    "LineItem": (
        "ID! Note Quantity LineExtensionAmount Delivery DeliveryTerms AllowanceCharge Price "
        "Item! TaxTotal"
    ),
    "OriginatorCustomerParty": "Party",
    "Party": (
        "WebsiteURI PartyIdentification PartyName PostalAddress PartyTaxScheme "
        "PartyLegalEntity Contact"
    ),
    "PartyIdentification": "ID!",
    "PartyLegalEntity": "RegistrationName CompanyID",
    "PartyName": "Name!",
    "PartyTaxScheme": "RegistrationName CompanyID TaxScheme!",
    "PayeeFinancialAccount": "ID Name FinancialInstitutionBranch Country",
    "PaymentMeans": "ID PaymentMeansCode! PayeeFinancialAccount",
    "PostalAddress": "ID StreetName CityName PostalZone Country",
    "Price": "PriceAmount! BaseQuantity ValidityPeriod AllowanceCharge",
    "Quotation": (
        "UBLVersionID ID IssueDate! Note PricingCurrencyCode LineCountNumeric ValidityPeriod "
        "AdditionalDocumentReference SellerSupplierParty! OriginatorCustomerParty Delivery "
        "DeliveryTerms PaymentMeans TransactionConditions AllowanceCharge TaxTotal "
        "QuotedMonetaryTotal! QuotationLine!"
    ),
    "QuotationLine": "ID Note Quantity LineExtensionAmount LineItem!",
    "QuotedMonetaryTotal": (
        "LineExtensionAmount TaxExclusiveAmount TaxInclusiveAmount ChargeTotalAmount "
        "PayableRoundingAmount PayableAmount!"
    ),
    "RequestedDeliveryPeriod": "StartDate EndDate Description",
    "SellerSupplierParty": "Party",
    "SellersItemIdentification": "ID!",
    "TaxCategory": "ID Name Percent TaxScheme!",
    "TaxScheme": "ID Name",
    "TaxSubtotal": "TaxableAmount TaxAmount! Percent TaxCategory!",
    "TaxTotal": "TaxAmount! TaxSubtotal",
    "TransactionConditions": "ID Description",
    "ValidityPeriod": "StartDate EndDate Description",
}
