"""Clauses, payment terms, credit, screening and risk; all pure."""
