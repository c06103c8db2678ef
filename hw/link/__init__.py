"""The host link. :mod:`hw.link.frames` is the protocol without hardware."""
