"""Toll-free verification."""
