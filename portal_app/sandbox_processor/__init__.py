"""A payment processor for trying things out: test cards only, a ledger and hosted pages of its own.

It knows nothing of the portal. It runs in the portal's process, or alone: `python -m portal_app.sandbox_processor`.
"""
