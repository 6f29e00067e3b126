"""A stored quote as HTML, Markdown and JSON."""
