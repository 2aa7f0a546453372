"""A customer's own users, in the customer's account."""
