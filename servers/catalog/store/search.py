"""Full-text search over products, on SQLite (FTS5) and PostgreSQL, behind one function."""

import re
from typing import Literal

from sqlalchemy import text
from sqlmodel import Session, col, select

from servers.catalog.phrases import plain, words_of
from servers.catalog.schemas import Product
from servers.catalog.tables import ProductRow

_FTS5 = text(
    "SELECT product.id FROM product_fts JOIN product ON product.id = product_fts.rowid "
    "WHERE product_fts MATCH :query AND (:family = '' OR product.family = :family) "
    "ORDER BY bm25(product_fts, 10.0, 5.0, 1.0), product.sku LIMIT :most"
)
_POSTGRES = text(
    "SELECT id FROM product, to_tsquery('simple', :query) AS asked "
    "WHERE search_vector @@ asked AND (:family = '' OR family = :family) "
    "ORDER BY ts_rank(search_vector, asked) DESC, sku LIMIT :most"
)
MOST = 2000
MAX_WORDS = 24


def normalised(sku: str) -> str:
    """Return a SKU as it is compared: upper case, letters and digits only."""
    return re.sub(r"[^A-Z0-9]", "", sku.upper())


def terms_of(product: Product) -> str:
    """Return the words to index beside name and description: SKU, aliases, singulars, numbers."""
    pieces = [product.sku, normalised(product.sku), product.family]
    pieces += [*product.aliases, *product.specials]
    for name, value in product.attributes.items():
        label = name.replace("_", " ")
        if value is True:
            pieces.append(label)
        elif value is not False:
            shown = " ".join(value) if isinstance(value, list) else str(value)
            pieces += [label, shown]
    spoken = " ".join(pieces)
    return " ".join(dict.fromkeys([*plain(spoken).split(), *words_of(f"{product.name} {spoken}")]))


def find_ids(
    session: Session,
    words: list[str],
    *,
    how: Literal["all", "any"],
    family: str = "",
    most: int = MOST,
) -> list[int]:
    """Return the ids of the products that hold the words (or beginnings), the best first.

    Anything but letters and digits is dropped, so no word can be read as an operator of the
    query language. An empty family is every one.
    """
    clean = [w for w in (re.sub(r"[^a-z0-9]", "", plain(word)) for word in words) if w]
    clean = list(dict.fromkeys(clean))[:MAX_WORDS]
    if not clean:
        return []
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        search, query = _FTS5, (" " if how == "all" else " OR ").join(f'"{w}"*' for w in clean)
    else:
        search, query = _POSTGRES, (" & " if how == "all" else " | ").join(f"{w}:*" for w in clean)
    rows = connection.execute(search, {"query": query, "family": family, "most": most})
    return [int(row[0]) for row in rows]


def find_by_sku(session: Session, written: str, *, family: str = "") -> list[int]:
    """Return the products whose SKU is, or begins with, what was written; the exact one first."""
    norm = normalised(written)
    if len(norm) < 3:
        return []
    statement = select(ProductRow.id, ProductRow.sku_norm).where(
        col(ProductRow.sku_norm).startswith(norm, autoescape=True)
    )
    if family:
        statement = statement.where(ProductRow.family == family)
    rows = session.exec(statement.order_by(ProductRow.sku_norm).limit(MOST)).all()
    return [i for i, n in sorted(rows, key=lambda r: (r[1] != norm, r[1])) if i is not None]
