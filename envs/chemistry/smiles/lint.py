"""Finds the first error of syntax in a SMILES string, and says at which character it is.

The grammar is the one that RDKit reads, without its extensions. No RDKit is needed, and the time is linear.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

ELEMENTS = frozenset(
    re.findall(
        "[A-Z][a-z]?",
        "HHeLiBeBCNOFNeNaMgAlSiPSClArKCaScTiVCrMnFeCoNiCuZnGaGeAsSeBrKrRbSrYZrNbMoTcRuRhPdAgCdInSnSbTeIXeCsBaLaCePrNd"
        "PmSmEuGdTbDyHoErTmYbLuHfTaWReOsIrPtAuHgTlPbBiPoAtRnFrRaAcThPaUNpPuAmCmBkCfEsFmMdNoLrRfDbSgBhHsMtDsRgCnNhFlMc"
        "LvTsOg",
    )
)
AROMATIC_IN_BRACKETS = frozenset(("b", "c", "n", "o", "p", "s", "se", "as", "te", "si"))

_BRACKET = re.compile(
    r"(?P<isotope>0|[1-9][0-9]{0,4})?"
    r"(?P<symbol>\*|\#[1-9][0-9]{0,2}|[A-Z][a-z]?|[a-z][a-z]?)"
    r"(?P<chirality>@(?:@|(?:TH|AL|SP|TB|OH)[0-9]{0,2})?)?"
    r"(?P<hydrogens>H(?:0|[1-9][0-9]?)?)?"
    r"(?P<charge>\+\+|--|[+-](?:0|[1-9][0-9]?)?)?"
    r"(?P<map>:(?:0|[1-9][0-9]{0,5}))?"
)
_TOKEN = re.compile(
    r"(?P<atom>Cl|Br|[BCNOPSFIbcnops*])"
    r"|(?P<bracket>\[)"
    r"|(?P<ring>[0-9]|%[1-9][0-9]|%\([0-9]{1,5}\))"
    r"|(?P<bond>->|<-|[-=\#$:/\\~])"
    r"|(?P<open>\()"
    r"|(?P<close>\))"
    r"|(?P<dot>\.)"
)


@dataclass(frozen=True)
class SmilesProblem:
    """What keeps a text from being an acceptable SMILES string."""

    message: str
    """One sentence or two, without the text itself."""

    position: int | None = None
    """The character that is to blame, counted from 1."""


@dataclass(frozen=True)
class Scan:
    """What the linter found in a text."""

    problem: SmilesProblem | None
    atoms: tuple[int, ...] = ()
    """Position, from 1, of each atom's first character. Atoms are in the order in which RDKit numbers them."""


class _Stop(Exception):
    def __init__(self, message: str, position: int):
        self.problem = SmilesProblem(message, position)


def scan(text: str) -> Scan:
    """Read a text as SMILES up to the first error of syntax."""
    scanner = _Scanner(text)
    try:
        scanner.run()
    except _Stop as stop:
        return Scan(stop.problem, tuple(scanner.atoms))
    return Scan(None, tuple(scanner.atoms))


