"""The registry of rights: facts as signed entries, found, checked, stated and read back."""
