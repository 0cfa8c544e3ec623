"""Does any SMILES string hang or crash the reader? python tests/benchmarks/chemistry_hostile_smiles.py

Strings that take RDKit seconds to minutes, deep nests, long chains, cages, mutated molecules and noise, each read in
this process; the slowest are printed. Also how often the linter and RDKit's parser agree on mutated molecules.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from mutated_smiles import ALPHABET, mutated, parses  # noqa: E402

from envs.chemistry.molecules.pool import real_smiles  # noqa: E402
from envs.chemistry.smiles.lint import scan  # noqa: E402
from envs.chemistry.smiles.read import MAX_LENGTH, Molecule, read_molecule  # noqa: E402

LIMIT_S = 0.3


def _cycloparaphenylene(rng: random.Random) -> str:
    """A ring of six-membered rings: the number of cycles doubles with each of them."""
    atom = rng.choice("cCnN")
    unit = f"{atom}1{atom * 3}({atom * 2}1)"
    return f"{atom}12{atom * 3}({atom * 2}1)" + unit * rng.randint(1, 16) + f"{atom}1{atom * 3}2{atom * 2}1"


def _cage(rng: random.Random) -> str:
    """Atoms with many ring labels."""
    labels = [str(n) for n in range(1, 10)] + [f"%{n}" for n in range(10, 30)]
    text = ""
    for _ in range(rng.randint(3, 40)):
        text += rng.choice("CNcnOS") + "".join(rng.sample(labels, rng.randint(0, 4)))
    return text


def _nest(rng: random.Random) -> str:
    depth = rng.randint(1, 98)
    return "C" + "(C" * depth + ")" * (depth if rng.random() < 0.7 else rng.randint(0, depth))


def _chain(rng: random.Random) -> str:
    return rng.choice(
        ("C", "c1ccccc1", "C1CC1", "N", "C=C", "[CH2]", "C(C)(C)", "C#C", "c1ccccc1-", "O")
    ) * rng.randint(1, 200)


def _brackets(rng: random.Random) -> str:
    inside = "".join(rng.choice("0123456789CHNOFe@+-:*#") for _ in range(rng.randint(0, 12)))
    return "C" * rng.randint(0, 3) + f"[{inside}]" * rng.randint(1, 10)


def _noise(rng: random.Random) -> str:
    return "".join(rng.choice(ALPHABET + " \t\x00é²\u200b") for _ in range(rng.randint(0, MAX_LENGTH + 10)))


def _molecule(rng: random.Random) -> str:
    return mutated(rng, real_smiles(rng, 40))


def _joined(rng: random.Random) -> str:
    return ".".join(real_smiles(rng, 12) for _ in range(rng.randint(2, 20)))


KINDS = (_cycloparaphenylene, _cage, _nest, _chain, _brackets, _noise, _molecule, _joined)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--strings", type=int, default=60_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    times: list[tuple[float, str]] = []
    read = Counter()
    for i in range(options.strings):
        kind = KINDS[i % len(KINDS)]
        text = kind(rng)
        start = time.process_time()
        found = read_molecule.__wrapped__(text)  # not from its cache
        if isinstance(found, Molecule):
            found.canonical, found.fingerprint  # noqa: B018  (what checks go on to do)
            read[kind.__name__] += 1
        times.append((time.process_time() - start, text))
    times.sort(reverse=True)
    slow = sum(seconds > LIMIT_S for seconds, _ in times)
    print(
        f"{len(times)} hostile strings, seed {options.seed}: median {times[len(times) // 2][0] * 1e3:.2f} ms, "
        f"slowest {times[0][0] * 1e3:.1f} ms, above {LIMIT_S} s: {slow}"
    )
    print("read as molecules: " + ", ".join(f"{kind.__name__[1:]} {read[kind.__name__]}" for kind in KINDS))
    for seconds, text in times[:3]:
        print(f"{seconds * 1e3:8.1f} ms  {text[:90]!r}")

    texts = [text for text in (_molecule(rng) for _ in range(options.strings)) if not text[:1].isspace()]
    different = [text for text in texts if (scan(text).problem is None) != parses(text)]
    valid = sum(map(parses, texts)) / len(texts)
    print(
        f"linter and RDKit's parser agree on {1 - len(different) / len(texts):.4%} of {len(texts)} mutated molecules "
        f"({valid:.0%} of which RDKit reads)"
    )
    for text in different[:5]:
        print(f"    {text!r}")


if __name__ == "__main__":
    main()
