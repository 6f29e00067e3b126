"""Catalog server: products, compatibility, regions, availability and shipping."""
