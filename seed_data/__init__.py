"""The demo company, as files a person can read and edit."""
