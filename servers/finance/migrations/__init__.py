"""Finance's schema history."""

HEAD = "0006_price_approval"
