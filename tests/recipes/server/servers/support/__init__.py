"""The support server: the tickets of customers."""
