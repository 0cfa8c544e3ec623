"""Forward and backward pass over a group whose prompt is read once, beside one in which each response has its own.

    python tests/benchmarks/shared_prompts.py   # [--precision bf16 --lora-rank 8 --repeats 3]

Three ways take turns, for a group of 8 responses: rows with a prompt each, padded to the longest; the prompt's keys and
values computed once and repeated; all in one row, with a mask. Then for prompts that differ behind a common beginning,
as those of SDPO's teacher do. Seconds are of CPU time, or milliseconds of a GPU's wall time, the least of the
repetitions. Learners choose among the latter two by the number of operations (agents/policy/next_tokens.py).
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
from agents.policy.tree_rows import common_roots  # noqa: E402

GROUP_SIZE = 8
CASES = [
    (200, 0, 60, 60),
    (200, 0, 20, 100),
    (400, 0, 20, 100),
    (100, 0, 200, 300),
    (100, 80, 20, 60),
    (250, 80, 20, 60),
]
"""Tokens of the prompt that all share, and that each has for itself; the shortest and the longest response."""

WAYS = {
    "rows": next_tokens._read_rows,
    "cache": next_tokens._read_with_cache,
    "tree": lambda policy, prompts, *rest: next_tokens._read_trees(policy, prompts, *rest, common_roots(prompts)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--precision", choices=["auto", "bf16", "fp32"], default="auto")
    parser.add_argument("--lora-rank", type=int, default=0)
    parser.add_argument("--forward-only", action="store_true", help="as the teacher reads")
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

    gpu = policy.device.type == "cuda"

    def clock() -> float:
        if not gpu:
            return time.process_time()
        torch.cuda.synchronize()
        return 1000 * time.perf_counter()

    where = "GPU; ms" if gpu else f"{torch.get_num_threads()} threads; CPU seconds"
    print(f"{options.model}, {policy.compute_dtype}, {where}, and times faster")
    for prompt_tokens, own, least, most in CASES:
        root = tokens(prompt_tokens)
        prompts = [(*root, *tokens(own)) for _ in range(GROUP_SIZE)]
        lengths = [least + i * (most - least) // (GROUP_SIZE - 1) for i in range(GROUP_SIZE)]
        continuations = [tokens(length) for length in lengths]
        seconds = {way: float("inf") for way in WAYS}
        for _ in range(options.repeats + 1):  # the first ones warm up
            for way, function in WAYS.items():
                start = clock()
                with policy.autocast(), torch.set_grad_enabled(not options.forward_only):
                    states = function(policy, prompts, continuations, read)
                if not options.forward_only:
                    states.float().square().mean().backward()
                seconds[way] = min(seconds[way], clock() - start)
                policy.model.zero_grad()
        chosen = next_tokens._cheapest_reader(policy, prompts, continuations, in_one_pass=False)
        print(
            f"prompt {prompt_tokens}{f' and {own} of its own' if own else ''}, responses {least}–{most}: "
            + ", ".join(f"{way} {value:.2f} ({seconds['rows'] / value:.2f})" for way, value in seconds.items())
            + f"; chosen: {next((way for way, function in WAYS.items() if function is chosen), 'tree')}",
            flush=True,
        )


if __name__ == "__main__":
    main()
