"""CRM server: accounts, opportunities and the texts that tell their story."""
