"""Finance's schema history."""

HEAD = "0007_price_on_request"
