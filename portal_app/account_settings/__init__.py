"""Settings of a customer's account: what it is called, where it writes to, and its end."""
