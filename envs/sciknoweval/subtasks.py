"""What SciKnowEval's questions ask for: they are made from a few templates, told apart by their words."""

from __future__ import annotations

import re
from dataclasses import dataclass

DOMAINS = ("chemistry", "physics", "biology", "materials")


@dataclass(frozen=True)
class Subtask:
    """One kind of question."""

    name: str
    domain: str
    pattern: str
    """A regular expression that the question's text matches, and that of no subtask above it in `SUBTASKS` does."""

    hint: str
    """How such a question is answered, in one or two sentences."""


SUBTASKS = (
    Subtask(
        "molar_weight_smiles",
        "chemistry",
        r"molar weight.*SMILES",
        "Count the atoms of each element in the SMILES, with the hydrogens that it leaves out, and add up their atomic "
        "weights.",
    ),
    Subtask(
        "molar_weight_name",
        "chemistry",
        r"molar weight.*IUPAC",
        "Draw the structure from the name, count the atoms of each element, and add up their atomic weights.",
    ),
    Subtask(
        "counts_smiles",
        "chemistry",
        r"How many .* molecule with the.* SMILES",
        "Go through the SMILES atom by atom. Donors are N-H and O-H groups; acceptors are atoms with a free lone pair, "
        "mostly N and O; bonds that rotate are single, not in a ring, and not at the end of a chain.",
    ),
    Subtask(
        "counts_name",
        "chemistry",
        r"How many .* molecule with the.* IUPAC",
        "Draw the structure from the name, and go through it atom by atom. Heavy atoms are all but hydrogen.",
    ),
    Subtask(
        "solubility",
        "chemistry",
        r"logarithmic solubility",
        "Carbon and halogens, aromatic rings and size lower the solubility in water; groups that form hydrogen bonds "
        "or carry charge raise it.",
    ),
    Subtask(
        "lipophilicity",
        "chemistry",
        r"distribution coefficient logD",
        "Carbon, halogens and aromatic rings raise logD; polar groups lower it, and so do acids and amines that are "
        "charged at pH 7.4.",
    ),
    Subtask(
        "retrosynthesis",
        "chemistry",
        r"(the only correct|NOT the) reactant used in the synthesis",
        "Find the bond that one reaction step makes, or the group that it changes: the rest of the product is in the "
        "reactant already.",
    ),
    Subtask(
        "reaction_prediction",
        "chemistry",
        r"reactants and reagents",
        "Find out which groups of the reactants react with each other: the rest of them is in the product unchanged.",
    ),
    Subtask(
        "protein_fitness",
        "biology",
        r"wide-type protein sequence",
        "Find the four positions that differ, and judge what each change does to fold and binding.",
    ),
    Subtask(
        "fluorescence",
        "biology",
        r"\bavGFP\b",
        "Compare the sequences position by position: the more changes, and the closer to the chromophore, the dimmer.",
    ),
    Subtask(
        "beta_lactamase_activity",
        "biology",
        r"beta-lactamase activity",
        "Find where the mutants differ: changes at the active site, or of a buried residue, cost the most activity.",
    ),
    Subtask(
        "protein_interaction",
        "biology",
        r"relationship between protein",
        "Recall what the two proteins are, and which kind of interaction is known between them.",
    ),
    Subtask(
        "folding_stability",
        "biology",
        r"stability score",
        "Judge by the pattern of hydrophobic and polar residues, and by helix or strand breakers.",
    ),
    Subtask(
        "diffusion_rate",
        "materials",
        r"diffusion barrier",
        "The lower the barrier, the faster the diffusion. Mind the sign of the numbers.",
    ),
    Subtask(
        "lattice_volume",
        "materials",
        r"crystal structure parameters",
        "V = a·b·c·√(1 − cos²α − cos²β − cos²γ + 2·cosα·cosβ·cosγ), which is a·b·c where all angles are 90°.",
    ),
    Subtask(
        "valence_electron_difference",
        "materials",
        r"valence electron difference|NValance_composition_average",
        "Compute the difference of the two given averages for each material, and compare.",
    ),
    Subtask(
        "perovskite_stability",
        "materials",
        r"perovskite",
        "Compare the materials by each of the properties that the question names.",
    ),
    Subtask(
        "high_school_physics",
        "physics",
        r"\AQuestion: ",
        "Write down the law that connects the given quantities, convert all of them to SI units, and compute.",
    ),
    Subtask(
        "general_physics",
        "physics",
        r"",
        "Write down the law that connects the given quantities, convert all of them to SI units, and compute.",
    ),
)

_PATTERNS = [(re.compile(subtask.pattern, re.DOTALL), subtask) for subtask in SUBTASKS]


def subtask_of(question: str) -> Subtask:
    """Which kind of question it is; `general_physics` if it is none of the others."""
    return next(subtask for pattern, subtask in _PATTERNS if pattern.search(question))
