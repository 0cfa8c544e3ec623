"""Low-rank adapters (LoRA, arXiv 2106.09685) on all linear layers but the head; the rest of the model is frozen."""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Iterator
from pathlib import Path

import torch
from peft import LoraConfig, PeftConfig, PeftModel, get_peft_model
from peft.tuners.lora import LoraLayer
from peft.tuners.tuners_utils import BaseTunerLayer

from agents.errors import UsageError
from agents.policy.policy import Policy
from agents.policy.reference import ReferenceWeights

AVERAGE_RANKS = 4
"""A moving average's rank, as a multiple of the adapters'."""


def add_adapters(policy: Policy, rank: int, alpha: float, seed: int) -> None:
    """Train adapters of this rank from now on; at first they change nothing.

    Args:
        alpha: The adapters' product counts alpha / rank times.
        seed: Of their initial values.

    Raises:
        UsageError: the policy has adapters already, of another rank or another kind.
    """
    if isinstance(policy.model, PeftModel):
        _check_plain(policy.model)
        own = policy.model.peft_config["default"]
        if (own.r, own.lora_alpha) != (rank, alpha):
            raise UsageError(
                f"the model has adapters with rank {own.r} and alpha {own.lora_alpha:g}, "
                f"not {rank} and {alpha:g}; use the same --lora-rank and --lora-alpha, or none to train all weights"
            )
        return
    config = LoraConfig(r=rank, lora_alpha=alpha, target_modules="all-linear", task_type="CAUSAL_LM")
    with torch.random.fork_rng(), _quiet():
        torch.manual_seed(seed)
        policy.model = get_peft_model(policy.model, config).eval()


def _check_plain(model: PeftModel) -> None:
    """Refuse to train what the average, the merging and the sampling do not know of."""
    known = {
        id(matrix["default"].weight)
        for module in model.modules()
        if _is_plain_adapter(module)
        for matrix in (module.lora_A, module.lora_B)
    }
    for name, parameter in model.named_parameters():
        if parameter.requires_grad and id(parameter) not in known:
            raise UsageError(
                f"the model's adapters are not plain LoRA: {name} would be trained; leave out --lora-rank to merge "
                "them into the weights and train all of these"
            )


def cast_frozen_layers(policy: Policy) -> None:
    """Keep the linear layers under adapters in the precision that they compute in: in bf16, half the memory.

    Autocast would round them to the same values, each time.
    """
    policy.try_out()
    for module in policy.model.modules():
        if isinstance(module, LoraLayer) and type(module.base_layer) is torch.nn.Linear:
            module.base_layer.to(policy.compute_dtype)


def load_adapters(policy: Policy, folder: Path, *, merge: bool) -> None:
    """Put saved adapters on the model that they were trained for: to be trained further, or merged into its weights.

    Raises:
        UsageError: they cannot be merged, now or after they were trained.
    """
    config = PeftConfig.from_pretrained(folder)
    if config.is_prompt_learning or config.is_adaption_prompt:
        raise UsageError(
            f"the adapters in {folder} are {config.peft_type.value}, which cannot be merged into weights; take LoRA's"
        )
    with _quiet():
        model = PeftModel.from_pretrained(policy.model, folder, is_trainable=not merge)
    embeddings, head = model.get_input_embeddings(), model.get_output_embeddings()
    tied = embeddings.weight is getattr(head, "weight", None)
    if tied and (isinstance(embeddings, BaseTunerLayer) or isinstance(head, BaseTunerLayer)):
        raise UsageError(
            f"the adapters in {folder} change the embeddings or the head, which share one weight in this model: they "
            "cannot be merged into it; take adapters of other layers"
        )
    if merge and not is_quantized(model):  # they would be rounded to what the weights can be
        model = model.merge_and_unload().requires_grad_(True)
    policy.model = model.eval()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """peft asks each model for an attribute that transformers warns of."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)
        yield


@torch.no_grad()
def merged_weights(model: torch.nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Names and values of a model's weights as they would be without adapters, these merged into them.

    One after another: of what is merged, no more than one weight exists at a time.
    """
    if not isinstance(model, PeftModel):
        yield from model.state_dict().items()
        return
    base = model.get_base_model()
    weights = base.state_dict(keep_vars=True)
    adapters = {id(_adapted(module)): module for module in base.modules() if isinstance(module, LoraLayer)}
    for name, weight in weights.items():
        if ".lora_" in name:
            continue
        if id(weight) in adapters:
            weight = weight + adapters[id(weight)].get_delta_weight("default")
        yield name.replace(".base_layer", ""), weight.detach()


