"""From a SMILES string to a molecule, behind guards that keep RDKit from hanging.

RDKit's parser and ring perception can take minutes on hostile strings of 160 characters, holding Python's lock. So
nothing but linear work is done before length, atoms and rings are bounded. Messages come from the linter and from
RDKit's structured problems, never from its log, which all threads of a process share.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cached_property, lru_cache

from rdkit import Chem, DataStructs, rdBase
from rdkit.Chem import rdFingerprintGenerator

from envs.chemistry.molecules.formula import Formula
from envs.chemistry.smiles.lint import SmilesProblem, scan
from envs.chemistry.smiles.motifs import odd_motif

MAX_LENGTH = 200
MAX_HEAVY_ATOMS = 60
MAX_RINGS = 8
"""Independent cycles. Beyond about 12, ring perception can take exponential time."""

MAX_RING_SIZE = 12
ELEMENTS = ("B", "C", "N", "O", "F", "P", "S", "Cl", "Br", "I")

_USUAL_BONDS = {"B": 3, "C": 4, "N": 3, "O": 2, "F": 1, "P": 5, "S": 6, "Cl": 1, "Br": 1, "I": 1, "H": 1}

_CHARGES = "charges are allowed only within nitro groups, N-oxides, azides and isonitriles"
_COLON = "the aromatic bond ':' joins atoms that are not aromatic"
_NO_SENSE = "no sensible molecule has this structure"

_PARAMETERS = Chem.SmilesParserParams()
_PARAMETERS.sanitize = False
_PARAMETERS.removeHs = False
_PARAMETERS.allowCXSMILES = False
_PARAMETERS.parseName = False
_PARAMETERS.strictCXSMILES = True

_FINGERPRINTS = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
_POSITIVE = Chem.MolFromSmarts("[$([N+](=O)[O-]),$([NX4+][O-]),$([n+][O-]),$([N+]=[N-]),$([N+]#[C-]),$([N-]=[N+])]")
_AZIDE = Chem.MolFromSmarts("[NX2-]-[NX2+]#[NX1+0]")
_NEGATIVE = Chem.MolFromSmarts("[$([O-][N+]),$([O-][n+]),$([N-]=[N+]),$([C-]#[N+])]")


class Molecule:
    """A valid molecule, with what is computed from it on demand. Stereochemistry is left out."""

    def __init__(self, smiles: str, mol: Chem.Mol):
        self.smiles = smiles
        self.mol = mol
        self.cache: dict[str, object] = {}
        """For functions elsewhere that compute something of the molecule."""

    @cached_property
    def canonical(self) -> str:
        """The same for all SMILES of this molecule, within one version of RDKit."""
        return Chem.MolToSmiles(self.mol, isomericSmiles=False)

    @cached_property
    def identity(self) -> str:
        """The same for all SMILES of this molecule, whatever the version of RDKit; few molecules share one.

        An atom is told from others by its element, hydrogens and charge, and by its neighbours, and theirs, and theirs
        (the colours of Weisfeiler and Lehman).
        """
        atoms = self.mol.GetAtoms()
        colours = [f"{atom.GetSymbol()} {atom.GetTotalNumHs()} {atom.GetFormalCharge()}" for atom in atoms]
        neighbours = [[other.GetIdx() for other in atom.GetNeighbors()] for atom in atoms]
        for _ in range(3):
            colours = [
                _digest([colour, *sorted(colours[other] for other in others)])
                for colour, others in zip(colours, neighbours, strict=True)
            ]
        return _digest(sorted(colours))

    @cached_property
    def formula(self) -> Formula:
        return Formula.of(self.mol)

    @cached_property
    def rings(self) -> int:
        """Independent cycles."""
        return self.mol.GetNumBonds() - self.mol.GetNumAtoms() + 1

    @property
    def heavy_atoms(self) -> int:
        return self.mol.GetNumAtoms()

    @cached_property
    def fingerprint(self) -> DataStructs.ExplicitBitVect:
        return _FINGERPRINTS.GetFingerprint(self.mol)

    def similarity(self, other: Molecule) -> float:
        """Tanimoto similarity of Morgan fingerprints of radius 2 (ECFP4-like), 0 … 1."""
        return DataStructs.TanimotoSimilarity(self.fingerprint, other.fingerprint)


def _digest(words: Iterable[str]) -> str:
    return hashlib.sha256("|".join(words).encode()).hexdigest()[:16]


@lru_cache(maxsize=4096)
def read_molecule(text: str) -> Molecule | SmilesProblem:
    """The molecule that a SMILES string stands for, or what is wrong with the string or with the molecule."""
    if len(text) > MAX_LENGTH:
        return SmilesProblem(f"the answer has {len(text)} characters; at most {MAX_LENGTH} are read as SMILES")
    found = scan(text)
    if found.problem is not None:
        return found.problem
    with rdBase.BlockLogs():  # else every invalid molecule prints a message
        return _read(text, found.atoms)


def _read(text: str, atoms: tuple[int, ...]) -> Molecule | SmilesProblem:
    """The same of a string in which the linter finds nothing."""
    mol = Chem.MolFromSmiles(text, _PARAMETERS)
    if mol is None:  # the linter let something pass
        return SmilesProblem("this is not a valid SMILES string")
    problem = _graph_problem(text, mol) or _sanitize(text, mol, atoms)
    if problem is None and "[" in text:
        mol = _without_hydrogens(mol)
        problem = _charge_problem(mol) if mol is not None else SmilesProblem(_NO_SENSE)
    return problem or _shape_problem(text, mol) or Molecule(text, mol)


def molecule(text: str) -> Molecule:
    """The molecule of a SMILES string of our own.

    Raises:
        ValueError: the string is not acceptable.
    """
    read = read_molecule(text)
    if isinstance(read, SmilesProblem):
        raise ValueError(f"{text!r} is no acceptable SMILES string: {read.message}")
    return read


def _graph_problem(text: str, mol: Chem.Mol) -> SmilesProblem | None:
    """What can be said of the bare graph, in linear time."""
    brackets = "[" in text or "*" in text  # only there can be hydrogens, other elements, isotopes and labels
    heavy = sum(atom.GetAtomicNum() > 1 for atom in mol.GetAtoms()) if brackets else mol.GetNumAtoms()
    if heavy > MAX_HEAVY_ATOMS:
        return SmilesProblem(
            f"the molecule has {heavy} atoms other than hydrogen; at most {MAX_HEAVY_ATOMS} are allowed"
        )
    fragments = len(Chem.GetMolFrags(mol)) if "." in text else 1
    rings = mol.GetNumBonds() - mol.GetNumAtoms() + fragments
    if rings > MAX_RINGS:
        return SmilesProblem(f"the molecule has {rings} rings; at most {MAX_RINGS} are allowed")
    if fragments > 1:
        return SmilesProblem(f"one molecule is asked for, but the dot separates {fragments} of them")
    if any(sign in text for sign in "~$<>"):
        return SmilesProblem("only single, double, triple and aromatic bonds are allowed")
    if not heavy:
        return SmilesProblem("the molecule has no atom other than hydrogen")
    problems = map(_atom_problem, mol.GetAtoms()) if brackets else ()
    return next((SmilesProblem(problem) for problem in problems if problem), None)


def _atom_problem(atom: Chem.Atom) -> str | None:
    symbol = atom.GetSymbol()
    if atom.GetAtomicNum() == 0:
        return "'*' stands for any atom; write the atom itself"
    if symbol != "H" and symbol not in ELEMENTS:
        return f"the element {symbol} is not allowed; use {', '.join(ELEMENTS)}"
    if atom.GetIsotope():
        return "isotope labels are not allowed"
    if abs(atom.GetFormalCharge()) > 1:
        return _CHARGES
    if atom.GetAtomMapNum():
        return "atom-map labels (the number after ':' in brackets) are not allowed"
    if symbol == "H" and atom.GetDegree() != 1:
        return "a hydrogen atom has exactly one bond"
    return None


def _write_azides_alike(mol: Chem.Mol) -> bool:
    """Whether there was one as R[N-][N+]#N, which is RN=[N+]=[N-] in other words, and is now that."""
    azides = mol.GetSubstructMatches(_AZIDE)
    for first, middle, last in azides:
        mol.GetAtomWithIdx(first).SetFormalCharge(0)
        mol.GetAtomWithIdx(last).SetFormalCharge(-1)
        for end in (first, last):
            mol.GetBondBetweenAtoms(middle, end).SetBondType(Chem.BondType.DOUBLE)
    return bool(azides)


