"""Tokens per second of the engines in this process and of plain `generate`, which pads and waits for the longest row.

    python tests/benchmarks/sampling.py [--model smollm2 --prompts 1 --group-size 8 --max-new-tokens 64 --repeats 2]

The prompts are those of embedded programming problems. Responses end where the model ends them or at a `--stop` token,
so that their lengths are uneven. The engines take turns; `copied` is `transformers` with a copy of the prompt's keys
and values for each row. On a CPU, seconds are those of the processor, which a busy machine does not change as much.
Also shown: the largest difference between an engine's log-probs and those of the training forward pass.
"""

from __future__ import annotations

import argparse
import copy
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2])]

import gymnasium  # noqa: E402
import torch  # noqa: E402
from transformers import GenerationConfig  # noqa: E402

from agents.config import UpdateConfig  # noqa: E402
from agents.policy.load import load_trainable  # noqa: E402
from agents.policy.next_tokens import next_tokens  # noqa: E402
from agents.policy.policy import Policy, left_padded  # noqa: E402
from agents.sampling.continuous_engine import ContinuousEngine  # noqa: E402
from agents.sampling.engine import SamplingEngine, SamplingParameters  # noqa: E402
from agents.sampling.transformers_engine import TransformersEngine  # noqa: E402

Sampled = tuple[list[list[int]], list[list[float]]]
"""Responses, one prompt after another, and their log-probs, if there are any."""


def with_generate(policy: Policy, prompts: list[list[int]], options: argparse.Namespace, seed: int) -> Sampled:
    torch.manual_seed(seed)
    rows = [prompt for prompt in prompts for _ in range(options.group_size)]
    ids, mask = left_padded(rows, policy.pad_id, policy.device)
    generation = GenerationConfig(
        do_sample=True,
        top_k=0,
        max_new_tokens=options.max_new_tokens,
        eos_token_id=sorted(policy.stop_ids),
        pad_token_id=policy.pad_id,
    )
    with torch.no_grad(), policy.autocast():
        output = policy.model.generate(ids, attention_mask=mask, generation_config=generation)
    responses = []
    for row in output[:, ids.shape[1] :].tolist():
        end = next((i + 1 for i, token in enumerate(row) if token in policy.stop_ids), len(row))
        responses.append(row[:end])
    return responses, []


def with_engine(engine: SamplingEngine) -> Callable[..., Sampled]:
    def sample(policy: Policy, prompts: list[list[int]], options: argparse.Namespace, seed: int) -> Sampled:
        seeds = [seed * len(prompts) + i for i in range(len(prompts))]
        groups = engine.sample(prompts, options.group_size, SamplingParameters(options.max_new_tokens), seeds)
        responses = [response for group in groups for response in group]
        return [response.token_ids for response in responses], [response.logprobs for response in responses]

    return sample


@torch.no_grad()
def largest_difference(policy: Policy, prompts: list[list[int]], sampled: Sampled, group_size: int) -> float:
    responses, logprobs = sampled
    rows = [prompt for prompt in prompts for _ in range(group_size)]
    token_ids = torch.tensor([token for response in responses for token in response], device=policy.device)
    expected = next_tokens(policy, rows, responses).stats(token_ids).logprobs.cpu()
    return float((expected - torch.tensor([value for row in logprobs for value in row])).abs().max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--lora-rank", type=int, default=0, help="of adapters; 0: none")
    parser.add_argument("--prompts", type=int, default=1)
    parser.add_argument("--group-size", type=int, default=8)
    parser.add_argument("--max-new-tokens", type=int, default=64)
    parser.add_argument("--difficulty", default="easy", help="of the problems; hard ones have longer prompts")
    parser.add_argument("--stop", default=".", help="a token's text; empty: none")
    parser.add_argument("--repeats", type=int, default=2)
    options = parser.parse_args()
    policy = load_trainable(options.model, UpdateConfig(precision=options.precision, lora_rank=options.lora_rank))
    stops = policy.tokenizer(options.stop, add_special_tokens=False)["input_ids"]
    policy.stop_ids |= set(stops)
    env = gymnasium.make("sdpo_gym:sdpo/LiveCodeBench-v0", difficulty=options.difficulty)
    prompts = [policy.render(env.reset(seed=seed)[1]["messages"]) for seed in range(options.prompts)]
    clock = time.process_time if policy.device.type == "cpu" else time.perf_counter
    copying = copy.copy(policy)
    copying.shares_prompts = copying.replays_passes = False
    cases = {
        "generate": with_generate,
        "copied": with_engine(TransformersEngine(copying)),
        "transformers": with_engine(TransformersEngine(policy)),
        "continuous": with_engine(ContinuousEngine(policy)),
    }
    tokens, seconds, differences = ({name: 0.0 for name in cases} for _ in range(3))
    for seed in range(options.repeats):
        for name, sample in cases.items():
            start = clock()
            sampled = sample(policy, prompts, options, seed)
            seconds[name] += clock() - start
            tokens[name] += sum(map(len, sampled[0]))
            if sampled[1]:
                difference = largest_difference(policy, prompts, sampled, options.group_size)
                differences[name] = max(differences[name], difference)
            print(f"  {name}: lengths {sorted(map(len, sampled[0]))}", flush=True)
    baseline = tokens["generate"] / seconds["generate"]
    print(f"prompts of {[len(prompt) for prompt in prompts]} tokens, {options.precision}, {policy.device.type}")
    print(f"{'':14}{'tokens/s':>10}{'ratio':>8}{'largest |Δ log-prob|':>24}")
    for name in cases:
        rate = tokens[name] / seconds[name]
        difference = f"{differences[name]:.1e}" if name != "generate" else "–"
        print(f"{name:14}{rate:10.1f}{rate / baseline:8.2f}{difference:>24}")


if __name__ == "__main__":
    main()
