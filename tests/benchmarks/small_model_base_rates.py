"""What a 135M model solves without training: python tests/benchmarks/small_model_base_rates.py

Prints the success rate of SmolLM2-135M-Instruct on levels of sdpo/ToolUse-v0, with solved examples in the prompt, and,
with --sciknoweval FOLDER (the SDPO authors' files), on questions of sdpo/SciKnowEval-v0 on chemistry
beside the shortcut's at the same questions. The standard error is of the mean over tasks. On a machine with other work,
set OMP_NUM_THREADS=1: waiting for one another, PyTorch's threads take several times as long.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

import sdpo_gym  # noqa: F401  (registers the environments)
from agents.environments import Environments, Start
from agents.policy.load import load_policy
from agents.rollouts import collect_groups
from agents.sampling.engine import SamplingParameters
from agents.sampling.transformers_engine import TransformersEngine

COLUMNS = f"{'environment':<52}{'n':>4}{'solved':>8}{'se':>7}{'some of k':>11}"


def measure(policy, env_id: str, tasks: int, samples: int, parameters: SamplingParameters, **arguments) -> None:
    """Print a row: the success rate, and the fraction of tasks that one of the samples solves."""
    started = time.perf_counter()
    environments = Environments(env_id, arguments, tasks * samples)
    number = environments.num_tasks or tasks  # endless tasks: the first ones
    starts = [Start(i, task=i * number // tasks) for i in range(tasks)]
    groups = collect_groups(
        policy, TransformersEngine(policy), environments, starts, samples, parameters, range(len(starts))
    )
    environments.close()
    rates = np.array([[episode.success for episode in group] for group in groups]).mean(1)
    shown = {name: value for name, value in arguments.items() if name != "data"}
    title = f"{env_id[5:-3]} {', '.join(f'{name}={value}' for name, value in shown.items())}"
    row = f"{title:<52}{tasks * samples:>4}{rates.mean():>8.3f}{rates.std() / tasks**0.5:>7.3f}"
    row += f"{(rates > 0).mean():>11.3f}"
    metrics = [episode.metrics for group in groups for episode in group]
    for name in ("answered", "solution_calls_made", "format_errors", "no_answer", "shortcut"):
        if name in metrics[0]:
            row += f"  {name} {np.mean([metric[name] for metric in metrics]):.2f}"
    print(f"{row}  ({time.perf_counter() - started:.0f} s)", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--tasks", type=int, default=8)
    parser.add_argument("--samples", type=int, default=2)
    parser.add_argument("--temperature", type=float, default=0.7)
    parser.add_argument("--levels", type=int, nargs="*", default=[0, 1])
    parser.add_argument("--shots", type=int, nargs="*", default=[2])
    parser.add_argument("--sciknoweval", help="folder of the SDPO authors' files")
    options = parser.parse_args()
    policy = load_policy(options.model, device="cpu")
    print(COLUMNS)
    parameters = SamplingParameters(max_new_tokens=64, temperature=options.temperature)
    for level in options.levels:
        for shots in options.shots:
            arguments = {"levels": level, "n_shots": shots, "max_turns": 3}
            measure(policy, "sdpo/ToolUse-v0", options.tasks, options.samples, parameters, **arguments)
    if options.sciknoweval:
        for prompt, tokens in (("paper", 128), ("plain", 16)):
            parameters = SamplingParameters(max_new_tokens=tokens, temperature=options.temperature)
            arguments = {"prompt": prompt, "data": options.sciknoweval, "domain": "chemistry", "split": "test"}
            measure(policy, "sdpo/SciKnowEval-v0", 3 * options.tasks, options.samples, parameters, **arguments)


if __name__ == "__main__":
    main()
