"""Load a folder of catalog files: products, rules, vocabulary, stock and the rest.

Everything goes in one transaction or not at all, and an error names the file and the row. The
files may say `@EU` for a group of countries that `regions.json` lists.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from sqlmodel import Session

from servers.catalog import rulebook as rb
from servers.catalog.models import (
    CatalogTable,
    CertificateRow,
    ComponentRow,
    ExportListRow,
    GoalRow,
    HazmatRow,
    OptionGroupRow,
    ProductRow,
    RuleRow,
    ShipMethodRow,
    StockRow,
    SubstituteTable,
    VocabularyRow,
    ZoneRow,
)
from servers.catalog.phrases import Vocabulary
from servers.catalog.repository import MAX_BUNDLE_DEPTH, OTHER
from servers.catalog.schemas import Product
from servers.catalog.search import normalised, terms_of
from servers.toolkit.errors import InvalidInputError
from servers.toolkit.importing import read_csv, read_json

Form = TypeVar("Form", bound=BaseModel)
Groups = Mapping[str, list[str]]


def load(session: Session, folder: Path) -> dict[str, int]:
    """Load a seed folder and return how many rows went into each table.

    Raises:
        InvalidInputError: a file is missing or wrong; it says which, and which row.
    """
    regions = read_json(folder / "regions.json")
    groups: Groups = regions["groups"]
    products = {p.sku: p for p in _rows(folder / "products.json", Product)}
    rows: list[CatalogTable] = [_product_row(product) for product in products.values()]
    _check_successors(products)
    check_bundles(products)
    session.add_all(rows)
    session.flush()
    counts = {"products": len(rows)}
    for name, made in (
        ("bundle_components", _components(products)),
        ("option_groups", _groups(products)),
        ("rules", _rules(folder, groups, products)),
        ("certificates", _certificates(folder, products)),
        ("export_lists", _export_lists(folder, groups)),
        ("hazmat_modes", _hazmat(folder)),
        ("ship_methods", _ship_methods(folder)),
        ("ship_zones", _zones(regions)),
        ("stock", _stock(folder, products)),
        ("substitutes", _substitutes(folder, products)),
        ("sales_goals", _goals(folder, products)),
        ("vocabulary", _vocabulary(folder)),
    ):
        found = list(made)
        session.add_all(found)
        session.flush()
        counts[name] = len(found)
    return counts


def _rows(path: Path, form: type[Form], groups: Groups | None = None) -> Iterator[Form]:
    """Yield the rows of a JSON list, checked; an error names the row."""
    for place, row in enumerate(read_json(path), start=1):
        yield _checked(path, place, row, form, groups)


def _checked(
    path: Path, place: int, row: Any, form: type[Form], groups: Groups | None = None
) -> Form:
    try:
        return form.model_validate(_expand(row, groups) if groups else row)
    except ValidationError as problem:
        raise _wrong(path, place, problem) from problem


def _wrong(path: Path, place: int, problem: ValidationError) -> InvalidInputError:
    first = problem.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(step) for step in first["loc"])
    return InvalidInputError(
        f"{path.name}, row {place}: {where or 'row'}: {first['msg']}", fix="mend that row"
    )


def _expand(value: Any, groups: Groups) -> Any:
    """Replace the names of country groups by their countries, wherever they stand."""
    if isinstance(value, dict):
        return {name: _expand(part, groups) for name, part in value.items()}
    if isinstance(value, list):
        return [
            item
            for part in value
            for item in (
                groups.get(part, [part]) if isinstance(part, str) else [_expand(part, groups)]
            )
        ]
    return value


def _product_row(product: Product) -> ProductRow:
    return ProductRow(
        **product.model_dump(exclude={"components", "option_groups", "units"}),
        units={str(unit): pieces for unit, pieces in product.units.items()} or None,
        sku_norm=normalised(product.sku),
        search_terms=terms_of(product),
    )


def _check_successors(products: Mapping[str, Product]) -> None:
    for product in products.values():
        _known(
            products,
            [product.successor_sku] if product.successor_sku else [],
            product.sku,
            "product",
        )


def check_bundles(products: Mapping[str, Product]) -> None:
    """Refuse bundles of unknown parts, in a circle, too deep, or with groups nobody offers.

    Raises:
        InvalidInputError: naming the bundle and what is wrong.
    """
    for product in products.values():
        _known(products, (part.sku for part in product.components), product.sku, "bundle")
        if problem := _bundle_problem(product, products):
            raise InvalidInputError(f"product {product.sku}: {problem}", fix="mend that product")


def _bundle_problem(product: Product, products: Mapping[str, Product]) -> str:
    if product.kind != "bundle":
        return "only a bundle has components" if product.components else ""
    if all(part.optional for part in product.components):
        return "a bundle needs a component that is always in it"
    skus = [part.sku for part in product.components]
    groups = {group.group for group in product.option_groups}
    named = {part.group for part in product.components if part.group is not None}
    if len(set(skus)) != len(skus):
        return "a component is named twice"
    if groups != named or len(groups) != len(product.option_groups):
        return "its option groups and those that its components name differ"
    if any(part.group is not None and not part.optional for part in product.components):
        return "only optional components are in a group"
    depth, layer = 0, {product.sku}
    while layer := {p.sku for sku in layer for p in products[sku].components}:
        depth += 1
        if depth > MAX_BUNDLE_DEPTH:
            return f"bundles inside it form a circle, or are deeper than {MAX_BUNDLE_DEPTH}"
    return ""


def _components(products: Mapping[str, Product]) -> Iterator[ComponentRow]:
    for product in products.values():
        for place, part in enumerate(product.components):
            yield ComponentRow(
                bundle_sku=product.sku,
                sku=part.sku,
                place=place,
                quantity=part.quantity,
                optional=part.optional,
                option_group=part.group,
            )


def _groups(products: Mapping[str, Product]) -> Iterator[OptionGroupRow]:
    for product in products.values():
        for place, group in enumerate(product.option_groups):
            yield OptionGroupRow(
                bundle_sku=product.sku,
                name=group.group,
                place=place,
                min_select=group.min_select,
                max_select=group.max_select,
            )


def _known(products: Mapping[str, Product], skus: Iterable[str], subject: str, file: str) -> None:
    """Refuse a row that names a SKU which is not in products.json.

    Raises:
        InvalidInputError: naming the row and the SKU.
    """
    for sku in skus:
        if sku not in products:
            raise InvalidInputError(
                f"{file} {subject!r} names {sku!r}, which products.json does not have",
                fix="name an existing SKU",
            )


def _rules(folder: Path, groups: Groups, products: Mapping[str, Product]) -> Iterator[RuleRow]:
    path = folder / "rules.json"
    for place, row in enumerate(read_json(path), start=1):
        try:
            rule = rb.RULE.validate_python(_expand(row, groups))
        except ValidationError as problem:
            raise _wrong(path, place, problem) from problem
        _known(products, skus_in(rule), rule.rule_id, "rule")
        yield RuleRow(
            rule_id=rule.rule_id, place=place, kind=rule.kind, data=rule.model_dump(mode="json")
        )


def skus_in(rule: rb.Rule) -> list[str]:
    """Return every SKU that a rule names, in its selectors, parts, plans and offers."""
    selectors = [rule.subject, rule.when]
    selectors += [getattr(rule, name, None) for name in ("targets", "per")]
    skus = [s for selector in selectors if selector for s in (*selector.skus, *selector.but_not)]
    skus += [*getattr(rule, "offer", ()), *getattr(rule, "plans", ())]
    return [*skus, *(part.sku for part in getattr(rule, "parts", ()))]


def _certificates(folder: Path, products: Mapping[str, Product]) -> Iterator[CertificateRow]:
    for row in _rows(folder / "certifications.json", rb.Certificate):
        skus = (*row.covers.skus, *row.covers.but_not)
        _known(products, skus, row.certificate_no, "certificate")
        yield CertificateRow(
            scheme=row.scheme,
            certificate_no=row.certificate_no,
            data=row.model_dump(mode="json"),
        )


def _export_lists(folder: Path, groups: Groups) -> Iterator[ExportListRow]:
    for row in _rows(folder / "export_lists.json", rb.ExportList, groups):
        yield ExportListRow(list_id=row.list_id, data=row.model_dump(mode="json"))


def _hazmat(folder: Path) -> Iterator[HazmatRow]:
    for row in _rows(folder / "hazmat.json", rb.HazmatMode):
        yield HazmatRow(un_number=row.un_number, mode=row.mode, data=row.model_dump(mode="json"))


def _ship_methods(folder: Path) -> Iterator[ShipMethodRow]:
    for place, row in enumerate(_rows(folder / "ship_methods.json", rb.ShipMethod), start=1):
        yield ShipMethodRow(method=row.method, place=place, data=row.model_dump(mode="json"))


def _zones(regions: Mapping[str, Any]) -> Iterator[ZoneRow]:
    for zone, countries in regions["ship_zones"].items():
        for country in countries:
            yield ZoneRow(country=country, zone=zone)
    yield ZoneRow(country=OTHER, zone=regions["other_zone"])


def _stock(folder: Path, products: Mapping[str, Product]) -> Iterator[StockRow]:
    path = folder / "stock.csv"
    for line, row in read_csv(path):
        filled = {name: value for name, value in row.items() if value != ""}
        checked = _checked(path, line, filled, rb.Stock)
        _known(products, [checked.sku], f"line {line}", "stock")
        yield StockRow(**checked.model_dump())


def _substitutes(folder: Path, products: Mapping[str, Product]) -> Iterator[SubstituteTable]:
    for row in _rows(folder / "substitutes.json", rb.SubstituteRow):
        _known(products, [row.sku, row.stand_in], row.sku, "substitute of")
        yield SubstituteTable(**row.model_dump())


def _goals(folder: Path, products: Mapping[str, Product]) -> Iterator[GoalRow]:
    for row in _rows(folder / "sales_goals.json", rb.SalesGoal):
        _known(products, row.scope.skus, row.note, "sales goal")
        yield GoalRow(data=row.model_dump(mode="json"))


def _vocabulary(folder: Path) -> Iterator[VocabularyRow]:
    path = folder / "synonyms.json"
    data = read_json(path)
    _checked(path, 1, data, Vocabulary)
    for part, words in data.items():
        yield VocabularyRow(part=part, data=words)
