"""A stored quote as something to read: pages of text, the PDF, and UBL for machines."""
