"""What must hold between a bundle, its parts and its option groups."""

from collections.abc import Iterable, Iterator, Mapping

from sqlmodel import Session, col, select

from servers.catalog.schemas import Product
from servers.catalog.store.products import MAX_BUNDLE_DEPTH, find_products
from servers.catalog.tables import ComponentRow, OptionGroupRow, ProductRow


def bundles_hold(session: Session) -> Iterator[str]:
    bundles = set(session.exec(select(ProductRow.sku).where(col(ProductRow.kind) == "bundle")))
    for model in (ComponentRow, OptionGroupRow):
        for sku in sorted(set(session.exec(select(model.bundle_sku))) - bundles):
            yield f"product {sku}: only a bundle has parts"
    yield from bundle_problems(find_products(session, bundles))


def bundle_problems(products: Mapping[str, Product]) -> Iterator[str]:
    """Yield bundles in a circle, too deep, without a part, or with groups nobody offers."""
    for product in products.values():
        if product.kind == "bundle" and (problem := _problem(product, products)):
            yield f"product {product.sku}: {problem}"


def _problem(product: Product, products: Mapping[str, Product]) -> str:
    if all(part.optional for part in product.components):
        return "a bundle needs a component that is always in it"
    groups = {group.group for group in product.option_groups}
    named = {part.group for part in product.components if part.group is not None}
    if groups != named:
        return "its option groups and those that its components name differ"
    if any(part.group is not None and not part.optional for part in product.components):
        return "only optional components are in a group"
    depth, layer = 0, {product.sku}
    while layer := set(_parts(products, layer)):
        depth += 1
        if depth > MAX_BUNDLE_DEPTH:
            return f"bundles inside it form a circle, or are deeper than {MAX_BUNDLE_DEPTH}"
    return ""


def _parts(products: Mapping[str, Product], skus: Iterable[str]) -> Iterator[str]:
    for sku in skus:
        yield from (part.sku for part in products[sku].components)