def _sanitize(text: str, mol: Chem.Mol, positions: tuple[int, ...]) -> SmilesProblem | None:
    """Have RDKit complete the molecule, in place; or say why it cannot."""
    if "P" in text:  # RDKit 2023.09 lets phosphorus have seven bonds
        for atom in mol.GetAtoms():
            if atom.GetSymbol() == "P" and _bonds(atom) > _USUAL_BONDS["P"]:
                return _valence_message(atom, positions)
    try:
        Chem.SanitizeMol(mol)
        if _write_azides_alike(mol):
            Chem.SanitizeMol(mol)
        return None
    except (Chem.MolSanitizeException, ValueError, RuntimeError):
        mol = Chem.MolFromSmiles(text, _PARAMETERS)  # sanitizing left it half done
    lone = _aromatic_outside_rings(mol)
    if lone is not None:
        message = f"the lower-case (aromatic) atom at character {positions[lone]} is not in a ring"
        return SmilesProblem(message, positions[lone])
    problems = Chem.DetectChemistryProblems(mol)
    kind = problems[0].GetType() if problems else ""
    if kind == "AtomValenceException":
        return _valence_message(mol.GetAtomWithIdx(problems[0].GetAtomIdx()), positions)
    if kind == "KekulizeException":
        indices = _faulty_aromatics(mol)
        if not indices:
            return SmilesProblem(_COLON)
        first, last = positions[indices[0]], positions[indices[-1]]
        return SmilesProblem(
            f"no alternating single and double bonds can be assigned to the {len(indices)} lower-case (aromatic) atoms "
            f"between characters {first} and {last}; an aromatic ring of five needs one o, s or [nH]",
            first,
        )
    return SmilesProblem(_NO_SENSE)


