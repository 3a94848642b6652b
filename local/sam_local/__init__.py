"""Every function with each of its event files, run by the real SAM CLI in real Docker, layer included.

`python -m local.sam_local` does it and fails unless every answer is the one that `events/expectations.json` names.
"""
