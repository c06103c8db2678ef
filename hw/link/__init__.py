"""The host link. :mod:`hw.link.protocol` is the protocol without hardware."""
