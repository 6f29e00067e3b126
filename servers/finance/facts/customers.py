"""Who buys, with addresses, tax numbers and exemption certificates."""

from dataclasses import dataclass

from servers.finance.facts.windows import Window


@dataclass(frozen=True)
class TaxId:
    """A tax number of the customer and the day somebody verified it."""

    scheme: str
    country: str
    value: str
    verified_at: str | None


@dataclass(frozen=True)
class Exemption:
    """A tax exemption certificate; it counts only while verified and unexpired."""

    certificate_id: str
    jurisdictions: tuple[str, ...]
    reason: str
    number: str
    window: Window
    status: str
    reason_code: str = ""


@dataclass(frozen=True)
class Address:
    """A postal address on file."""

    address_id: str
    kind: str
    lines: tuple[str, ...]
    city: str
    region: str
    postal_code: str
    country: str

    @property
    def state(self) -> str:
        """Its region without the country: US-TX and TX are TX."""
        return self.region.removeprefix(f"{self.country}-")


@dataclass(frozen=True)
class Customer:
    """Who buys. `family_tree` is the account and its parents, nearest first."""

    account_id: str
    legal_name: str
    country: str
    kind: str
    channel: str
    currency: str
    payment_terms_code: str
    family_tree: tuple[str, ...]
    tax_ids: tuple[TaxId, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    addresses: tuple[Address, ...] = ()
    segment: str = ""
    language: str = ""
    industry: str = ""

    def address(self, address_id: str) -> Address | None:
        return next((a for a in self.addresses if a.address_id == address_id), None)
