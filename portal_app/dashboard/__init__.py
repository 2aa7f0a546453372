"""The first page: how all customers are."""
