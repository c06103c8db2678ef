"""The list of benches names commands, and says of each what it measures."""

from bench import __main__ as listing


def test_every_bench_is_listed(capsys):
    assert listing.main() == 0
    lines = capsys.readouterr().out.splitlines()[2:]
    names = [line.split()[0] for line in lines]
    assert names == sorted(names)
    assert {"frontier", "processes", "sweeps"} <= set(names)
    assert not {"lines", "kept", "frontier_rows"} & set(names)
    assert all(what for _, what in listing.benches())
