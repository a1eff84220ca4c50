"""The inventories of datasets: built from a list, kept as an index, asked for proofs, checked again."""
