"""Does SDPO's teacher end a program where the question's code ends: right after the function's signature?

    python tests/benchmarks/teacher_copies_signature.py [--model RUN/checkpoint]

The probability of a bare new line after `def f(…):` instead of an indented one, mean over the trivial problems, for the
student and for the teacher with each reprompt, shown the problem's own solution; with the question as it is, whose last
line of code is the signature, and with the signature told in words instead.
"""

import argparse
import re
from pathlib import Path

import gymnasium
import torch

import envs.livecodebench
from agents.policy.load import load_policy
from agents.sdpo.reprompt import BUILDERS, TeacherContext

PROBLEMS = Path(envs.livecodebench.__file__).parent / "problems"
SIGNATURE = re.compile(r"```python\n(def .*:)\n```\n\n")


def prompts(messages, demonstration):
    """The student's, and the teacher's by reprompt."""
    context = TeacherContext(f"```python\n{demonstration}```", "")
    return {"student": messages} | {style: build(messages, context) for style, build in BUILDERS.items()}


@torch.no_grad()
def probability_of_end(policy, messages, signature):
    """Of a bare new line after the signature."""
    text = policy.tokenizer(f"```python\n{signature}", add_special_tokens=False)["input_ids"]
    (new_line,) = policy.tokenizer("\n", add_special_tokens=False)["input_ids"]
    ids = torch.tensor([policy.render(messages) + text], device=policy.device)
    return policy.model(ids).logits[0, -1].float().softmax(0)[new_line].item()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="smollm2")
    policy = load_policy(parser.parse_args().model, device="cpu", precision="fp32")
    env = gymnasium.make("sdpo_gym:sdpo/LiveCodeBench-v0", difficulty="trivial")
    sums, count = {}, 0
    for task in range(env.unwrapped.num_tasks):
        _, info = env.reset(options={"task": task})
        *before, question = info["messages"]
        found = SIGNATURE.search(question["content"])
        if not found:
            continue
        count += 1
        demonstration = (PROBLEMS / info["task_id"] / "solution.py").read_text()
        in_words = SIGNATURE.sub(rf"The function is {found[1][4:-1]}.\n\n", question["content"])
        for kind, text in (("in code", question["content"]), ("in words", in_words)):
            for who, messages in prompts([*before, {"role": "user", "content": text}], demonstration).items():
                sums[who, kind] = sums.get((who, kind), 0.0) + probability_of_end(policy, messages, found[1])
    env.close()
    print(f"{count} problems\n{'':10}{'in code':>12}{'in words':>12}")
    for who in ("student", *BUILDERS):
        print(f"{who:10}{sums[who, 'in code'] / count:12.4f}{sums[who, 'in words'] / count:12.4f}")


if __name__ == "__main__":
    main()
