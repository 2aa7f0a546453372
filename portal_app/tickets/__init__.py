"""Support tickets: what partners ask, and what the provider's operators answer."""
