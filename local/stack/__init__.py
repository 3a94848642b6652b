"""Local AWS: the built stack, deployed by the real SAM CLI to an emulator that runs on this machine.

`python -m local.stack up` starts it, and `Stack.load()` tells programs where everything is.
"""

from local.stack.stack import Stack

__all__ = ["Stack"]
