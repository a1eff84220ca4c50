"""The reader's views of an audit: a page, and the lineage as a picture. They add no fact of their own."""
