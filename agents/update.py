"""One gradient update from a batch of attempts, whatever the algorithm."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.distributed.tensor import DTensor

from agents.algorithm import Algorithm, Row, TokenBatch, response_distributions, response_token_ids
from agents.batches import divided_rows, micro_batches, split
from agents.config import UpdateConfig
from agents.credit import CreditRecorder
from agents.episode import Episode
from agents.policy.policy import Policy
from agents.policy.sharding import divided
from agents.processes import ALONE, Processes
from agents.runs.interrupt import held

_log = logging.getLogger("agents")


@dataclass
class Updater:
    """Takes optimizer steps."""

    policy: Policy
    optimizer: torch.optim.Optimizer
    config: UpdateConfig
    processes: Processes = ALONE
    optimizer_steps: int = 0
    recorder: CreditRecorder | None = None
    """Looks at each micro-batch."""

    @classmethod
    def with_adamw(cls, policy: Policy, config: UpdateConfig, processes: Processes = ALONE) -> Updater:
        """An updater of all weights that require gradients."""
        optimizer = torch.optim.AdamW(
            [parameter for parameter in policy.model.parameters() if parameter.requires_grad],
            lr=config.lr,
            betas=(0.9, 0.999),
            weight_decay=config.weight_decay,
        )
        return cls(policy, optimizer, config, processes)

    def state(self) -> dict[str, Any]:
        """What it takes to go on as if nothing had happened, besides the weights."""
        return {"optimizer": self.optimizer.state_dict(), "optimizer_steps": self.optimizer_steps}

    def load_state(self, state: Mapping[str, Any]) -> None:
        parameters = [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
        moments = {
            i: {
                name: divided(value, parameters[i]) if value.shape == parameters[i].shape else value
                for name, value in values.items()
            }
            for i, values in state["optimizer"]["state"].items()
        }
        self.optimizer.load_state_dict(state["optimizer"] | {"state": moments})
        self.optimizer_steps = state["optimizer_steps"]

    def update(
        self, algorithm: Algorithm, rows: Sequence[Row], attempts: Sequence[Episode] | None = None
    ) -> dict[str, float]:
        """Take one optimizer step per minibatch in which there is something to learn; returns metrics.

        Args:
            attempts: The whole batch, which is divided into minibatches; those of the rows, in their order, are among
                them. None: there are no others.
        """
        attempts = [row.episode for row in rows] if attempts is None else attempts
        minibatches = divided_rows(rows, attempts, self.config.minibatches)
        if len(minibatches) > 1:
            for minibatch in minibatches:
                self._remember_logprobs(minibatch)
        sums: dict[str, float] = defaultdict(float)
        changed = False
        for minibatch in minibatches:
            if any(row.forward for row in minibatch):
                changed |= self._optimizer_step(algorithm, minibatch, sums)
        if changed:
            with held():
                algorithm.after_update()
        return _means(self.processes.add_up(sums))

    def _micro_batches(self, rows: Sequence[Row]) -> list[tuple[list[Row], bool]]:
        """Those of a minibatch that this process computes, and whether they count.

        Where the model is divided, all processes compute equally many: some that do not count fill up the lists.
        """
        shares = [
            micro_batches(share, self.config.micro_batch_tokens)
            for share in split([row for row in rows if row.forward], self.processes.count)
        ]
        share = shares[self.processes.index] if self.processes.index < len(shares) else []
        missing = max(map(len, shares), default=0) - len(share) if self.policy.sharded else 0
        return [(batch, True) for batch in share] + [(shares[0][0][:1], False) for _ in range(missing)]

    def _optimizer_step(self, algorithm: Algorithm, rows: Sequence[Row], sums: dict[str, float]) -> bool:
        """One optimizer step; whether it was taken. A gradient that is not finite is dropped."""
        self.optimizer.zero_grad(set_to_none=True)
        tokens = sum(row.episode.num_response_tokens for row in rows)
        total_loss = 0.0
        for micro_batch, counts in self._micro_batches(rows):
            with torch.no_grad(), held():
                targets = algorithm.targets(micro_batch)
            batch = self._forward(micro_batch, algorithm.top_tokens(targets))
            losses, metrics = algorithm.token_losses(batch, targets)
            if self.recorder and counts:
                self.recorder.record(algorithm, batch, targets)
            # Denominators of the whole minibatch, so that its division into micro-batches changes nothing.
            if self.config.aggregation == "token":
                loss = losses.sum() / tokens
            elif self.config.aggregation == "constant":
                loss = losses.sum() / (len(rows) * self.config.max_new_tokens)
            else:
                lengths = torch.bincount(batch.row_of_token, minlength=len(micro_batch))[batch.row_of_token]
                loss = (losses / lengths).sum() / len(rows)
            (loss if counts else 0 * loss).backward()
            if counts:
                total_loss += loss.item()
                _add(sums, metrics | _probability_metrics(batch))
        self.processes.add_up_gradients(self.policy.model.parameters())
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.lr * min(1.0, (self.optimizer_steps + 1) / (self.config.warmup_steps + 1))
        norm = torch.nn.utils.clip_grad_norm_(self.policy.model.parameters(), self.config.max_grad_norm)
        norm = norm.full_tensor() if isinstance(norm, DTensor) else norm
        finite = bool(torch.isfinite(norm))
        if finite:
            with held():
                self.optimizer.step()
                self.optimizer_steps += 1
            _add(sums, {"grad_norm": norm[None]})
        sums["loss"] += total_loss
        sums["count/loss"] += self.processes.is_main  # each process has a part of it
        if not finite:
            tasks = sorted({row.episode.task for row in rows})
            _log.warning("a gradient is not finite, so this optimizer step is skipped; its tasks: %s", ", ".join(tasks))
        sums["skipped_updates"] += self.processes.is_main and not finite
        self.optimizer.zero_grad(set_to_none=True)
        return finite

    def _forward(self, rows: Sequence[Row], top: int | torch.Tensor = 0) -> TokenBatch:
        policy, device = self.policy, self.policy.device
        prompts = [row.episode.prompt_ids for row in rows]
        token_ids = response_token_ids(rows, device)
        choice = {"top_k": top} if isinstance(top, int) else {"indices": top}
        # π_old is read as π is: if they differ, the policy has moved.
        read = response_distributions(policy, prompts, rows, self.config.temperature, as_in_training=True)
        stats = read.stats(token_ids, **choice)
        old = stats.logprobs.detach()
        if rows[0].old_logprobs is not None:
            old = torch.cat([row.old_logprobs for row in rows])
        lengths = torch.tensor([row.episode.num_response_tokens for row in rows], device=device)
        return TokenBatch(
            rows=rows,
            row_of_token=torch.arange(len(rows), device=device).repeat_interleave(lengths),
            stats=stats,
            old_logprobs=old,
            sampler_logprobs=torch.tensor(
                [logprob for row in rows for logprob in row.episode.logprobs], dtype=torch.float32, device=device
            ),
            token_ids=token_ids,
        )

    @torch.no_grad()
    def _remember_logprobs(self, rows: Sequence[Row]) -> None:
        for micro_batch, _ in self._micro_batches(rows):
            batch = self._forward(micro_batch)
            lengths = [row.episode.num_response_tokens for row in micro_batch]
            for row, logprobs in zip(micro_batch, batch.logprobs.split(lengths), strict=True):
                row.old_logprobs = logprobs


@torch.no_grad()
def _probability_metrics(batch: TokenBatch) -> dict[str, torch.Tensor]:
    return {"entropy": batch.stats.entropy, "sampler_mismatch": (batch.old_logprobs - batch.sampler_logprobs).abs()}


def _add(sums: dict[str, float], metrics: Mapping[str, torch.Tensor]) -> None:
    for name, values in metrics.items():
        sums[name] += values.sum().item()
        sums["count/" + name] += len(values)


def _means(sums: Mapping[str, float]) -> dict[str, float]:
    counted = {name: value for name, value in sums.items() if not name.startswith("count/")}
    return {name: value / sums.get("count/" + name, 1) for name, value in counted.items()}
