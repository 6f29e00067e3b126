"""Queries of products: by SKU, by family, by words, each with its parts.

Every row is public and the same for every caller, so nothing here is narrowed by a grant.
"""

from collections.abc import Iterable, Sequence

from sqlmodel import Session, col, select

from servers.catalog import rulebook as rb
from servers.catalog import schemas as s
from servers.catalog.phrases import Wanted, read
from servers.catalog.store.rules import certificates_of, find_substitutes, find_vocabulary
from servers.catalog.store.search import find_by_sku, find_ids, normalised
from servers.catalog.tables import ComponentRow, OptionGroupRow, ProductRow
from servers.toolkit.errors import NotFoundError
from servers.toolkit.paging import decode_cursor, next_cursor

PHRASE_HITS = 150
MAX_BUNDLE_DEPTH = 5


def find_product(session: Session, sku: str) -> s.Product:
    row = session.exec(select(ProductRow).where(ProductRow.sku == sku)).first()
    if row is None:
        raise NotFoundError(
            f"no product {sku!r}", fix="find the SKU with search_products or match_need"
        )
    return _with_parts(session, {sku: _product(row)})[sku]


def find_products(session: Session, skus: Iterable[str]) -> dict[str, s.Product]:
    """Return the products with these SKUs, their parts and successors; unknown ones are left out.

    Bundles inside bundles are followed to the depth that the loader allows.
    """
    found = _with_parts(session, _by_sku(session, set(skus)))
    for _ in range(MAX_BUNDLE_DEPTH):
        parts = {part.sku for item in found.values() for part in item.components} - set(found)
        found |= _with_parts(session, _by_sku(session, parts))
    successors = {p.successor_sku for p in found.values() if p.successor_sku}
    return found | _by_sku(session, successors - set(found))


def find_family(session: Session, name: str) -> dict[str, s.Product]:
    rows = session.exec(select(ProductRow).where(ProductRow.family == name)).all()
    return _with_parts(session, {row.sku: _product(row) for row in rows})


def find_families(session: Session) -> list[str]:
    return sorted(session.exec(select(ProductRow.family).distinct()).all())


def page_of_products(
    session: Session, query: str, category: str, limit: int, cursor: str | None
) -> s.ProductPage:
    """Return a page of products: SKUs that begin like the query, then what its words find.

    When no product holds every word, those that hold some of them are returned.
    """
    wanted = read(query, find_vocabulary(session))
    words = [*wanted.words, *wanted.traits, *(str(n) for n in wanted.loose)]
    words += [part for amount in wanted.amounts for part in str(amount).split()]
    ids = dict.fromkeys(find_by_sku(session, query, family=category))
    found = find_ids(session, words, how="all", family=category)
    ids |= dict.fromkeys(found or find_ids(session, words, how="any", family=category))
    offset = decode_cursor(cursor)
    page = list(ids)[offset : offset + limit]
    rows = {r.id: r for r in session.exec(select(ProductRow).where(col(ProductRow.id).in_(page)))}
    return s.ProductPage(
        items=[s.ProductSummary.of(_product(rows[i])) for i in page],
        total=len(ids),
        next_cursor=next_cursor(offset, len(page), len(ids)),
    )


def find_for_phrase(session: Session, wanted: Wanted, phrase: str = "") -> list[s.Product]:
    """Return the products worth judging for a phrase: by SKU, then by words, with successors."""
    runs = {
        "".join(wanted.tokens[start:end])
        for start in range(len(wanted.tokens))
        for end in range(start + 1, min(start + 5, len(wanted.tokens)) + 1)
    }
    norms = sorted({normalised(run) for run in runs if 4 <= len(run) <= 40})
    whole = {*norms, normalised(phrase)} - {""}
    exact = select(ProductRow.id).where(col(ProductRow.sku_norm).in_(whole))
    ids = [i for i in session.exec(exact) if i is not None]
    for norm in norms:
        if len(norm) >= 4 and any(c.isdigit() for c in norm):
            ids += find_by_sku(session, norm)[:20]
    words = [*wanted.words, *wanted.traits, *sorted(wanted.specials)]
    words += [word for name in wanted.traits for word in name.split()]
    words += [amount.dimension for amount in wanted.amounts]
    ids += find_ids(session, words, how="any", most=PHRASE_HITS)
    rows = session.exec(select(ProductRow).where(col(ProductRow.id).in_(dict.fromkeys(ids)))).all()
    found = {row.sku: _product(row) for row in rows}
    successors = {p.successor_sku for p in found.values() if p.successor_sku}
    return list((found | _by_sku(session, successors - set(found))).values())


def find_catalog(
    session: Session, lines: Sequence[s.LineIn], among: Sequence[rb.Rule]
) -> dict[str, s.Product]:
    """Return the products of some lines and every part that the rules could offer."""
    skus = {line.sku for line in lines}
    for rule in among:
        skus.update(getattr(rule, "offer", ()))
        skus.update(getattr(rule, "plans", ()))
        if isinstance(rule, rb.RequiresAll):
            skus.update(part.sku for part in rule.parts)
    return find_products(session, skus)


def detail_of(session: Session, sku: str) -> s.ProductDetail:
    item = find_product(session, sku)
    return s.ProductDetail(
        **item.model_dump(),
        certificates=certificates_of(session, item),
        substitutes=[row.stand_in for row in find_substitutes(session, sku)],
    )


def _by_sku(session: Session, skus: set[str]) -> dict[str, s.Product]:
    if not skus:
        return {}
    rows = session.exec(select(ProductRow).where(col(ProductRow.sku).in_(sorted(skus))))
    return {row.sku: _product(row) for row in rows}


def _product(row: ProductRow) -> s.Product:
    data = row.model_dump(exclude={"id", "sku_norm", "search_terms", "units"})
    return s.Product.model_validate({**data, "units": row.units or {}})


def _with_parts(session: Session, found: dict[str, s.Product]) -> dict[str, s.Product]:
    """Return the products, bundles with their components and option groups."""
    bundles = [sku for sku, item in found.items() if item.kind == "bundle"]
    if not bundles:
        return found
    parts = select(ComponentRow).where(col(ComponentRow.bundle_sku).in_(bundles))
    groups = select(OptionGroupRow).where(col(OptionGroupRow.bundle_sku).in_(bundles))
    for row in session.exec(parts.order_by(col(ComponentRow.place))):
        found[row.bundle_sku].components.append(
            s.Component(
                sku=row.sku, quantity=row.quantity, optional=row.optional, group=row.option_group
            )
        )
    for group in session.exec(groups.order_by(col(OptionGroupRow.place))):
        found[group.bundle_sku].option_groups.append(
            s.OptionGroup(
                group=group.name, min_select=group.min_select, max_select=group.max_select
            )
        )
    return found
