"""The routes of an API that is too large for one file, for a function's app.py to include.

They stand in the layer because a sibling of app.py would have two names: `people` in Lambda, where a function's folder
is the top, and `functions.compliance.people` for tests and mypy.
"""
