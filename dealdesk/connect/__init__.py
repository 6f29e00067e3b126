"""Put the servers into other programs' settings: which file, which entry, and how it is edited."""
