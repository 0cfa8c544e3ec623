"""One gradient update from a batch of attempts, whatever the algorithm."""

from __future__ import annotations

import itertools
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import torch
from torch.distributed.tensor import DTensor

from agents.config import UpdateConfig
from agents.episode import Episode
from agents.policy.head import HeadStats
from agents.policy.next_tokens import NextTokens, next_tokens
from agents.policy.policy import Policy
from agents.policy.sharding import divided
from agents.processes import ALONE, Processes
from agents.runs.interrupt import held

if TYPE_CHECKING:
    from agents.credit import CreditRecorder, TokenCredit

Signal = TypeVar("Signal")
Item = TypeVar("Item")
_log = logging.getLogger("agents")


@dataclass
class Row(Generic[Signal]):
    """An attempt that counts in an update, with what the algorithm has it learn from."""

    episode: Episode
    signal: Signal
    forward: bool = True
    """False where the loss is known to be zero: the row then counts in the denominators, and costs nothing."""

    old_logprobs: torch.Tensor | None = None
    """Trainer's log-probs of the response tokens before the first optimizer step, (T,), where there are several."""


@dataclass
class TokenBatch:
    """The N response tokens of a micro-batch, row after row. All log-probs are at the sampling temperature."""

    rows: Sequence[Row]
    row_of_token: torch.Tensor  # (N,) int64
    stats: HeadStats  # about the next-token distributions, at the algorithm's top tokens
    old_logprobs: torch.Tensor  # (N,) the same before this batch's first optimizer step, detached
    sampler_logprobs: torch.Tensor  # (N,) the same as the sampler computed them
    token_ids: torch.Tensor  # (N,) int64

    @property
    def logprobs(self) -> torch.Tensor:
        """(N,) of the tokens that were sampled."""
        return self.stats.logprobs

    def only(self, mask: torch.Tensor) -> TokenBatch:
        """The tokens under a mask (N,)."""
        return TokenBatch(
            self.rows,
            self.row_of_token[mask],
            HeadStats(*(numbers[mask] for numbers in self.stats)),
            self.old_logprobs[mask],
            self.sampler_logprobs[mask],
            self.token_ids[mask],
        )


class Algorithm(Protocol):
    """What differs between learners: the signal per token, and the loss."""

    def assign(self, groups: Sequence[Sequence[Episode]], step: int) -> tuple[list[Row], dict[str, float]]:
        """Rows to learn from, members of a group one after another, and metrics about them."""
        ...

    def targets(self, rows: Sequence[Row]) -> Any:
        """What `token_losses` needs besides the batch. Called without gradients, before the student's forward pass."""
        ...

    def top_tokens(self, targets: Any) -> int | torch.Tensor:
        """The tokens that `token_losses` looks at one by one: how many of the student's most probable, or which ones,
        (N, K) int64, different ones at each position."""
        ...

    def token_losses(self, batch: TokenBatch, targets: Any) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Losses (N,) and, detached, per-token metrics (N,)."""
        ...

    def credit(self, row: Row, mask: torch.Tensor, tokens: TokenBatch, targets: Any) -> TokenCredit:
        """What the row's tokens learn from, for the record. Called without gradients.

        Args:
            mask: (N,) bool, where in the batch that the targets are for they are.
            tokens: They alone.
        """
        ...

    def after_update(self) -> None:
        """Called once per rollout batch if the weights changed."""
        ...


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
            sampler_logprobs=_flat([row.episode.logprobs for row in rows], torch.float32, device),
            token_ids=token_ids,
        )

    @torch.no_grad()
    def _remember_logprobs(self, rows: Sequence[Row]) -> None:
        for micro_batch, _ in self._micro_batches(rows):
            batch = self._forward(micro_batch)
            lengths = [row.episode.num_response_tokens for row in micro_batch]
            for row, logprobs in zip(micro_batch, batch.logprobs.split(lengths), strict=True):
                row.old_logprobs = logprobs


def response_token_ids(rows: Sequence[Row], device: torch.device) -> torch.Tensor:
    """The response tokens of the rows, one after another, (N,) int64."""
    return _flat([turn.response_ids for row in rows for turn in row.episode.turns], torch.int64, device)


def response_distributions(
    policy: Policy,
    prompts: Sequence[Sequence[int]],
    rows: Sequence[Row],
    temperature: float,
    *,
    as_in_training: bool = False,
) -> NextTokens:
    """The distributions at the rows' response tokens, each row's responses read after the given prompt.

    See `next_tokens`.
    """
    mask = _flat([row.episode.loss_mask for row in rows], torch.bool, policy.device)
    continuations = [row.episode.continuation_ids for row in rows]
    return next_tokens(policy, prompts, continuations, mask, temperature, as_in_training=as_in_training)


def sampler_correction(batch: TokenBatch, cap: float) -> torch.Tensor:
    """Truncated importance weights (N,) between trainer and sampler: min(π_old / π_sampler, cap)."""
    return (batch.old_logprobs - batch.sampler_logprobs).exp().clamp_max(cap)


def divided_rows(rows: Sequence[Row], attempts: Sequence[Episode], parts: int) -> list[list[Row]]:
    """The rows of each part of a batch of attempts; parts without any are left out.

    The attempts are divided, not the rows: however few of them count, a part has those of the same questions.
    """
    row_of = {id(row.episode): row for row in rows}
    divided_batch = [
        [row_of[id(attempt)] for attempt in part if id(attempt) in row_of] for part in split(attempts, parts)
    ]
    return [part for part in divided_batch if part]


def split(items: Sequence[Item], parts: int) -> list[Sequence[Item]]:
    """Divide a sequence into at most `parts` runs of nearly equal length."""
    bounds = [round(i * len(items) / parts) for i in range(parts + 1)]
    return [items[a:b] for a, b in itertools.pairwise(bounds) if b > a]


def micro_batches(rows: Sequence[Row], max_tokens: int) -> list[list[Row]]:
    """Divide rows into batches for the student's passes; see `batches_within`."""
    prompts = [row.episode.prompt_ids for row in rows]
    lengths = [len(row.episode.continuation_ids) for row in rows]
    return [[rows[i] for i in batch] for batch in batches_within(prompts, lengths, max_tokens)]


def batches_within(prompts: Sequence[Sequence[int]], lengths: Sequence[int], max_tokens: int) -> list[list[int]]:
    """Divide rows into batches of at most `max_tokens` tokens, padding included, or of a single row.

    Rows with equal prompts stay together and share the forward pass of the prompt, so that it counts once. Short ones
    come first, so that little is padded.

    Args:
        prompts: One list of token ids per row.
        lengths: Of the rows' continuations.

    Returns:
        The rows' indices, batch by batch.
    """
    groups: dict[tuple[int, ...], list[int]] = {}
    for i in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        groups.setdefault(tuple(prompts[i]), []).append(i)
    batches: list[list[int]] = []
    distinct = longest = 0  # prompts and continuation in the last batch
    for prompt in sorted(groups, key=len):  # so that it is the longest of its batch
        new = 1
        for i in groups[prompt]:
            distinct, longest = distinct + new, max(longest, lengths[i])
            if batches and distinct * len(prompt) + (len(batches[-1]) + 1) * longest <= max_tokens:
                batches[-1].append(i)
            else:
                batches.append([i])
                distinct, longest = 1, lengths[i]
            new = 0
    return batches


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


def _flat(rows: Iterable[Iterable[Any]], dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    return torch.tensor([value for row in rows for value in row], dtype=dtype, device=device)
