"""Write the tables of fields in docs/format.md from the declarations in ir/."""

import re
from pathlib import Path

from bitwright import ir
from bitwright.ir.fields import Size

__all__ = ["PAGE", "main", "with_tables"]

PAGE = Path(__file__).parents[2] / "docs" / "format.md"


def table(fields, prefix=""):
    """Text of one table."""
    lines = ["| field | on file | shape | range |", "|---|---|---|---|"]
    for field in fields:
        name = field.name if isinstance(field, Size) else prefix + field.name
        lines.append(f"| `{name}` | {' | '.join(field.describe())} |")
    return "".join(f"{line}\n" for line in lines)


def with_tables(page):
    """The page, with the first table behind the heading of each kind made anew.

    Raises
    ------
    ValueError
        If a kind has no section with a table, or a section no kind.
    """
    kinds = {**ir.Node.kinds, **ir.Preparation.kinds}
    tables = {f"### `{kind}`": table(cls.fields) for kind, cls in kinds.items()}
    tables["Golden vectors are"] = table(ir.Golden.fields, "GOLDEN.")
    tables["A file with the tensors of an answer"] = table(ir.Answer.fields, "ANSWER.")
    sections = re.findall(r"^### `.*?`", page, re.MULTILINE)
    unknown = set(sections) ^ {heading for heading in tables if heading[0] == "#"}
    if unknown:
        raise ValueError(f"Sections must be those of the kinds; these differ: {sorted(unknown)}")
    for heading, text in tables.items():
        pattern = rf"({re.escape(heading)}(?:[^\n]|\n(?![#|]))*\n)(?:\|[^\n]*\n)+"
        page, count = re.subn(pattern, lambda found, text=text: found[1] + text, page, count=1)
        if not count:
            raise ValueError(f"{heading} must have a table")
    return page


def main():
    PAGE.write_text(with_tables(PAGE.read_text()))


if __name__ == "__main__":
    main()