def _adapted(module: LoraLayer) -> torch.Tensor:
    """What a layer's adapter is added to. Of the experts of a mixture, peft adapts the parameters one by one."""
    return getattr(module.get_base_layer(), getattr(module, "parameter_name", "weight"))


@contextlib.contextmanager
def adapters_merged(policy: Policy) -> Iterator[None]:
    """Within this context linear layers compute without gradients, with copies of their weights, the adapters in them.

    A token then costs what it does without adapters, and autocast does not cast frozen weights anew for each one.
    Quantised layers compute as ever: their copies would not be small.
    """
    replaced: list[torch.nn.Module] = []
    try:
        if isinstance(policy.model, PeftModel):
            policy.try_out()
            head = policy.model.get_output_embeddings()
            for module in policy.model.modules():
                base = module.base_layer if isinstance(module, LoraLayer) else module
                if type(base) is not torch.nn.Linear or not (module is base is head or _is_plain_adapter(module)):
                    continue
                weight = base.weight.detach()
                if module is not base:
                    weight = weight + module.get_delta_weight("default").detach()
                module.forward = functools.partial(
                    torch.nn.functional.linear, weight=weight.to(policy.compute_dtype), bias=base.bias
                )
                replaced.append(module)
        yield
    finally:
        for module in replaced:
            del module.forward


def _is_plain_adapter(module: torch.nn.Module) -> bool:
    """Whether a layer's adapter is a product of two matrices that is added to its weight, and nothing else."""
    return isinstance(module, LoraLayer) and "default" in module.lora_A and not module.lora_variant


class AdapterAverage(ReferenceWeights):
    """The moving average of the adapters' products B·A. Averages of A and of B would have another product.

    It is a product itself, of a higher rank: exact while it is not used up, then the best that its rank can be.
    """

    def __init__(self, model: torch.nn.Module, rate: float, every: int = 1):
        super().__init__(model, rate, every)
        index = {id(parameter): i for i, parameter in enumerate(self._parameters)}
        self._adapters = [
            (
                index[id(module.lora_A["default"].weight)],
                index[id(module.lora_B["default"].weight)],
                getattr(module, "num_experts", 1),
            )
            for module in model.modules()
            if hasattr(module, "lora_A") and "default" in module.lora_A
        ]

    def _follow(self) -> None:
        for a, b, experts in self._adapters:
            down, up = _by_expert(self.weights[a], self.weights[b], experts)
            new_down, new_up = _by_expert(*(self._parameters[i].detach().float() for i in (a, b)), experts)
            rank = AVERAGE_RANKS * new_down.shape[1]
            down = torch.cat([down, new_down], dim=1)  # (E, R + r, in)
            up = torch.cat([(1 - self._rate) * up, self._rate * new_up], dim=2)  # (E, out, R + r)
            if down.shape[1] > rank:
                down, up = _truncated(down, up, rank)
            self.weights[a], self.weights[b] = down.flatten(0, 1), up.permute(1, 2, 0).flatten(1)


def _by_expert(down: torch.Tensor, up: torch.Tensor, experts: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Factors (E, R, in) and (E, out, R) from peft's layout: (E·R, in), the expert first, and (out, R·E), it last."""
    return down.unflatten(0, (experts, -1)), up.unflatten(1, (-1, experts)).permute(2, 0, 1)


def _truncated(down: torch.Tensor, up: torch.Tensor, rank: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Factors of the best approximation of up·down, of each expert, with this rank, by its singular values."""
    up_basis, up_rest = torch.linalg.qr(up)
    down_basis, down_rest = torch.linalg.qr(down.mT)
    left, values, right = torch.linalg.svd(up_rest @ down_rest.mT, full_matrices=False)
    root = values[:, :rank].sqrt()
    return root[:, :, None] * (right[:, :rank] @ down_basis.mT), (up_basis @ left[:, :, :rank]) * root[:, None]


def reference_weights(model: torch.nn.Module, rate: float = 0.0, every: int = 1) -> ReferenceWeights:
    """Weights that follow a model's at this rate, or stay as they are: with adapters, the adapters' alone."""
    if 0 < rate < 1 and isinstance(model, PeftModel):  # at 1 they are a copy, whose product is as it should be
        return AdapterAverage(model, rate, every)
    return ReferenceWeights(model, rate, every)


def is_quantized(model: torch.nn.Module) -> bool:
    """Whether the linear layers' weights are stored in a few bits, in which they cannot be trained."""
    return getattr(model, "is_quantized", False)


def is_adapter(folder: Path) -> bool:
    return (folder / "adapter_config.json").is_file()
