"""`python -m servers.crm` serves the CRM."""

from servers.crm.server import main

if __name__ == "__main__":
    main()
