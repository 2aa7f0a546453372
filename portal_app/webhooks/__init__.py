"""Webhooks: programs of a partner are told what happens."""
