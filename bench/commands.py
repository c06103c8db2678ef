"""Commands of the project that a benchmark runs."""

__all__ = ["last_words"]


def last_words(stderr: str) -> str:
    """What a command that failed said last: its error, which is one line."""
    return (stderr.strip() or "no word").splitlines()[-1]