class _Scanner:
    def __init__(self, text: str):
        self.text = text
        self.at = 0
        self.atoms: list[int] = []
        self.last: int | None = None  # atom to which the next one is bonded; None where a fragment begins
        self.bond: tuple[str, int] | None = None
        self.branches: list[tuple[int, int]] = []  # (atom, position of the parenthesis)
        self.rings: dict[int, tuple[int, int]] = {}  # label -> (atom, position)
        self.bonded: set[tuple[int, int]] = set()
        self.previous = ""  # kind of the token before: atom, ring, bond, open, open bond, close, dot

    def run(self) -> None:
        if not self.text:
            raise _Stop("the SMILES string is empty", 1)
        while self.at < len(self.text):
            self._token()
        self._end()

    def _token(self) -> None:
        match = _TOKEN.match(self.text, self.at)
        if match is None:
            raise _Stop(_unknown(self.text, self.at), self.at + 1)
        match match.lastgroup:
            case "atom":
                self._atom(len(match.group()))
            case "bracket":
                self._atom(self._bracket())
            case "ring":
                self._ring(match.group())
            case "bond":
                self._bond(match.group())
            case "open":
                self._open()
            case "close":
                self._close()
            case "dot":
                self._dot()

    def _atom(self, length: int) -> None:
        index = len(self.atoms)
        if self.last is not None:
            self.bonded.add((self.last, index))
        self.atoms.append(self.at + 1)
        self.last, self.bond, self.previous = index, None, "atom"
        self.at += length

    def _bracket(self) -> int:
        """Length of the bracket atom that begins here."""
        start = self.at
        end = self.text.find("]", start)
        if end < 0:
            raise _Stop(f"the bracket '[' at character {start + 1} is never closed", start + 1)
        inside = self.text[start + 1 : end]
        if not inside:
            raise _Stop(f"the brackets at character {start + 1} are empty", start + 1)
        match = _BRACKET.match(inside)
        if match is None:
            raise _Stop(f"the brackets at character {start + 1} hold no element symbol", start + 2)
        symbol = match["symbol"]
        if symbol[0].isalpha() and symbol not in ELEMENTS and symbol not in AROMATIC_IN_BRACKETS:
            raise _Stop(f"'{symbol}' in the brackets at character {start + 1} is no element symbol", start + 2)
        if symbol[0] == "#" and int(symbol[1:]) > 118:
            raise _Stop(f"there is no element with the number {symbol[1:]}", start + 2)
        if symbol == "H" and match["hydrogens"] and match["hydrogens"] not in ("H", "H0", "H1"):
            raise _Stop(f"the hydrogen in the brackets at character {start + 1} has too many hydrogens", start + 2)
        if match.end() < len(inside):
            place = start + 2 + match.end()
            raise _Stop(
                f"'{inside[match.end()]}' at character {place} does not belong in brackets there; the order is "
                "isotope, element, chirality, hydrogens, charge",
                place,
            )
        return end + 1 - start

    def _ring(self, token: str) -> None:
        position = self.at + 1
        label = int(token.strip("%()"))
        if self.last is None or self.previous in ("open", "open bond"):
            raise _Stop(f"the ring label at character {position} must follow an atom", position)
        if label not in self.rings:
            self.rings[label] = (self.last, position)
        else:
            other, opened = self.rings.pop(label)
            pair = (other, self.last)
            if other == self.last:
                raise _Stop(
                    f"the ring label {label} at character {position} closes onto the atom it starts at", position
                )
            if pair in self.bonded or pair[::-1] in self.bonded:
                raise _Stop(
                    f"the ring label {label}, opened at character {opened} and closed at character {position}, joins "
                    "two atoms that are bonded already",
                    position,
                )
            self.bonded.add(pair)
        self.bond, self.previous = None, "ring"
        self.at += len(token)

    def _bond(self, token: str) -> None:
        position = self.at + 1
        if self.last is None:
            raise _Stop(f"the bond '{token}' at character {position} has no atom before it", position)
        if self.bond is not None:
            raise _Stop(f"there are two bond symbols in a row at character {position}", position)
        self.bond, self.previous = (token, position), "open bond" if self.previous == "open" else "bond"
        self.at += len(token)

    def _open(self) -> None:
        position = self.at + 1
        if self.last is None or self.previous == "open":
            raise _Stop(f"the branch '(' at character {position} must follow an atom", position)
        if self.bond is not None:
            raise _Stop(f"write the bond inside the branch: after '(' at character {position}, not before it", position)
        self.branches.append((self.last, position))
        self.previous = "open"
        self.at += 1

    def _close(self) -> None:
        position = self.at + 1
        if not self.branches:
            raise _Stop(f"the parenthesis ')' at character {position} closes no branch", position)
        if self.previous in ("open", "dot"):
            raise _Stop(f"the branch that ends at character {position} has no atom at its end", position)
        self._check_bond()
        self.last, _ = self.branches.pop()
        self.previous = "close"
        self.at += 1

    def _dot(self) -> None:
        position = self.at + 1
        if self.last is None or self.previous == "open":
            raise _Stop(f"the dot at character {position} must follow an atom", position)
        self._check_bond()
        self.last, self.previous = None, "dot"
        self.at += 1

    def _check_bond(self) -> None:
        if self.bond is not None:
            token, position = self.bond
            raise _Stop(f"the bond '{token}' at character {position} has no atom after it", position)

    def _end(self) -> None:
        self._check_bond()
        if self.branches:
            position = self.branches[-1][1]
            raise _Stop(f"the branch '(' at character {position} is never closed; it needs a ')'", position)
        if self.rings:
            label, (_, position) = min(self.rings.items(), key=lambda ring: ring[1][1])
            raise _Stop(
                f"ring label {label} at character {position} is never closed; write the same label after the atom that "
                "closes the ring",
                position,
            )
        if self.previous == "dot":
            raise _Stop("the dot at the end has no atom after it", len(self.text))


def _unknown(text: str, at: int) -> str:
    character, place = text[at], f"character {at + 1}"
    if character.isspace():
        return f"white space at {place}; give the SMILES string alone, on one line"
    if character == "H":
        return (
            f"'H' at {place}: hydrogens are implicit in SMILES; leave them out, or put them in brackets with their "
            "atom, as in [nH]"
        )
    if character == "]":
        return f"the bracket ']' at {place} was never opened"
    if character == "%":
        return f"'%' at {place} must be followed by a ring label of two digits"
    if character == ">":
        return f"'>' at {place}: a molecule is asked for, not a reaction"
    if character.isascii() and character.isalpha():
        two = text[at : at + 2]
        if two in ELEMENTS:
            return f"the element '{two}' at {place} must stand in brackets: [{two}]"
        if character in ELEMENTS:
            return f"the element '{character}' at {place} must stand in brackets: [{character}]"
        return f"'{character}' at {place} is no atom symbol"
    if character.isprintable():
        return f"'{character}' at {place} has no meaning in SMILES"
    return f"an unprintable character (U+{ord(character):04X}) at {place}"
