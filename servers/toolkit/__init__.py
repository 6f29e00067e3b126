"""What every dealdesk server shares; it knows no domain."""
