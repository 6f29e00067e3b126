"""The rows of seed files and imported files, checked before anything is written."""
