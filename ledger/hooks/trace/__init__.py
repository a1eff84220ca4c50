"""``rakkan run -- any command``: which files a command read and wrote, seen from outside.

* A command runs as it would without us: its standard streams, exit code, signals, environment and open files
  are its own. A tracer that fails never fails the command: it runs plainly, and the record says so.
* Tracers, best first: ``strace`` (system calls, children included), ``preload`` (a small C library of ours,
  blind for static programs), ``snapshot`` (the folders before and after).
* Only what stands in the production's roots counts, and weights wherever they were read from.
* Names are kept as the system has them; what is not UTF-8 in them stands as lone surrogates (PEP 383).

Nothing but the standard library is imported, and that as late as possible: starting is what a user feels.
Unlike hooks, these files stay in Rakkan's own Python.
"""
