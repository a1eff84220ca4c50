"""The record that makes itself: what the tools, the files and the timelines of a production say."""
