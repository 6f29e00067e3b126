"""`python -m servers.finance` serves finance."""

from servers.finance.server import main

if __name__ == "__main__":
    main()
