"""What each profile of a local user opens in support; `servers/profiles.py` reads it."""

READ = ("list_tickets", "get_ticket")
SALES: tuple[str, ...] = ()
ADMIN: tuple[str, ...] = ()
PERSON: tuple[str, ...] = ()
