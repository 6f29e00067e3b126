"""The CRM's queries and writes, one module per subject; every query is narrowed by the grant."""
