"""The reading tools that `servers.toolkit.direct` may ask: session in, answer out."""

from servers.finance.store import listed_quotes

READS = {"list_quotes": listed_quotes.page}
