"""Time and peak memory of the loss and its gradient, with the fused head and with materialised logits.

    python tests/benchmarks/fused_head.py [--tokens 4096 --vocabulary 151936 --hidden 896 --dtype bf16]

The loss is the reverse KL over the student's top 100 tokens and a tail (SDPO), or the sampled tokens' (GRPO). Each case
runs in a process of its own, whose peak memory is compared with that before the loss; cases take turns. On a GPU
(`--device cuda`), where PyTorch knows its peak, all run in one process, each once before it counts.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2])]

import torch  # noqa: E402

from agents.policy.head import head_stats, stats_from_logits  # noqa: E402
from agents.sdpo.loss import distribution_divergence  # noqa: E402

CASES = [(loss, frozen, fused) for loss in ("sdpo", "grpo") for frozen in (False, True) for fused in (False, True)]


def measure(options: argparse.Namespace, loss: str, frozen: bool, fused: bool) -> dict[str, float]:
    torch.manual_seed(0)
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[options.dtype]
    count, vocabulary, size = options.tokens, options.vocabulary, options.hidden
    device = torch.device(options.device)
    weight = torch.randn(vocabulary, size, device=device).mul_(0.5).requires_grad_(not frozen)
    hidden, teacher = (torch.randn(count, size, device=device).mul_(0.2).requires_grad_(grad) for grad in (True, False))
    token_ids = torch.randint(vocabulary, (count,), device=device)
    signs = torch.linspace(-1, 1, count, device=device)
    top_k = 100 if loss == "sdpo" else 0
    if not frozen:
        weight.grad = torch.zeros_like(weight)  # the optimizer's, in either case

    def stats(states, **choice):
        if fused:
            return head_stats(states, weight, token_ids, compute_dtype=dtype, **choice)
        logits = states.to(dtype) @ weight.to(dtype).T
        return stats_from_logits(logits, token_ids, **choice)

    before = start_memory(device)
    start = time.perf_counter()
    student = stats(hidden, top_k=top_k)
    if loss == "grpo":
        value = -(student.logprobs * signs).mean()
    else:
        with torch.no_grad():
            target = stats(teacher, indices=student.indices)
        pairs = [torch.cat([s.top_logprobs, s.tail_logprobs[:, None]], -1) for s in (student, target)]
        value = distribution_divergence(*pairs, "reverse_kl").mean()
    value.backward()
    loss_value = value.item()  # waits for a GPU
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "megabytes": (peak_memory(device) - before) / 2**20, "loss": loss_value}


def start_memory(device: torch.device) -> int:
    """Bytes in use, from which the peak is measured: of this process its peak so far."""
    if device.type == "cpu":
        return peak_memory(device)
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    return torch.cuda.memory_allocated()


def peak_memory(device: torch.device) -> int:
    if device.type == "cpu":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return torch.cuda.max_memory_allocated()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=1024)
    parser.add_argument("--vocabulary", type=int, default=49152)
    parser.add_argument("--hidden", type=int, default=576)
    parser.add_argument("--dtype", choices=["fp32", "bf16"], default="bf16")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--case", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case is not None:
        print(json.dumps(measure(options, *options.case)))
        return
    found: dict[tuple, list[dict[str, float]]] = {case: [] for case in CASES}
    if options.device == "cuda":
        for case in CASES:
            measure(options, *case)
    for _ in range(options.rounds):
        for case in CASES:
            if options.device == "cuda":
                found[case].append(measure(options, *case))
                continue
            command = [sys.executable, __file__, *sys.argv[1:], "--case", json.dumps(case)]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            found[case].append(json.loads(done.stdout))
    unit, scale = ("ms", 1000) if options.device == "cuda" else ("s", 1)
    print(f"{options.tokens} tokens × {options.vocabulary}, {options.dtype}, {options.device}: medians")
    print(f"{'':26}{'logits':>20}{'fused head':>20}{'ratio':>18}")
    for loss, frozen in dict.fromkeys(case[:2] for case in CASES):
        (a, b), (x, y) = (
            [statistics.median(run[key] for run in found[loss, frozen, fused]) for fused in (False, True)]
            for key in ("seconds", "megabytes")
        )
        name = f"{loss.upper()}, head {'frozen' if frozen else 'trained'}"
        print(
            f"{name:26}{a * scale:8.2f} {unit}{x:7.0f} MB{b * scale:9.2f} {unit}{y:7.0f} MB{a / b:8.2f} ×{x / y:6.1f} ×"
        )


if __name__ == "__main__":
    main()
