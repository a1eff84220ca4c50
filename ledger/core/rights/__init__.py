"""Rights: what a frame rests on, what was granted for it, and the verdict that follows. Pure."""

# A verdict is a statement that holds answers, and answers hold words of other statements. So that any module
# here can be imported first, the statements are.
import ledger.core.predicates  # noqa: F401 - for its effect
