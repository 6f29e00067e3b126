"""Finance's schema history."""

HEAD = "0003_person_proof"
