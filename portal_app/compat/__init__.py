"""The API of an existing portal, read-only: what talks to such a one reads this one."""
