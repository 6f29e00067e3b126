"""Finance's tables as the first migration makes them; a later change is a migration of its own."""

from functools import partial

import sqlalchemy as sa

from servers.toolkit.short_tables import add_table, one_of

first = sa.MetaData()
table = partial(add_table, first)

table(
    "seller",
    "entity_id 48 key, legal_name 200, country 2, number_format 60, time_zone 60, countries json, "
    "is_default bool, address json, place_of_business 120, vat_id 40, tax_ids json, "
    "registration 200, email 120, phone 40, website 120, bank json, signatory_name 120, "
    "signatory_title 120, logo text",
)
table(
    "person",
    "person_id 48 key, name 120, title 120, roles json, max_discount_bp int?, max_total json?",
)
table("policy", "name 40 key, value json")
table("payment_term", "code 20 key, days int, prepaid bool, description 200, lines json")
table(
    "clause",
    "clause_id 60 key, version int key, language 8 key, topic 40, title 120, text text, "
    "sha256 64, status 12, owner 48, approved_by 48, approved_on date?, valid_from date, "
    "valid_to date?, jurisdiction 2, mandatory bool, conflicts_with json, conditions json",
    clause_approval_is_named="status = 'draft' OR (approved_by != '' AND approved_on IS NOT NULL)",
    clause_status_known="status IN ('draft', 'approved', 'retired')",
)
table("screening_entry", "entry_id 60 key, name 200, country 2, aliases json")
table("exchange_rate", "currency 3 key, rate big, as_of date, source 200")
table(
    "customer",
    "account_id 48 key, parent_account_id 48? customer.account_id, legal_name 200, country 2, "
    "kind 20, channel 20, currency 3, payment_terms_code 20, credit_limit_minor big?, "
    "credit_currency 3, credit_rating 4, credit_hold bool, open_minor big, segment 40, "
    "language 8, industry 40",
)
table(
    "customer_tax_id",
    "id int key, account_id 48 index customer.account_id, scheme 20, country 2, value 40, "
    "verified_at 32?",
    ("account_id", "scheme", "value"),
)
table(
    "customer_address",
    "address_id 48 key, account_id 48 index customer.account_id, kind 12, lines json, city 120, "
    "region 80, postal_code 20, country 2",
)
table(
    "related_party",
    "party_id 48 key, account_id 48 index customer.account_id, role 20, name 200, country 2",
)
table(
    "exemption",
    "certificate_id 48 key, account_id 48 index customer.account_id, jurisdictions json, "
    "reason 200, number 60, issued date, expires date?, status 12, reason_code 30",
)
table(
    "receivable",
    "invoice_no 40 key, account_id 48 index customer.account_id, quote_id 48? index, issued date, "
    "due date, total_minor big, open_minor big, currency 3",
    receivable_amounts_sane="open_minor >= 0 AND open_minor <= total_minor",
    receivable_due_after_issue="due >= issued",
)
table(
    "screening_review",
    "review_id 48 key, account_id 48 index customer.account_id, entry_id 60, party_name 200, "
    "listed_name 200, decision 20, note 300, decided_by 48, decided_on date, expires_on date",
    screening_decision_known="decision IN ('different_party', 'same_party')",
    screening_review_has_a_span="expires_on >= decided_on",
)
table(
    "account_purchase",
    "id int key, account_id 48 index customer.account_id, sku 32 item.sku, quantity big, "
    "day date, until date?, quote_id 48?, line_id 5, source 120",
    ("quote_id", "line_id"),
)
table(
    "subscription",
    "subscription_id 48 key, account_id 48 index customer.account_id, sku 32 index item.sku, "
    "quantity int, first date, last date, term_months int, unit_price big, currency 3, "
    "lock_until date?, renewal 8, uplift big?, cap big?, clause 80, document 120",
    subscription_has_days="first <= last",
    subscription_numbers="quantity >= 1 AND unit_price >= 0",
    subscription_renewal_known="renewal IN ('same', 'list', 'uplift')",
)
table(
    "item",
    "sku 32 key, name 200, description 500, family 40 index, kind 12, weight_g int?, cost big?, "
    "cost_currency 3, tax_class 20, flags json",
)
table(
    "item_option",
    "id int key, scope 8, selector 40 index, code 32, label 120, currency 3, amount big, cost big?",
    ("scope", "selector", "code", "currency"),
    item_option_not_negative="amount >= 0",
)
table("item_unit", "sku 32 key item.sku, unit 12 key, numerator int, denominator int")
table(
    "bundle_component",
    "bundle_sku 32 key item.sku, sku 32 key item.sku, quantity int, price_mode 8, optional bool, "
    "percent_off big",
)
table(
    "price_book",
    "book 30 key, name 120, currency 3 index, channel 20, country 2, valid_from date, "
    "valid_to date?, region 20, account_id 48, rules json, derived_from 30, formula json?, "
    "tax_inclusive bool",
)
table(
    "price_entry",
    "id int key, book 30 price_book.book, sku 32 index item.sku, unit 12, "
    "default_term_months int?, proration 16, amount big, min_qty int, max_qty int?, "
    "valid_from date?, valid_to date?",
    ("book", "sku", "unit", "min_qty", "valid_from"),
    price_entry_not_negative="amount >= 0",
)
table(
    "discount_schedule",
    "schedule_id 60 key, scope 8, selector 40, type 8, unit 12, basis 12, aggregation 16, "
    "currency 3, valid_from date, valid_to date?",
)
table(
    "discount_band",
    "band_id 60 key, schedule_id 60 discount_schedule.schedule_id, lower big, upper big?, "
    "value big",
    ("schedule_id", "lower"),
)
table(
    "contract_price",
    "contract_id 60 key, account_id 48 index, scope 8, selector 40, kind 8, amount big, "
    "currency 3, valid_from date, valid_to date?, exclusive bool, document 120, min_commit big?, "
    "max_quantity big?",
)
table(
    "contract_use",
    "id int key, contract_id 60 index contract_price.contract_id, quote_id 48?, line_id 5, "
    "quantity big, day date",
    ("contract_id", "quote_id", "line_id"),
)
table(
    "promotion",
    "promotion_id 60 key, code 20 unique, kind 16, family 40, percent big, minimum json, "
    "valid_from date, valid_to date?, priority int, stack_group 40, automatic bool, target 8, "
    "sku 32, amount json, allocation 6, per 5, conditions json, max_quantity int?, cap json, "
    "usage_limit int?, budget json, buy_quantity int?, get_quantity int?, of_sku 32, "
    "of_family 40, free_sku 32, free_quantity int?, recurse_for int?, base 7, exclusive bool, "
    "prorated bool, pick 8",
)
table(
    "quote",
    "quote_id 48 key, account_id 48 index customer.account_id, opportunity_id 48 index, "
    "revision int, chain 48, revises 48?, status 12, currency 3, total_minor big, "
    "order_date date, digest 64, inputs text, snapshot text, margin text?, number 40? unique, "
    "issued_at 32?, valid_until date?, entity_id 48, price_lock_until date?, accepted_at 32?, "
    "accepted_by 60?, acceptance_reference 120, superseded_by 48?, withdrawn_reason 300, "
    "created_at 32, created_by 120, requested_by 60",
    one_of("quote_one_issued_per_opportunity", "opportunity_id", where="status = 'issued'"),
    one_of(
        "quote_one_working_per_opportunity",
        "opportunity_id",
        where="status IN ('draft', 'waiting', 'approved')",
    ),
    quote_acceptance_is_whole=(
        "(status = 'accepted') = (accepted_at IS NOT NULL) "
        "AND (accepted_at IS NULL) = (accepted_by IS NULL)"
    ),
    quote_issued_has_number="status NOT IN ('issued', 'accepted') OR number IS NOT NULL",
    quote_number_comes_with_issue="(number IS NULL) = (issued_at IS NULL)",
    quote_numbers_sane="revision >= 1 AND total_minor >= 0",
    quote_one_per_revision=("chain", "revision"),
    quote_status_known=(
        "status IN ('draft', 'waiting', 'approved', 'issued', 'accepted', 'rejected', "
        "'withdrawn', 'superseded', 'expired')"
    ),
)
table(
    "approval",
    "approval_id 48 key, quote_id 48 index quote.quote_id, rule_id 80, role 40, reason 500, "
    "digest 64, status 12, requested_by 60, requested_at 32, expires_at 32, decided_by 60?, "
    "decided_at 32?, note 300, used_at 32?, sequence int",
    one_of(
        "approval_one_live_per_rule",
        *("quote_id", "rule_id", "role"),
        where="status IN ('pending', 'approved')",
    ),
    approval_decision_is_whole="(decided_by IS NULL) = (decided_at IS NULL)",
    approval_status_known="status IN ('pending', 'approved', 'rejected', 'expired', 'cancelled')",
)
table("quote_number", "entity_id 48 key, year int key, last int")
table(
    "promotion_use",
    "promotion_id 60 key, quote_id 48 key quote.quote_id, currency 3, amount_minor big, "
    "free_units int",
    promotion_use_not_negative="amount_minor >= 0",
)
table("zone_country", "zone 20 key, country 2 key")
table(
    "tax_jurisdiction",
    "jurisdiction 8 key, name 80, tax_name 20, rounding 8, shipping 8, shipping_class 20, "
    "consumer_prices 5, coverage 9, note 200, source 200, as_of date",
    tax_coverage_known="coverage IN ('covered', 'by_region', 'outside')",
    tax_rounding_known="rounding IN ('document', 'line')",
    tax_shipping_known="shipping IN ('goods', 'class', 'weighted')",
)
table(
    "tax_registration",
    "registration_id 60 key, entity_id 48 index, jurisdiction 8, scheme 12, number 40, "
    "establishment bool, valid_from date?, valid_to date?",
    tax_registration_scheme_known="scheme IN ('vat', 'gst', 'sales_tax', 'oss')",
)
table(
    "tax_rate",
    "rate_id 60 key, country 2, category 3, percent big, valid_from date, valid_to date?, "
    "source 200, as_of date, region 6, tax_class 20, name 20, sequence int, kind 8, "
    "enlarges_base bool",
    one_of(
        "tax_rate_one_of_a_rank",
        *("country", "region", "category", "tax_class", "sequence", "valid_from"),
    ),
)
table(
    "tax_rule",
    "rule_id 60 key, zone 12, customer_kinds json, item 12, vat 12, category 3, note 200, "
    "finding 40",
)
table(
    "freight_rate",
    "rate_id 60 key, method 20, label 60, zone 12, currency 3, base big, per_kg big, physical bool",
    ("method", "zone", "currency"),
)
table(
    "fee",
    "fee_id 60 key, label 80, kind 16, amount json, tax_class 20, below json, conditions json, "
    "valid_from date, valid_to date?",
    fee_kind_known="kind IN ('small_order', 'hazmat', 'fixed')",
)
