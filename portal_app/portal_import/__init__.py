"""Bringing accounts, tasks, states and bills over from an existing portal."""
