"""The PLL of each family, one file each: what it makes of a clock, within the vendor's limits."""
