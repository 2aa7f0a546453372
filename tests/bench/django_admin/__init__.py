"""Django's admin over the portal's own accounts, set up as a Django user would: what `make bench` compares with."""
