"""ministack, with its gaps filled: what the product's template needs and ministack 1.5.33 does not do.

Each module here fills one gap and says which. tests/stack tells when a gap has closed.
"""
