"""Work on bytes that nobody trusts, each in a process of its own that can do little and costs little.

``Workers`` is the side of the server, ``zygote`` the process that forks one child for each job, ``child``
what the child does to itself before it works, ``kernel`` what it asks of the operating system.
"""

from ledger.adapters.isolation.limits import Limits
from ledger.adapters.isolation.workers import Workers

__all__ = ["Limits", "Workers"]
