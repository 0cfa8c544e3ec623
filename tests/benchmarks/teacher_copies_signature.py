"""Does SDPO's teacher end a program where the question's code ends: right after the function's signature?

    python tests/benchmarks/teacher_copies_signature.py [--model RUN/checkpoint]

The probability of a bare new line after `def f(…):` instead of an indented one, mean over the trivial problems, for the
student and for the teacher with each reprompt, shown the problem's own solution; with the question as it is, which has
the signature in a sentence, and with the signature as a block of code instead.
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
SENTENCE = re.compile(r"Write the Python function `(def .*:)`\n\n(.*)\n\n", flags=re.DOTALL)
AS_CODE = r"Write a Python function.\n\n\2\n\n```python\n\1\n```\n\n"


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
        found = SENTENCE.match(question["content"])
        if not found:
            continue
        count += 1
        demonstration = (PROBLEMS / info["task_id"] / "solution.py").read_text()
        texts = {"sentence": question["content"], "code": SENTENCE.sub(AS_CODE, question["content"])}
        for kind, text in texts.items():
            for who, messages in prompts([*before, {"role": "user", "content": text}], demonstration).items():
                sums[who, kind] = sums.get((who, kind), 0.0) + probability_of_end(policy, messages, found[1])
    env.close()
    print(f"{count} problems\n{'':10}{'sentence':>12}{'code':>12}")
    for who in ("student", *BUILDERS):
        print(f"{who:10}{sums[who, 'sentence'] / count:12.4f}{sums[who, 'code'] / count:12.4f}")


if __name__ == "__main__":
    main()
