"""Backup tasks and the runs that engines report."""
