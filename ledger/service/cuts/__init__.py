"""A cut as a timeline has it: which files of the ledger it shows, and films tied to their frames."""
