"""List the recipes, or write a first one for a data set: python -m model.catalogue."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bitwright.command import add_data_dir, guarded

PURPOSE = """\
# A first recipe for {data}, by rules of thumb: docs/own-data.md has them.
# Train with it: bitwright train {path}
"""


def parser() -> argparse.ArgumentParser:
    """Command line of the program."""
    parser = argparse.ArgumentParser(prog="bitwright recipes", description=(
        "List the recipes that come with the package, or write a first one for a data set."))
    parser.add_argument("action", metavar="new", nargs="?", choices=["new"],
        help="write a recipe (default: list those there are)")
    parser.add_argument("--data", metavar="DATA",
        help="what the new one is for: a table, a .npz file, a folder or zip file of class "
             "folders, openml:NUMBER, or the name of a data set")
    parser.add_argument("--source", metavar="KEY=VALUE", action="append", default=[],
        help="how the file is read, such as label=state; may be repeated")
    add_data_dir(parser)
    parser.add_argument("--out", metavar="FILE", type=Path,
        help="where it goes (default: the name of the data, with .toml)")
    parser.add_argument("--force", action="store_true", help="replace the file that is there")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command. Returns 0 if it did what was asked, else 1."""
    args = parser().parse_args(argv)
    return guarded(lambda: new(args) if args.action else show(args))


def show(args: argparse.Namespace) -> None:
    """Print names and purposes of the recipes.

    Raises
    ------
    UsageError
        If there are arguments that only a new one has.
    """
    from bitwright.errors import UsageError
    from bitwright.model.recipe import FOLDER, recipe_names

    if args.data or args.source or args.out:
        raise UsageError("--data, --source and --out are for a new recipe: recipes new --data DATA")
    width = max(map(len, recipe_names()))
    for name in recipe_names():
        first = (FOLDER / f"{name}.toml").read_text(encoding="utf-8").partition("\n")[0]
        sys.stdout.write(f"{name:<{width}}  {first.lstrip('# ')}\n")


def new(args: argparse.Namespace) -> None:
    """Write a recipe.

    Raises
    ------
    UsageError
        If no data set is named, or a setting of the source is none.
    UserError
        If the data cannot be used, or the file is there already.
    """
    import tomli_w

    from bitwright import data, files
    from bitwright.errors import UsageError, UserError
    from bitwright.model.proposal import named, propose

    if not args.data:
        raise UsageError("recipes new needs --data DATA")
    try:
        source = data.Source.of(args.source)
    except ValueError as error:
        raise UsageError(f"--source: {error}") from error
    path = args.out or Path(f"{named(args.data)}.toml")
    if path.exists() and not args.force:
        raise UserError(f"{path}: is there already; --force replaces it, --out names another file")
    recipe = propose(data.load(args.data, args.data_dir, source), source)
    shown = args.data if args.data.isprintable() else ascii(args.data)
    head = PURPOSE.format(data=shown, path=path.name)
    files.write_atomic(path, f"{head}\n{tomli_w.dumps(recipe)}")
    sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    sys.exit(main())
