"""``rakkan demo``: a tiny production from brush to proof, and what an attacker gets.

* Everything goes through the service functions that the other commands use; nothing has a path of its own.
* The studio, the rights holders and the licences are invented. The model's training, the pictures, the
  signatures, the log and the answers are real.
* Pictures are seeded: two runs paint the same pixels. Keys, times and digests of statements differ.
"""
