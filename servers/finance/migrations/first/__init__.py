"""Finance's tables as the first migration makes them; a later change is a migration of its own."""

import sqlalchemy as sa

first = sa.MetaData()
ID = sa.String(48)
