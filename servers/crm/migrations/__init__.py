"""The CRM's schema history."""

HEAD = "0008_need_quantity"
