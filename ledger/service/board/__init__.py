"""The board of a production: what stands how now, shot by shot, what changed, and what happens."""
