"""Texts and files for selling."""
