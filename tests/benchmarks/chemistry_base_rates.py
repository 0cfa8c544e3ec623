"""How often does SmolLM2-135M solve each family of sdpo/Chemistry-v0?

python tests/benchmarks/chemistry_base_rates.py                 # level 0, 3 examples in the prompt, temperature 0.7
python tests/benchmarks/chemistry_base_rates.py --families count contains --level 1 --temperature 1
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from agents.environments import Environments
from agents.evaluate.evaluation import evaluate
from agents.policy.load import load_policy
from agents.sampling.engine import SamplingParameters
from agents.sampling.transformers_engine import TransformersEngine
from envs.chemistry.families import FAMILIES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--families", nargs="+", default=list(FAMILIES))
    parser.add_argument("--level", type=int, default=0)
    parser.add_argument("--shots", type=int, default=3)
    parser.add_argument("--tasks", type=int, default=16)
    parser.add_argument("--samples", type=int, default=8)
    parser.add_argument("--temperature", type=float, default=0.7)
    parser.add_argument("--max-new-tokens", type=int, default=24)
    parser.add_argument("--show", type=int, default=0, help="responses to print for each family")
    options = parser.parse_args()
    policy = load_policy(options.model)
    engine = TransformersEngine(policy)
    parameters = SamplingParameters(options.max_new_tokens, options.temperature, 1.0)
    print(f"{'family':10}{'success':>9}{'± s.e.':>8}{f'pass@{options.samples}':>8}{'valid':>8}{'tokens':>8}")
    for family in options.families:
        arguments = {"families": family, "levels": options.level, "n_shots": options.shots, "answer_format": "bare"}
        environments = Environments("sdpo/Chemistry-v0", arguments, 4 * options.samples)
        try:
            found = evaluate(
                policy,
                engine,
                environments,
                num_tasks=options.tasks,
                samples=options.samples,
                parameters=parameters,
            )
        finally:
            environments.close()
        valid = sum(episode.metrics["valid"] for episode in found.episodes) / len(found.episodes)
        tokens = found.metrics()["response_tokens"]
        print(
            f"{family:10}{found.success_rate:9.3f}{found.standard_error:8.3f}{found.pass_at(options.samples):8.2f}"
            f"{valid:8.2f}{tokens:8.1f}",
            flush=True,
        )
        for group in found.groups[: options.show]:
            print(f"    {group[0].messages[-1]['content']!r}")
            print("   ", [f"{'+' if e.success else ''}{e.turns[0].text}" for e in group])


if __name__ == "__main__":
    main()
