"""The parts of the second migration, one per area."""
