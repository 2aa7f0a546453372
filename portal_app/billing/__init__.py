"""Billing: prices, subscriptions, bills, payments."""
