"""`python -m servers.catalog` serves the catalog."""

from servers.catalog.server import main

if __name__ == "__main__":
    main()
