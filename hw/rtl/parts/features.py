"""Features side by side in a word, as comparisons take them."""

__all__ = ["features"]


def features(word, modulate):
    """The features of a word, unsigned: each as its distance from the smallest value.

    So one unsigned comparison serves both forms.

    Parameters
    ----------
    word : Value
        Feature after feature, the first in the least significant bits.
    modulate : ir.Modulate
        Says how many bits a feature has, and whether they are in two's complement.

    Returns
    -------
    list of Value
    """
    flip = 1 << modulate.bits - 1 if modulate.signed else 0
    return [word[start : start + modulate.bits] ^ flip
            for start in range(0, len(word), modulate.bits)]
