"""The verifier that goes out with an evidence bundle: ``verify.pyz``, one file, no network, no Rakkan.

It is this package and the parts of ``ledger.core`` that it imports, packed by ``adapters.verifier_app``. So
it reads by the same rules as everything else here. It needs Python 3.11 and the package ``cryptography``.

* Exit code 0: all was checked and holds. 1: something was altered. 3: something that an answer needs is
  missing, such as a key to trust. 2: it was called wrongly, or what it was given is no bundle.
* Nothing is believed for standing in the bundle. What is believed comes from the command line.
* What this reader's view withholds is no gap: it is in the log, by its leaf hash, and the studio signed the
  list of what it gave.
"""
