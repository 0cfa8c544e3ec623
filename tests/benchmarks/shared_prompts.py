"""Forward and backward pass over a group whose prompt is read once, beside one in which each response has its own.

    python tests/benchmarks/shared_prompts.py   # [--precision bf16 --lora-rank 8 --repeats 3]

Three ways take turns, for a group of 8 responses: rows with a prompt each, padded to the longest; the prompt's keys and
values computed once and repeated; all in one row, with a mask. Seconds are of CPU time, the least of the repetitions.
Learners choose among the latter two by the number of operations (agents/policy/next_tokens.py).
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2])]

import torch  # noqa: E402

from agents.policy import next_tokens  # noqa: E402
from agents.policy.load import load_policy  # noqa: E402
from agents.policy.lora import add_adapters  # noqa: E402

GROUP_SIZE = 8
CASES = [(200, 60, 60), (200, 20, 100), (400, 20, 100), (100, 200, 300)]
WAYS = {
    "rows": next_tokens._read_rows,
    "cache": next_tokens._read_with_cache,
    "tree": next_tokens._read_trees,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--precision", choices=["auto", "bf16", "fp32"], default="auto")
    parser.add_argument("--lora-rank", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    policy = load_policy(options.model, precision=options.precision)
    if options.lora_rank:
        add_adapters(policy, options.lora_rank, 32.0, seed=0)
    generator = torch.Generator().manual_seed(0)

    def tokens(count: int) -> list[int]:
        return torch.randint(10, len(policy.tokenizer) - 1, (count,), generator=generator).tolist()

    def read(keep: int, **inputs) -> torch.Tensor:
        return policy.model.get_decoder()(**inputs).last_hidden_state[:, -keep:]

    print(f"{options.model}, {policy.compute_dtype}, {torch.get_num_threads()} threads; CPU seconds, and times faster")
    for prompt_tokens, least, most in CASES:
        prompts = [tokens(prompt_tokens)] * GROUP_SIZE
        lengths = [least + i * (most - least) // (GROUP_SIZE - 1) for i in range(GROUP_SIZE)]
        continuations = [tokens(length) for length in lengths]
        seconds = {way: float("inf") for way in WAYS}
        for _ in range(options.repeats + 1):  # the first ones warm up
            for way, function in WAYS.items():
                start = time.process_time()
                with policy.autocast():
                    states = function(policy, prompts, continuations, read)
                states.float().square().mean().backward()
                seconds[way] = min(seconds[way], time.process_time() - start)
                policy.model.zero_grad()
        chosen = next_tokens._trees_are_cheaper(policy, prompts, continuations, than_rows=False)
        print(
            f"prompt {prompt_tokens}, responses {least}–{most}: "
            + ", ".join(f"{way} {value:.2f} ({seconds['rows'] / value:.2f})" for way, value in seconds.items())
            + f"; chosen: {'tree' if chosen else 'cache'}",
            flush=True,
        )


if __name__ == "__main__":
    main()