def _aromatic_outside_rings(mol: Chem.Mol) -> int | None:
    """The first such atom. RDKit 2023.09 cannot be asked for problems of a molecule that has one."""
    rings = Chem.Mol(mol)
    Chem.FastFindRings(rings)
    return next((a.GetIdx() for a in rings.GetAtoms() if a.GetIsAromatic() and not a.IsInRing()), None)


def _faulty_aromatics(mol: Chem.Mol) -> list[int]:
    """Atoms of the first aromatic system that has no Kekulé structure. Versions of RDKit name different ones."""
    systems = Chem.RWMol(mol)
    for bond in mol.GetBonds():
        if not bond.GetIsAromatic():
            systems.RemoveBond(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())
    aromatic = [list(found) for found in Chem.GetMolFrags(systems) if mol.GetAtomWithIdx(found[0]).GetIsAromatic()]
    for indices in aromatic:
        alone = Chem.RWMol(mol)
        for atom in alone.GetAtoms():
            atom.SetIsAromatic(atom.GetIdx() in indices)
        for bond in alone.GetBonds():
            if bond.GetIsAromatic() and bond.GetBeginAtomIdx() not in indices:
                bond.SetIsAromatic(False)
                bond.SetBondType(Chem.BondType.SINGLE)
        alone.UpdatePropertyCache(strict=False)
        try:
            Chem.Kekulize(alone)
        except (Chem.MolSanitizeException, ValueError, RuntimeError):
            return indices
    return sorted(i for indices in aromatic for i in indices)


def _bonds(atom: Chem.Atom) -> float:
    return sum(bond.GetBondTypeAsDouble() for bond in atom.GetBonds()) + atom.GetNumExplicitHs()


def _valence_message(atom: Chem.Atom, positions: tuple[int, ...]) -> SmilesProblem:
    symbol, position = atom.GetSymbol(), positions[atom.GetIdx()]
    bonds = _bonds(atom)
    neighbours = ", ".join(other.GetSymbol() for other in atom.GetNeighbors())
    usual = _USUAL_BONDS[symbol]
    charge = f" with charge {atom.GetFormalCharge():+d}" if atom.GetFormalCharge() else ""
    allowed = "has another number of bonds" if charge else f"has at most {usual}"
    return SmilesProblem(
        f"the atom {symbol}{charge} at character {position} has {bonds:g} bonds in all"
        + (f" (to {neighbours}, multiple bonds counted)" if neighbours else "")
        + f", but such an atom {allowed}",
        position,
    )


def _without_hydrogens(mol: Chem.Mol) -> Chem.Mol | None:
    """The molecule with hydrogens that are written as atoms made implicit."""
    try:
        return Chem.RemoveHs(mol, updateExplicitCount=True)
    except (Chem.MolSanitizeException, ValueError, RuntimeError):
        return None


def _charge_problem(mol: Chem.Mol) -> SmilesProblem | None:
    if any(atom.GetNumRadicalElectrons() for atom in mol.GetAtoms()):
        return SmilesProblem(
            "an atom in brackets lacks hydrogens, so the molecule is a radical; name them, as in [CH3]"
        )
    charged = {atom.GetIdx() for atom in mol.GetAtoms() if atom.GetFormalCharge()}
    if charged:
        allowed = {i for pattern in (_POSITIVE, _NEGATIVE) for (i,) in mol.GetSubstructMatches(pattern)}
        if charged - allowed or Chem.GetFormalCharge(mol):
            return SmilesProblem(_CHARGES)
    return None


def _shape_problem(text: str, mol: Chem.Mol) -> SmilesProblem | None:
    """What a chemist would object to in a molecule that is formally valid."""
    if ":" in text and any(b.GetBondType() == Chem.BondType.AROMATIC and not b.GetIsAromatic() for b in mol.GetBonds()):
        return SmilesProblem(_COLON)
    largest = max((len(ring) for ring in mol.GetRingInfo().AtomRings()), default=0)
    if largest > MAX_RING_SIZE:
        return SmilesProblem(f"the molecule has a ring of {largest} atoms; rings have at most {MAX_RING_SIZE}")
    motif = odd_motif(mol)
    if motif:
        return SmilesProblem(f"the molecule has {motif}, which a chemist would not accept here")
    return None
