"""The ways to a payment processor: one port, an adapter for each."""
