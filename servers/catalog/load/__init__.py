"""How files fill the catalog's tables; `seed_data/catalog` is such a folder."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field, ValidationError
from sqlmodel import Session

from servers.catalog import rulebook as rb
from servers.catalog import tables as m
from servers.catalog.load.bundles import bundles_hold
from servers.catalog.schemas import Product
from servers.catalog.store.rules import find_vocabulary
from servers.catalog.store.search import normalised, terms_of
from servers.toolkit.fields import Sku
from servers.toolkit.tables import Around, Table, Values, tables

GROUPS = {
    "@EU": (
        *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU"),
        *("IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
    ),
    "@EEA": ("IS", "LI", "NO"),
}
"""Groups of countries that rules and lists may name; they are written out as they come in."""
Share = Annotated[int, Field(ge=0, le=100)]


def _expand(value: Any) -> Any:
    """Replace the names of country groups by their countries, wherever they stand."""
    if isinstance(value, dict):
        return {name: _expand(part) for name, part in value.items()}
    if not isinstance(value, list):
        return value
    parts = [GROUPS.get(v, (v,)) if isinstance(v, str) else (_expand(v),) for v in value]
    return [one for part in parts for one in part]


def _product(product: Product, _around: Around) -> Values:
    stated = product.model_dump(exclude={"components", "option_groups", "units"})
    units = {str(unit): pieces for unit, pieces in product.units.items()} or None
    terms = terms_of(product)
    return {**stated, "units": units, "sku_norm": normalised(product.sku), "search_terms": terms}


def _rule(rule: rb.Rule, around: Around) -> Values:
    around.must_know(m.ProductRow, "sku", skus_in(rule))
    return RULES.plain(rule)


def skus_in(rule: rb.Rule) -> list[str]:
    """Return every SKU that a rule names, in its selectors, parts, plans and offers."""
    selectors = [rule.subject, rule.when]
    selectors += [getattr(rule, name, None) for name in ("targets", "per")]
    skus = [s for selector in selectors if selector for s in (*selector.skus, *selector.but_not)]
    skus += [*getattr(rule, "offer", ()), *getattr(rule, "plans", ())]
    return [*skus, *(part.sku for part in getattr(rule, "parts", ()))]


def _certificate(row: rb.Certificate, around: Around) -> Values:
    around.must_know(m.ProductRow, "sku", (*row.covers.skus, *row.covers.but_not))
    return CERTIFICATES.plain(row)


def _goal(row: rb.SalesGoal, around: Around) -> Values:
    around.must_know(m.ProductRow, "sku", row.scope.skus)
    return {"data": row.model_dump(mode="json")}


def _words_hold(session: Session) -> Iterator[str]:
    try:
        find_vocabulary(session)
    except ValidationError as problem:
        for one in problem.errors(include_url=False):
            yield f"{'.'.join(map(str, one['loc']))}: {one['msg']}"


PRODUCTS = Table(
    "products",
    m.ProductRow,
    "what is sold, with what customers and rules ask about it",
    ("sku",),
    form=Product,
    without=("components", "option_groups"),
    make=_product,
    ends={"lifecycle": "eol"},
    holds=bundles_hold,
    as_json=True,
)
RULES = Table(
    "rules",
    m.RuleRow,
    "what goes with what, where and when; `kind` says which further columns a rule has",
    ("rule_id",),
    form=rb.Rule,
    read=_expand,
    make=_rule,
    as_json=True,
)
CERTIFICATES = Table(
    "certificates",
    m.CertificateRow,
    "a certificate and the products it covers",
    ("scheme", "certificate_no"),
    form=rb.Certificate,
    make=_certificate,
    as_json=True,
)
TABLES = tables(
    PRODUCTS,
    Table(
        "bundle_components",
        m.ComponentRow,
        "a part of a bundle; a file says all parts of each bundle it names, in their order",
        ("bundle_sku", "sku"),
        {"sku": Sku, "quantity": Annotated[int, Field(ge=1, le=1000)]},
        whole=("bundle_sku",),
        holds=bundles_hold,
    ),
    Table(
        "option_groups",
        m.OptionGroupRow,
        "how many different optional parts of a group one bundle takes",
        ("bundle_sku", "name"),
        {"min_select": Share, "max_select": Annotated[int, Field(ge=1, le=100)]},
        whole=("bundle_sku",),
        holds=bundles_hold,
    ),
    RULES,
    CERTIFICATES,
    Table(
        "export_lists",
        m.ExportListRow,
        "a dated list of destinations, as somebody published it",
        ("list_id",),
        form=rb.ExportList,
        read=_expand,
        as_json=True,
    ),
    Table(
        "hazmat_modes",
        m.HazmatRow,
        "whether goods with a UN number travel by a mode with our carriers",
        ("un_number", "mode"),
        form=rb.HazmatMode,
    ),
    Table(
        "ship_methods",
        m.ShipMethodRow,
        "a way to send goods, with the transit days from-to of each zone it serves",
        ("method",),
        form=rb.ShipMethod,
        as_json=True,
    ),
    Table(
        "ship_zones",
        m.ZoneRow,
        "the shipping zone of a country; `*` is every other country",
        ("country",),
    ),
    Table("stock", m.StockRow, "what is on the shelf, as of a day", ("sku",), form=rb.Stock),
    Table(
        "substitutes",
        m.SubstituteTable,
        "one product may stand in for another",
        ("sku", "stand_in"),
        form=rb.SubstituteRow,
    ),
    Table(
        "sales_goals",
        m.GoalRow,
        "what the company would rather sell; a file says all of them",
        (),
        form=rb.SalesGoal,
        make=_goal,
        whole=(),
        as_json=True,
    ),
    Table(
        "vocabulary",
        m.VocabularyRow,
        "the words customers use: synonyms, families, traits, numbers, small words",
        ("part",),
        {"data": "words or maps of words, as the part asks"},
        holds=_words_hold,
        as_json=True,
    ),
)
