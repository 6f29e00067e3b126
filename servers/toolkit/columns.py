"""Column types that give a row's values as the rules use them: exact numbers, tuples, small facts.

The database keeps integers and JSON; a row has `Decimal`s and frozen values. What a field's
annotation says (`Literal`, bounds, patterns) is how a text for it is read and checked.
"""

from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any

from pydantic import Field, PlainSerializer, TypeAdapter
from sqlalchemy import JSON, BigInteger, Dialect
from sqlalchemy.types import TypeDecorator

from servers.toolkit.money import from_micro, to_micro, trimmed

Micro = Annotated[Decimal, Field(ge=0, decimal_places=6, max_digits=18)]
"""A number of at most six decimals, as `UnitAmount` and `Quantity` keep it."""
Percent = Annotated[Decimal, Field(ge=0, le=100, decimal_places=6)]
Words = tuple[str, ...]
WordSet = Annotated[frozenset[str], PlainSerializer(sorted)]
WordLists = dict[str, Words]
Amounts = Mapping[str, Annotated[Decimal, Field(ge=0)]]
"""An amount per currency; the database keeps decimal texts."""


class UnitAmount(TypeDecorator[Decimal]):
    """A unit price, cost, rate or percentage, of two decimals or more: kept in micro units."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else to_micro(Decimal(value))

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        return None if value is None else from_micro(int(value))


class Quantity(UnitAmount):
    """A quantity, kept as integer micro units; a whole number comes back without decimals."""

    cache_ok = True

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        found = super().process_result_value(value, dialect)
        return None if found is None else trimmed(found)


class Json(TypeDecorator[Any]):
    """A value of some type, tuples and dataclasses among them, kept as JSON, None as null."""

    impl = JSON
    cache_ok = True

    def __init__(self, of: Any) -> None:
        self.of = of
        super().__init__(none_as_null=True)

    @cached_property
    def adapter(self) -> TypeAdapter[Any]:
        return TypeAdapter(self.of)

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002
        return self.plain(value)

    def plain(self, value: Any) -> Any:
        """Return plain data; fields that have their default values are left out."""
        if value is None:
            return None
        value = self.adapter.validate_python(value)
        return self.adapter.dump_python(value, mode="json", exclude_defaults=True)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002
        return as_stored(self, value)


def as_stored(column: Any, value: Any) -> Any:
    """Return a value as a column of this type gives it back, to be compared with what is there."""
    json = isinstance(column, Json) and value is not None
    return column.adapter.validate_python(value) if json else value
