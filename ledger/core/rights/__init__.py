"""Rights: what a frame rests on, what was granted for it, and the verdict that follows. Pure."""
