"""A model divided among processes (FSDP2): each keeps a part of every weight, and layers gather theirs to compute.

All processes then read the same number of times, as every reading gathers. Sampling does not keep in step: it happens
with all weights gathered. Adapters stay whole; the frozen weights under them are divided.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
import torch.distributed
from peft import PeftModel
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.utils._pytree import tree_map

from agents.errors import UsageError
from agents.policy.checkpointing import layers_of
from agents.policy.policy import Policy
from agents.processes import Processes


def shard(policy: Policy, processes: Processes) -> None:
    """Divide the weights from now on, in all processes at the same time. Gradients are then sums over the processes.

    Raises:
        UsageError: this version of PyTorch does not divide as is needed here, or the model cannot be divided.
    """
    if not hasattr(FSDPModule, "set_force_sum_reduction_for_comms"):
        raise UsageError(f"--shard needs a newer PyTorch than {torch.__version__}; leave it out, or upgrade")
    model, decoder, head = policy.model, policy.model.get_decoder(), policy.model.get_output_embeddings()
    name, layers = type(decoder).__name__, layers_of(decoder)
    if not layers:
        raise UsageError(f"{name} has no layers that could be divided one by one; leave out --shard")
    policy.try_out()
    options = {
        "mesh": init_device_mesh(policy.device.type, (processes.count,)),
        "ignored_params": {p for p in model.parameters() if p.requires_grad} if isinstance(model, PeftModel) else None,
    }
    # Weights that autocast casts would be kept for the backward pass, all layers' together; these are gathered cast.
    cast = policy.compute_dtype if policy.compute_dtype != torch.float32 else None
    layer_policy = MixedPrecisionPolicy(param_dtype=cast, reduce_dtype=torch.float32, cast_forward_inputs=False)
    for layer in reversed(layers):  # those inside others first
        fully_shard(layer, mp_policy=layer_policy, **options)
    # The head belongs to the decoder for a moment: whether it has a weight of its own or shares that of the embeddings,
    # it is then gathered with them, and stays so until the backward pass is over.
    decoder.add_module("output_embeddings", head)
    fully_shard(decoder, **options)
    del decoder.output_embeddings
    for part in _parts(model):
        part.set_gradient_divide_factor(1.0)
        part.set_force_sum_reduction_for_comms(True)  # averages that are multiplied again do not exist in gloo
    if not isinstance(model, PeftModel):
        for weight, parameter in model.named_parameters():
            if not isinstance(parameter, DTensor):
                raise UsageError(f"--shard divides decoders only, but {weight} is outside of {name}; use --lora-rank")
    policy.sharded = True
    with torch.no_grad(), policy.autocast():  # whichever part computes first becomes the root for good
        decoder(input_ids=torch.tensor([[policy.pad_id]], device=policy.device), use_cache=False)
    reshard(model)


@contextlib.contextmanager
def gathered(model: torch.nn.Module) -> Iterator[None]:
    """Within this context every process has all weights, and may compute as it likes, but not backward.

    All processes enter it together. It does nothing to models that are not divided.
    """
    parts = _parts(model)
    for part in parts:
        part.set_reshard_after_forward(False, recurse=False)
        part.unshard()
    try:
        yield
    finally:
        for part in parts:
            part.set_reshard_after_forward(part is not parts[0], recurse=False)  # the first is the root
            part.reshard()


def reshard(model: torch.nn.Module) -> None:
    """Drop what was gathered, so that it is gathered again: after weights were changed."""
    for part in _parts(model):
        part.reshard()


def most(count: int, policy: Policy) -> int:
    """The greatest of all processes' counts. They call this together."""
    counts = torch.tensor(count, device=policy.device)
    torch.distributed.all_reduce(counts, torch.distributed.ReduceOp.MAX)
    return int(counts)


def whole(state: Any) -> Any:
    """Nested lists, tuples and dicts with whole tensors, in CPU memory, in place of divided ones.

    All processes call this together; all but the main one get None for each such tensor.
    """
    return tree_map(_whole, state)


def whole_weights(policy: Policy) -> dict[str, Any] | None:
    """A divided model's state dict, as `whole` makes it. Tensors that are shared stay so.

    None for other models, and for adapters, which are whole as they are.
    """
    model = policy.model
    if not policy.sharded or isinstance(model, PeftModel):
        return None
    reshard(model)
    weights = {id(parameter): _whole(parameter.detach()) for parameter in model.parameters()}
    named = {name: weights[id(parameter)] for name, parameter in model.named_parameters(remove_duplicate=False)}
    return {name: named.get(name, value) for name, value in model.state_dict().items()}


def divided(tensor: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """A whole tensor, which all processes have, of the same type, place and division as another one."""
    if isinstance(like, DTensor):
        tensor = tensor.to(like.to_local())
        return distribute_tensor(tensor, like.device_mesh, like.placements, src_data_rank=None)
    return tensor.to(like)


def _parts(model: torch.nn.Module) -> list[FSDPModule]:
    return [module for module in model.modules() if isinstance(module, FSDPModule)]


def _whole(value: Any) -> Any:
    if not isinstance(value, DTensor):
        return value
    tensor = value.full_tensor()
    return tensor.cpu() if torch.distributed.get_rank() == 0 else None
