"""What rules read and return does not change under them: which classes may is named here."""

import importlib
import pkgutil
from dataclasses import is_dataclass
from types import ModuleType

import servers.finance

CHANGING = {
    *("Work", "UnitPrice", "Choice", "Term", "Freight", "Charges", "ByHand", "Promoted", "State"),
    *("Outcome", "Lookup", "ImportWatch"),
}
"""What is on its way through the waterfall, or adds things up."""


def modules() -> list[ModuleType]:
    found = pkgutil.walk_packages(servers.finance.__path__, "servers.finance.")
    names = [one.name for one in found if "migrations" not in one.name]
    return [importlib.import_module(name) for name in names if not name.endswith("__main__")]


def test_every_fact_and_result_is_frozen() -> None:
    thawed = {
        value.__name__
        for module in modules()
        for value in vars(module).values()
        if isinstance(value, type)
        and value.__module__ == module.__name__
        and is_dataclass(value)
        and not value.__dataclass_params__.frozen  # type: ignore[attr-defined]
    }
    assert thawed == CHANGING
